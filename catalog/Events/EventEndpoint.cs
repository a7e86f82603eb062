using System.Net.WebSockets;
using KeepFs.Catalog.Permissions;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Catalog.Events;

/// <summary>
/// <c>GET /websocket</c>: change events for whoever has a token (python-clients.md, events; decision 0036). Outside the limit of running requests,
/// because a connection lasts for days; it has a limit of its own.
/// </summary>
internal sealed class EventEndpoint(CatalogContext catalog, Authenticator authenticator, CatalogServerOptions options, CancellationToken stopping)
{
    private const string Path = "/websocket";

    private int _connections;

    /// <summary>Open now.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public void Use(IApplicationBuilder app)
    {
        app.UseWebSockets();
        app.Use((context, next) => context.Request.Path == Path ? HandleAsync(context) : next(context));
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            throw new ApiException(StatusCodes.Status426UpgradeRequired, "this path speaks the WebSocket protocol only");
        }

        var tokens = RequestTokens.Collect(context.Request);
        if (await FindCallerAsync(context, tokens, context.RequestAborted) is null)
        {
            throw ApiException.NotLoggedIn();
        }

        if (Interlocked.Increment(ref _connections) > options.MaxEventConnections)
        {
            Interlocked.Decrement(ref _connections);
            throw new ApiException(StatusCodes.Status503ServiceUnavailable, $"{options.MaxEventConnections} clients listen to events already; ask /arvados/v1/logs from time to time instead");
        }

        try
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            using var socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { KeepAliveInterval = options.EventKeepAlive, KeepAliveTimeout = options.EventKeepAlive });
            using var connection = new EventConnection(socket, catalog, options, ct => FindCallerAsync(context, tokens, ct), catalog.Database.Replaced);
            await connection.RunAsync(ending.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The client is gone, or we are: nobody is left to be told.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    /// <summary>The token's user as of now; null when it is not good (any more).</summary>
    private async Task<Caller?> FindCallerAsync(HttpContext context, IReadOnlyList<string> tokens, CancellationToken ct) =>
        await authenticator.AuthenticateAsync(context, tokens, [], ct) is { } caller && TokenScopes.Allow(caller.Scopes, HttpMethods.Get, Path) ? caller : null;
}
