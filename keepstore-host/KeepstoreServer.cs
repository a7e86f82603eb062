using System.Net;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// A keepstore daemon: the volumes of one InternalURLs entry behind the HTTP interface of keepstore-http.md. Not yet served, and
/// answered with 400: <c>PUT /pull</c>, <c>PUT /trash</c>, and remote blocks (<c>+R</c>).
/// </summary>
public sealed class KeepstoreServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Keepstore _keepstore;
    private readonly TrashEmptier _emptier;

    private KeepstoreServer(WebApplication app, Keepstore keepstore, TrashEmptier emptier)
    {
        _app = app;
        _keepstore = keepstore;
        _emptier = emptier;
    }

    /// <summary>Where it listens, with the real port; known after <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<string> Addresses => [.. _app.Urls];

    /// <summary>The engine, for a process that reads local volumes directly.</summary>
    public Keepstore Keepstore => _keepstore;

    /// <summary>Checks the configuration and opens the volumes; serves nothing yet.</summary>
    /// <param name="config">The cluster.</param>
    /// <param name="serverUrl">Which entry of Services.Keepstore.InternalURLs this server is.</param>
    /// <param name="options">What the program decides.</param>
    /// <exception cref="ConfigException">Why it must not start, all faults at once.</exception>
    public static KeepstoreServer Create(ClusterConfig config, string serverUrl, KeepstoreServerOptions options)
    {
        var faults = new List<string>();
        var listen = KeepstoreRules.Check(config, serverUrl, options, faults);
        var mounts = MountFactory.Create(config, serverUrl, options.Time, faults);
        if (mounts.Count == 0 && faults.Count == 0)
        {
            faults.Add($"Clusters.{config.ClusterId}.Volumes: none is mounted by {serverUrl}");
        }

        if (faults.Count > 0)
        {
            throw new ConfigException("keepstore", faults);
        }

        var log = options.LoggerFactory.CreateLogger<KeepstoreServer>();
        var buffers = options.Buffers ?? new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = BudgetBytes(config.API.MaxKeepBlobBuffers) });
        var keepstore = new Keepstore(new MountTable(mounts), buffers, new KeepstoreLog(log), options.Hashing);
        var limiter = new RequestLimiter(config.API.MaxConcurrentRequests, config.API.MaxQueuedRequests);
        var metrics = new KeepstoreMetrics(keepstore, buffers, limiter, options.Time);
        var app = Build(options, listen);
        app.UseRequestId();
        app.UseRequestLog(log, options.Time);
        app.Use(metrics.MeasureAsync);
        app.UseManagementEndpoints(config.ManagementToken, metrics.Write);
        app.UseRequestLimiter(limiter);
        app.Run(new KeepstoreRouter(config, keepstore, buffers, options.Time, log).HandleAsync);
        return new KeepstoreServer(app, keepstore, new TrashEmptier(keepstore.Mounts, config.Collections, options.Time, log));
    }

    /// <summary>Starts to listen.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _app.StartAsync(cancellationToken);
        _emptier.Start();
    }

    /// <summary>Stops to listen and lets running requests end.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _emptier.DisposeAsync();
        await _app.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _emptier.DisposeAsync();
        await _app.DisposeAsync();
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
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Above the largest block, so that we answer 413 ourselves; Kestrel closes the connection beyond it.
            kestrel.Limits.MaxRequestBodySize = 2L * Locator.MaxBlockSizeBytes;

            // Slow clients are welcome, but one that sends nothing must not keep a buffer.
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(30));
            if (listen.Address is { } address)
            {
                kestrel.Listen(address, Configure);
            }
            else
            {
                kestrel.ListenAnyIP(listen.Port, Configure);
            }
        });
        return builder.Build();

        void Configure(ListenOptions endpoint)
        {
            endpoint.Protocols = HttpProtocols.Http1;
            if (options.Certificate is { } certificate)
            {
                endpoint.UseHttps(certificate);
            }
        }
    }
}
