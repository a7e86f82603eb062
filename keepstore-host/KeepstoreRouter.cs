using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// Finds the handler of a request (keepstore-http.md 1) and turns failures into answers. By hand instead of route templates: a path
/// is a locator by its first 32 characters, <c>//locator</c> counts, and everything else is 400, never 404 or 405.
/// </summary>
internal sealed partial class KeepstoreRouter(
    ClusterConfig config,
    Keepstore keepstore,
    BlockBufferPool buffers,
    WorkQueues queues,
    RemoteBlocks remotes,
    Func<HttpContext, CancellationToken, Task>? status,
    GatewayEndpoints? gateway,
    ScrubEndpoint scrub,
    TimeProvider time,
    ILogger logger)
{
    private const string Untrash = "untrash/";
    private readonly BlockEndpoints _blocks = new(config, keepstore, buffers, new RemoteEndpoints(config, keepstore, buffers, remotes, time), time);
    private readonly IndexEndpoints _index = new(keepstore);
    private readonly WorkListEndpoints _lists = new(queues, buffers);
    private readonly ILogger _logger = logger;

    public async Task HandleAsync(HttpContext context)
    {
        AddCorsHeaders(context.Response.Headers);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            // The index takes as long as it takes; everything else holds a buffer or a volume.
            if (!context.Request.Path.StartsWithSegments("/index") && !context.Request.Path.StartsWithSegments("/mounts"))
            {
                timeout.CancelAfter(config.API.RequestTimeout);
            }

            await RouteAsync(context, timeout.Token);
        }
        catch (KeepException e)
        {
            var (status, text) = StatusMap.Of(e, HttpMethods.IsPut(context.Request.Method));
            LogFailure(context.TraceIdentifier, status, e.Message);
            await FailAsync(context, status, text);
        }
        catch (BadHttpRequestException e)
        {
            await FailAsync(context, e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? BlockEndpoints.TooLarge : "Bad Request");
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            await FailAsync(context, StatusMap.ClientClosedRequest, "request cancelled");
        }
    }

    /// <summary>Sends a one-line error, or breaks the connection when a part of something else is already under way.</summary>
    public static Task FailAsync(HttpContext context, int status, string text)
    {
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        if (status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return SendTextAsync(context, status, text + "\n", context.RequestAborted);
    }

    public static Task SendTextAsync(HttpContext context, int status, string text, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = System.Text.Encoding.UTF8.GetByteCount(text);
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text, cancellationToken);
    }

    private Task RouteAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var path = context.Request.Path.Value ?? "";
        var name = path.Length > 0 ? path[1..] : "";
        return (context.Request.Method, name) switch
        {
            ("OPTIONS", _) => Task.CompletedTask,
            ("GET" or "HEAD", _) when StartsWithHash(name) => _blocks.ReadAsync(context, name, cancellationToken),
            ("GET" or "HEAD", ['/', .. var aliased]) when StartsWithHash(aliased) => _blocks.ReadAsync(context, aliased, cancellationToken),
            ("PUT", _) when gateway is not null && StartsWithHash(name) => GatewayEndpoints.RefuseAsync(context),
            ("TOUCH", _) when gateway is not null && StartsWithHash(name) => AsSystem(context) ?? gateway.TouchAsync(context, Hash(name), cancellationToken),
            ("DELETE", _) when gateway is not null && StartsWithHash(name) => AsSystem(context) ?? GatewayEndpoints.RefuseAsync(context),
            ("PUT", _) when StartsWithHash(name) => _blocks.WriteAsync(context, Hash(name), cancellationToken),
            ("TOUCH", _) when StartsWithHash(name) => AsSystem(context) ?? _blocks.TouchAsync(context, Hash(name), cancellationToken),
            ("DELETE", _) when StartsWithHash(name) => AsSystem(context) ?? _blocks.TrashAsync(context, Hash(name), cancellationToken),
            ("PUT", _) when name.StartsWith(Untrash, StringComparison.Ordinal) && StartsWithHash(name[Untrash.Length..]) =>
                AsSystem(context) ?? _blocks.UntrashAsync(context, Hash(name[Untrash.Length..]), cancellationToken),
            ("GET" or "HEAD", "status.json") when status is not null => status(context, cancellationToken),
            ("GET" or "HEAD", ScrubEndpoint.Path) => AsSystem(context) ?? scrub.ShowAsync(context, cancellationToken),
            ("PUT", ScrubEndpoint.Path) => AsSystem(context) ?? scrub.CommandAsync(context, cancellationToken),
            ("PUT", "trash") => AsSystem(context) ?? _lists.TrashAsync(context, cancellationToken),
            ("PUT", "pull") => AsSystem(context) ?? _lists.PullAsync(context, cancellationToken),
            ("GET" or "HEAD", "mounts") => AsSystem(context) ?? _index.MountsAsync(context),
            ("GET" or "HEAD", _) when IndexEndpoints.TryParse(name, context.Request.Query["prefix"], out var mount, out var prefix) =>
                AsSystem(context) ?? _index.IndexAsync(context, mount, prefix, cancellationToken),
            _ => FailAsync(context, StatusCodes.Status400BadRequest, "Bad Request"),
        };
    }

    /// <summary>The refusal of a request without the system token, or null. Any of the tokens that it presents may be the right one.</summary>
    private Task? AsSystem(HttpContext context)
    {
        var tokens = RequestTokens.Collect(context.Request);
        return tokens.Any(token => ManagementEndpoints.TokensEqual(token, config.SystemRootToken)) ? null
            : tokens.Count == 0 ? FailAsync(context, StatusCodes.Status401Unauthorized, "Unauthorized")
            : FailAsync(context, StatusCodes.Status403Forbidden, "Forbidden");
    }

    private static bool StartsWithHash(string name) => name.Length >= BlockHash.TextLength && BlockHash.TryParse(name.AsSpan(0, BlockHash.TextLength), out _);

    private static BlockHash Hash(string name) => BlockHash.Parse(name.AsSpan(0, BlockHash.TextLength));

    private static void AddCorsHeaders(IHeaderDictionary headers)
    {
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = "GET, HEAD, PUT, OPTIONS";
        headers.AccessControlAllowHeaders = "Authorization, Content-Length, Content-Type, X-Keep-Desired-Replicas, X-Keep-Signature, X-Keep-Storage-Classes";
        headers.AccessControlExposeHeaders = "X-Keep-Locator, X-Keep-Replicas-Stored, X-Keep-Storage-Classes-Confirmed";
        headers.AccessControlMaxAge = "86486400";
    }

    [LoggerMessage(1020, LogLevel.Debug, "{RequestId} answered with {Status}: {Reason}")]
    private partial void LogFailure(string requestId, int status, string reason);
}
