using System.Net;
using System.Net.Security;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.Hosting.Transport;
using KeepFs.WebDav.Bodies;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Downloads.Zip;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Page;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Resumable;
using KeepFs.WebDav.S3;
using KeepFs.WebDav.S3.Signing;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Tree;
using KeepFs.WebDav.Writing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav;

/// <summary>
/// The keep-web daemon: collections, projects and homes over HTTP and WebDAV (keep-web.md 1 to 3, docs/decisions/0003-webdav-tree.md). It acts as the
/// user whose token a request brings, and reaches catalogue and keepstores over HTTP only. Requests signed as S3 clients do go to <see cref="S3Endpoint"/>.
/// </summary>
public sealed class KeepWebServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CachedBlockStore _cache;
    private readonly TransferOutbox? _outbox;
    private readonly HttpClient _http;

    private KeepWebServer(WebApplication app, CachedBlockStore cache, TransferOutbox? outbox, HttpClient http) => (_app, _cache, _outbox, _http) = (app, cache, outbox, http);

    /// <summary>Where it listens, with the real port; known after <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<string> Addresses => [.. _app.Urls];

    /// <summary>Prepares the server; nothing listens yet.</summary>
    /// <param name="config">The cluster.</param>
    /// <param name="options">What the program decides.</param>
    public static KeepWebServer Create(ClusterConfig config, KeepWebServerOptions options)
    {
        var log = options.LoggerFactory.CreateLogger<KeepWebServer>();
        var http = Outgoing(config, options);
        var readBuffers = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = options.ReadMemoryBytes, MaxWaiting = options.MaxWaitingForMemory });
        var writeBuffers = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = options.WriteMemoryBytes, MaxWaiting = options.MaxWaitingForMemory });
        var routes = new RoutedBlockSource();
        var cache = new CachedBlockStore(routes, readBuffers, new BlockCacheOptions { CapacityBytes = options.ReadMemoryBytes });
        var manifests = new ManifestCache(options, config.Collections.BlobSigningTTL);
        var sessions = new SessionTable(config, options, http, routes, cache, manifests);
        var limiter = new RequestLimiter(config.API.MaxConcurrentRequests, config.API.MaxQueuedRequests, options.Time, options.MaxSlowClients);
        var s3Metrics = new S3Metrics();

        // Records are written with the system's token; a keep-web without one cannot.
        var outbox = config.Collections.WebDAVLogEvents && config.SystemRootToken.Length > 0
            ? new TransferOutbox(http, options, config.ClusterId, config.SystemRootToken, log) : null;
        var app = Build(options);
        app.Use(LeaveSlowReadersToTransport);
        app.UseRequestId();
        app.UseRequestLog(log, options.Time);
        app.UseManagementEndpoints(config.ManagementToken, new KeepWebMetrics(sessions, manifests, readBuffers, writeBuffers, limiter, s3Metrics, outbox).Write, options.Errors);
        app.Use(SocketBody.InstallAsync);
        app.UseRequestLimiter(limiter);
        app.Run(Router(config, options, sessions, writeBuffers, http, s3Metrics, outbox, log).HandleAsync);
        return new KeepWebServer(app, cache, outbox, http);
    }

    /// <summary>Starts to listen.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => _app.StartAsync(cancellationToken);

    /// <summary>Stops to listen and lets running requests end.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _app.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        if (_outbox is not null)
        {
            await _outbox.DisposeAsync();
        }

        await _cache.DisposeAsync();
        _http.Dispose();
    }

    private static KeepWebRouter Router(
        ClusterConfig config, KeepWebServerOptions options, SessionTable sessions, BlockBufferPool writeBuffers, HttpClient http, S3Metrics s3Metrics, TransferOutbox? outbox,
        ILogger log)
    {
        var tree = new TreeResolver(config.Collections.ForwardSlashNameSubstitution);
        var opener = new RequestOpener(config, IPAddress.IsLoopback(options.Listen.Address), sessions, tree);
        var updates = new CollectionUpdates();
        var uploads = new Uploads(writeBuffers);
        var placements = new Placements();
        var lockStore = new LockStore(new LockTable(options.Time));
        var destinations = new DestinationHeader(opener.OwnHosts);
        var guard = new LockGuard(lockStore, tree, destinations);
        var delete = new DeleteHandler(updates);
        var assets = new PageAssets();
        var text = new PageText(assets);
        var policy = new TransferPolicy(config.Collections.WebDAVPermission);
        var transfers = new TransferLog(outbox, new DownloadThrottle(config.Collections.WebDAVLogDownloadInterval, options.Time), options.Time);
        return new KeepWebRouter(
            opener,
            new PageEndpoints(opener, assets, text, new PageApi(config.Collections.CollectionVersioning, options.Time), new StatusPage(config, http, options.ApiRoot, options.Errors, options.Time)),
            new GetHandler(new DirectoryPage(tree, text, config.Users.AnonymousUserToken), policy, transfers, options.Time),
            new ZipHandler(DownloadUrl(config), policy, transfers, options.Time),
            new PutHandler(updates, uploads, placements, new ResumablePut(new PartialUploads(config.Collections.BlobSigningTTL, options.Time), uploads, options.Time), policy, transfers),
            delete,
            new MkcolHandler(updates, tree),
            new CopyMoveHandler(updates, delete, tree, destinations, guard),
            new PropfindHandler(new DavEntries(tree, lockStore, options.MaxInfinitePropfindEntries)),
            new LockHandler(lockStore, guard, updates),
            guard,
            lockStore,
            new S3Endpoint(
                new S3Authenticator(new TokenSecrets(new TokenLookup(http, options.ApiRoot, config.SystemRootToken).FindAsync, options.SessionLifetime, options.Time).FindAsync, options.Time),
                sessions, S3Handlers.Create(config.ClusterId, config.Collections.S3FolderObjects, tree, updates, uploads, placements, policy, transfers, options, log), s3Metrics, log),
            log);
    }

    private static string DownloadUrl(ClusterConfig config) =>
        (config.Services.WebDAVDownload.ExternalURL is { Length: > 0 } download ? download : config.Services.WebDAV.ExternalURL).TrimEnd('/');

    private static HttpClient Outgoing(ClusterConfig config, KeepWebServerOptions options)
    {
        // Ours unless given; a given one stays the caller's. Clients time their own stalls.
        var handler = options.Outgoing ?? new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.None || config.TLS.Insecure },
        };
        return new HttpClient(handler, disposeHandler: options.Outgoing is null) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Kestrel counts some of what goes out and not the rest, and cuts off whoever takes half a minute for a quarter of a megabyte. It cannot be told so for HTTP/2.</summary>
    private static Task LeaveSlowReadersToTransport(HttpContext context, RequestDelegate next)
    {
        if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        return next(context);
    }

    private static WebApplication Build(KeepWebServerOptions options)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new FrameworkLoggers(options.LoggerFactory));
        builder.Services.AddLogging();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Files have no largest size; whoever reads a body in memory has a limit of his own.
            kestrel.Limits.MaxRequestBodySize = null;

            // Deep trees of encoded names; Kestrel's own 8 KiB cut off paths of 255-byte names below the ninth level.
            kestrel.Limits.MaxRequestLineSize = 64 << 10;
            kestrel.Limits.MaxRequestHeadersTotalSize = 128 << 10;
            var leastRate = new MinDataRate(bytesPerSecond: 240, options.StallTimeout);
            (kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MinResponseDataRate) = (leastRate, leastRate);

            // A window of 96 KiB would make an upload wait for every round trip.
            kestrel.Limits.Http2.InitialStreamWindowSize = 4 << 20;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
            kestrel.Listen(options.Listen, endpoint =>
            {
                endpoint.Protocols = options.Certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
                if (options.Certificate is { } certificate)
                {
                    certificate.Use(endpoint);
                }
            });
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(_ => new PolledTransport(Environment.ProcessorCount, options.StallTimeout, options.Time));
        return builder.Build();
    }
}
