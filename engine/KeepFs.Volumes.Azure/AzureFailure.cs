using System.Net;
using KeepFs.Engine.Blocks;

namespace KeepFs.Volumes.Azure;

/// <summary>The one place that knows what failures of Azure mean here.</summary>
/// <param name="Kind">For the layer above.</param>
/// <param name="Type">For metrics: few different ones.</param>
/// <param name="Message">What happened and what to do.</param>
/// <param name="IsBusy">The service asks to come back later.</param>
internal sealed record AzureFailure(KeepErrorKind Kind, string Type, string Message, bool IsBusy = false)
{
    /// <summary>The blob is not there, or no longer that version. A missing container is another matter.</summary>
    public static bool IsAbsent(HttpStatusCode status, string code) =>
        status == HttpStatusCode.PreconditionFailed || (status == HttpStatusCode.NotFound && !code.StartsWith("Container", StringComparison.Ordinal));

    public static AzureFailure Of(HttpStatusCode status, string code) => status switch
    {
        HttpStatusCode.NotFound => Unavailable("no_container", "there is no such container: create it, or correct ContainerName"),
        HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized => Unavailable("denied", $"{(int)status} {code}: check StorageAccountName, StorageAccountKey and the clock"),
        HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests =>
            new(KeepErrorKind.Unavailable, "busy", $"volume unavailable: the service is busy ({(int)status} {code})", IsBusy: true),
        HttpStatusCode.InsufficientStorage => new(KeepErrorKind.Full, "full", $"{(int)status} {code}"),
        _ => Unavailable((int)status >= 500 ? "server" : "other", $"{(int)status} {code}"),
    };

    /// <param name="e">What the HTTP client threw.</param>
    /// <param name="isLate">The time for the request was over.</param>
    public static AzureFailure Of(Exception e, bool isLate) => e switch
    {
        _ when isLate => Unavailable("timeout", "no complete answer within RequestTimeout"),
        OperationCanceledException => Unavailable("timeout", "no connection within RequestTimeout"),
        _ => Unavailable("unreachable", e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message),
    };

    private static AzureFailure Unavailable(string type, string message) => new(KeepErrorKind.Unavailable, type, message);
}

/// <summary>A request to Azure failed.</summary>
internal sealed class AzureException(AzureFailure failure, string message, Exception? inner) : KeepException(failure.Kind, message, inner)
{
    /// <summary>Coming back later may help.</summary>
    public bool IsBusy => failure.IsBusy;
}
