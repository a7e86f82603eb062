using System.Net;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.Hosting.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// A keepstore daemon: the volumes of one InternalURLs entry behind the HTTP interface of keepstore-http.md.
/// </summary>
public sealed class KeepstoreServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Keepstore _keepstore;
    private readonly WorkQueues _queues;
    private readonly TrashEmptier _emptier;
    private readonly Scrubber _scrubber;
    private readonly IDisposable[] _clients;

    private KeepstoreServer(WebApplication app, Keepstore keepstore, WorkQueues queues, TrashEmptier emptier, Scrubber scrubber, IDisposable[] clients) =>
        (_app, _keepstore, _queues, _emptier, _scrubber, _clients) = (app, keepstore, queues, emptier, scrubber, clients);

    /// <summary>Where it listens, with the real port; known after <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<string> Addresses => [.. _app.Urls];

    /// <summary>The engine, for a process that reads local volumes directly.</summary>
    public Keepstore Keepstore => _keepstore;

    internal WorkQueues Queues => _queues;

    /// <summary>Checks the configuration and opens the volumes; serves nothing yet.</summary>
    /// <param name="config">The cluster.</param>
    /// <param name="serverUrl">Which entry of Services.Keepstore.InternalURLs this server is, or, to be a gateway, of Services.Keepgw.InternalURLs.</param>
    /// <param name="options">What the program decides.</param>
    /// <exception cref="ConfigException">Why it must not start, all faults at once.</exception>
    public static KeepstoreServer Create(ClusterConfig config, string serverUrl, KeepstoreServerOptions options)
    {
        var faults = new List<string>();
        var listen = KeepstoreRules.Check(config, serverUrl, options, faults);
        var meters = new Dictionary<string, IVolumeMeter>();
        var log = options.LoggerFactory.CreateLogger<KeepstoreServer>();
        var mounts = MountFactory.Create(config, serverUrl, options.Time, new GatewayFactory(config, options, new GatewayLog(log)), faults, meters);
        if (mounts.Count == 0 && faults.Count == 0)
        {
            faults.Add($"Clusters.{config.ClusterId}.Volumes: none is mounted by {serverUrl}");
        }

        if (faults.Count > 0)
        {
            throw new ConfigException("keepstore", faults);
        }

        var buffers = options.Buffers ?? new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = BudgetBytes(config.API.MaxKeepBlobBuffers) });
        var events = new KeepstoreLog(log);
        var verified = new VerifiedCache(buffers, options.Verified, options.Time);
        var keepstore = new Keepstore(new MountTable(mounts), buffers, events, options.Hashing, verified);
        var outgoing = OutgoingHttp.Create(config.TLS.Insecure, usesProxy: false);
        var fetcher = new PullFetcher(config.Collections, outgoing, options.Time, options.Hashing);
        var queues = new WorkQueues(keepstore, config.Collections, buffers, fetcher, options.Time, events);
        var remotes = new RemoteBlocks(config.RemoteClusters, options.Time, options.Hashing);
        var limiter = new RequestLimiter(config.API.MaxConcurrentRequests, config.API.MaxQueuedRequests, options.Time);
        var requests = new RequestMetrics(limiter, options.ConfigSource, options.Time);
        var scrubber = new Scrubber(
            keepstore,
            buffers,
            new OtherKeepstores(config, serverUrl, outgoing, fetcher, buffers),
            options.Scrub with { Enabled = config.KeepFs.Scrub.Enabled, BytesPerSecond = config.KeepFs.Scrub.Rate, Interval = config.KeepFs.Scrub.Interval },
            () => limiter.Running == 0 && queues is { Pull.InProgress: 0, Trash.InProgress: 0 },
            new ScrubLog(log),
            options.Time,
            options.Hashing);
        var metrics = new KeepstoreMetrics(keepstore, buffers, requests, queues, meters, verified, scrubber);
        var gateway = GatewayEndpoints.For(keepstore);
        Func<HttpContext, CancellationToken, Task>? status = gateway is not null ? gateway.ShowStatusAsync
            : options.ServesStatus ? new StatusEndpoint(config, keepstore, buffers, queues).ShowAsync
            : null;
        var app = Build(options, listen);
        app.UseRequestId();
        app.UseRequestLog(log, options.Time);
        app.Use(requests.MeasureAsync);
        app.Use(new RunningRequests(config.ManagementToken, requests).ShowAsync);
        app.UseManagementEndpoints(config.ManagementToken, metrics.Write, options.Errors);
        app.UseRequestLimiter(limiter);
        app.Run(new KeepstoreRouter(config, keepstore, buffers, queues, remotes, status, gateway, new ScrubEndpoint(scrubber), options.Time, log).HandleAsync);
        return new KeepstoreServer(app, keepstore, queues, new TrashEmptier(keepstore.Mounts, config.Collections, options.Time, log), scrubber, [outgoing, remotes, verified]);
    }

    /// <summary>Starts to listen.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _app.StartAsync(cancellationToken);
        _queues.Start();
        _emptier.Start();
        _scrubber.Start();
        GatewayEndpoints.StartCounting(_keepstore);
    }

    /// <summary>Stops to listen, lets running requests and started list items end, and drops the rest of the lists.</summary>
    /// <param name="cancellationToken">Ends the waiting: what still runs is broken off.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _emptier.DisposeAsync();
        await _scrubber.DisposeAsync();
        await _app.StopAsync(cancellationToken);
        await _queues.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _emptier.DisposeAsync();
        await _scrubber.DisposeAsync();
        await _app.DisposeAsync();
        await _queues.DisposeAsync();
        Array.ForEach(_clients, client => client.Dispose());
        await _keepstore.DisposeAsync();
    }

    private static long BudgetBytes(int buffers) =>
        Math.Max(2L * Locator.MaxBlockSizeBytes, Math.Min((long)buffers * Locator.MaxBlockSizeBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2));

    private static WebApplication Build(KeepstoreServerOptions options, (IPEndPoint? Address, int Port) listen)
    {
        // The empty builder: nothing from the environment or from files in the current folder decides how a daemon listens.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new FrameworkLoggers(options.LoggerFactory));
        builder.Services.AddLogging();

        // How long running requests may take when the server stops is said by the caller's token alone, not by the host's own 30 seconds.
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Above the largest block, so that we answer 413 ourselves; Kestrel closes the connection beyond it.
            kestrel.Limits.MaxRequestBodySize = 2L * Locator.MaxBlockSizeBytes;

            // Slow clients are welcome, but one that sends nothing must not keep a buffer.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, options.StallTimeout);

            // The same for those that take nothing; Kestrel does not see how a block goes out and cuts off whoever takes five seconds for one.
            kestrel.Limits.MinResponseDataRate = null;
            if (listen.Address is { } address)
            {
                kestrel.Listen(address, Configure);
            }
            else
            {
                kestrel.ListenAnyIP(listen.Port, Configure);
            }
        });
        builder.Services.AddSingleton<IConnectionListenerFactory>(_ => new PolledTransport(Environment.ProcessorCount, options.StallTimeout, options.Time));
        return builder.Build();

        void Configure(ListenOptions endpoint)
        {
            endpoint.Protocols = HttpProtocols.Http1;
            if (options.Certificate is { } certificate)
            {
                certificate.Use(endpoint);
            }
        }
    }
}
