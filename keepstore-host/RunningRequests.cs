using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>What is being served now, and <c>/_inspect/requests</c>, which shows it to the holder of the management token.</summary>
internal sealed class RunningRequests(string managementToken, TimeProvider time)
{
    private readonly ConcurrentDictionary<HttpContext, long> _startOf = new();

    public async Task TrackAsync(HttpContext context, Func<Task> next)
    {
        if (context.Request.Path == "/_inspect/requests" && HttpMethods.IsGet(context.Request.Method))
        {
            await InspectAsync(context);
            return;
        }

        _startOf[context] = time.GetTimestamp();
        try
        {
            await next();
        }
        finally
        {
            _startOf.TryRemove(context, out _);
        }
    }

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

        var running = _startOf.OrderBy(entry => entry.Value).Select(entry => Describe(entry.Key, time.GetElapsedTime(entry.Value))).ToArray();
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
