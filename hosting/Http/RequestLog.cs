using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.Hosting.Http;

/// <summary>One structured line for every request. Tokens never get there: no query, no headers, and signatures are cut out of paths.</summary>
public static partial class RequestLog
{
    private const int ClientClosedRequest = 499;

    /// <summary>Logs what follows; put it after <see cref="RequestId.UseRequestId"/>.</summary>
    public static IApplicationBuilder UseRequestLog(this IApplicationBuilder app, ILogger logger, TimeProvider time) => app.Use(async (context, next) =>
    {
        var start = time.GetTimestamp();
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            await next(context);
            status = context.Response.StatusCode;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            status = ClientClosedRequest;
        }
        finally
        {
            if (logger.IsEnabled(LogLevel.Information))
            {
                var request = context.Request;
                Log(
                    logger,
                    context.TraceIdentifier,
                    context.Connection.RemoteIpAddress?.ToString(),
                    request.Method,
                    WithoutSecrets(request.Path),
                    request.ContentLength ?? 0,
                    context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted ? ClientClosedRequest : status,
                    context.Response.ContentLength ?? 0,
                    time.GetElapsedTime(start).TotalSeconds);
            }
        }
    });

    /// <summary>A path whose block signatures and embedded tokens (<c>/t=TOKEN/</c>, <c>/collections/download/ID/TOKEN/</c>) are cut out.</summary>
    public static string WithoutSecrets(string? path) => TokenInPath().Replace(Signature().Replace(path ?? "", "$1..."), "$1...");

    [LoggerMessage(100, LogLevel.Information, "{RequestId} {Remote} {Method} {Path} request {RequestBytes} B, {Status}, response {ResponseBytes} B, {Seconds:0.000000} s")]
    private static partial void Log(
        ILogger logger, string requestId, string? remote, string method, string path, long requestBytes, int status, long responseBytes, double seconds);

    [GeneratedRegex(@"(\+A|\+R[A-Za-z0-9]{5}-)[^+/ ]*")]
    private static partial Regex Signature();

    [GeneratedRegex("(/t=|^/collections/download/[^/]*/)[^/]*")]
    private static partial Regex TokenInPath();
}
