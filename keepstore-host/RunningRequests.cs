using System.Text.Json;
using System.Text.Json.Serialization;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary><c>/_inspect/requests</c> shows what is being served now to the holder of the management token.</summary>
internal sealed class RunningRequests(string managementToken, RequestMetrics requests)
{
    /// <summary>Middleware: answers that path; everything else goes on.</summary>
    public Task ShowAsync(HttpContext context, Func<Task> next) =>
        context.Request.Path == "/_inspect/requests" && HttpMethods.IsGet(context.Request.Method) ? InspectAsync(context) : next();

    private Task InspectAsync(HttpContext context)
    {
        var tokens = RequestTokens.Collect(context.Request);
        if (managementToken.Length == 0)
        {
            return KeepstoreRouter.FailAsync(context, StatusCodes.Status404NotFound, "disabled");
        }

        if (!tokens.Any(token => ManagementEndpoints.TokensEqual(token, managementToken)))
        {
            return tokens.Count == 0 ? KeepstoreRouter.FailAsync(context, StatusCodes.Status401Unauthorized, "authorization required")
                : KeepstoreRouter.FailAsync(context, StatusCodes.Status403Forbidden, "authorization error");
        }

        var running = requests.Running.Where(entry => entry.Context != context).OrderByDescending(entry => entry.Elapsed).Select(entry => Describe(entry.Context, entry.Elapsed)).ToArray();
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(running, InspectJson.Default.RunningRequestArray) + "\n", context.RequestAborted);
    }

    /// <summary>The path ends before the hints of a locator: signatures are secrets, and so is the query.</summary>
    private static RunningRequest Describe(HttpContext context, TimeSpan elapsed) => new(
        context.TraceIdentifier,
        context.Connection.RemoteIpAddress?.ToString() ?? "",
        context.Request.Method,
        (context.Request.Path.Value ?? "").Split('+')[0],
        context.Request.ContentLength ?? 0,
        elapsed.TotalSeconds);
}

internal sealed record RunningRequest(string RequestId, string RemoteAddr, string Method, string Path, long RequestBytes, double ElapsedSeconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunningRequest[]))]
internal sealed partial class InspectJson : JsonSerializerContext;
