using KeepFs.Catalog.Checkpoints;
using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Events;
using KeepFs.Catalog.Exchange;
using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.References;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KeepFs.Catalog;

/// <summary>
/// The catalogue: collections, projects, users, tokens and permissions over the Arvados v1 API (spec: catalog-api.md), kept in one SQLite
/// file, or in PostgreSQL. One instance per file; several on one PostgreSQL database. Safe for concurrent use once started; start and stop it once.
/// </summary>
public sealed class CatalogServer : IAsyncDisposable
{
    /// <summary>What Kestrel gives a client that takes what it is sent, at least.</summary>
    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly CatalogContext _catalog;
    private readonly Sweeper _sweeper;
    private readonly BaseState _base;
    private readonly Checkpointer _checkpointer;

    private CatalogServer(WebApplication app, CatalogContext catalog, Sweeper sweeper, BaseState baseState, Checkpointer checkpointer) =>
        (_app, _catalog, _sweeper, _base, _checkpointer) = (app, catalog, sweeper, baseState, checkpointer);

    /// <summary>Where the server listens; complete after <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _app.Urls.Select(url => new Uri(url))];

    /// <summary>Writes committed since the start.</summary>
    internal long Writes => _catalog.Database.Writes;

    /// <summary>For tests that look at what the API does not show.</summary>
    internal CatalogDatabase Database => _catalog.Database;

    /// <summary>Opens or creates the database and prepares the server; nothing listens yet.</summary>
    /// <param name="config">The cluster.</param>
    /// <param name="options">How to run.</param>
    /// <param name="certificate">Serves HTTPS when given, HTTP otherwise.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where to log; not disposed.</param>
    /// <exception cref="ConfigException">The configuration is incomplete; all faults at once.</exception>
    /// <exception cref="InvalidOperationException">The database is of a newer version.</exception>
    public static CatalogServer Create(
        ClusterConfig config, CatalogServerOptions options, ServerCertificate? certificate, TimeProvider time, ILoggerFactory loggers)
    {
        Check(config);
        var database = CatalogDatabase.Open(config, time);
        var catalog = new CatalogContext(
            config, database, new Uuids(config.ClusterId), new LocatorSigner(config.Collections.BlobSigningKey, config.Collections.BlobSigningTTL), time);
        var logger = loggers.CreateLogger<CatalogServer>();
        var sweeper = new Sweeper(catalog, options.AuditLogLifetime, logger);
        var limiter = new RequestLimiter(config.API.MaxConcurrentRequests, config.API.MaxQueuedRequests);
        var logins = new LoginLimiter(config.KeepFs.FailedLogins, time);
        var authenticator = new Authenticator(catalog, logins);
        var metrics = new CatalogMetrics(limiter, logins, database);
        var app = Build(config, options, certificate, loggers);
        app.UseRequestId();
        app.UseClientAddress(config.KeepFs.TrustedProxies);
        app.UseRequestLog(logger, time);
        app.UseManagementEndpoints(config.ManagementToken, metrics.Write, options.Errors);
        app.UseApiRules(time, logger);
        var baseState = new BaseState(catalog, options.IsTestMode);
        new EventEndpoint(catalog, authenticator, options, app.Lifetime.ApplicationStopping).Use(app);
        app.UseRequestLimiter(limiter);
        app.UseMethodOverride();
        app.UseRouting();
        var api = new ApiPipeline(authenticator, config.API.RequestTimeout, time);
        MapAll(app, catalog, sweeper, api);
        new ExchangeEndpoints(catalog, baseState, logger).Map(api, app);
        var checkpointer = new Checkpointer(catalog, baseState, logger);
        new CheckpointEndpoint(checkpointer).Map(api, app);
        return new CatalogServer(app, catalog, sweeper, baseState, checkpointer);
    }

    /// <summary>Makes the records that every cluster has, then listens.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await _catalog.Database.WriteAsync(
            session =>
            {
                Bootstrap.Run(session, _catalog);
                _base.Started(session);
                return true;
            },
            ct);
        // Of a database from before there were any; nobody writes yet.
        while (await _catalog.Database.WriteAsync(BlockReferences.Fill, ct))
        {
        }

        await _app.StartAsync(ct);
        _sweeper.Start();
        if (!_base.IsTestMode)
        {
            _checkpointer.Start();
        }
    }

    /// <summary>
    /// Stores what changed since the last checkpoint (decision 0040), unless none are wanted. To be called before the keepstores stop; what fails is logged.
    /// </summary>
    public async Task CheckpointAsync(CancellationToken ct)
    {
        if (!_base.IsTestMode)
        {
            await _checkpointer.CatchUpAsync(ct);
        }
    }

    /// <summary>
    /// Makes sure that a user with that name and token exists; call after <see cref="StartAsync"/>, as often as you like. An existing user
    /// is only ever made more (active, admin), never less. Returns the token in v2 form.
    /// </summary>
    /// <param name="username">The user's name.</param>
    /// <param name="admin">The user shall be an admin.</param>
    /// <param name="tokenUuid">UUID of the token, <c>CCCCC-gj3su-...</c>.</param>
    /// <param name="tokenSecret">Its secret; stored hashed. Another secret for the same UUID replaces the old one.</param>
    /// <param name="ct">Cancels the wait.</param>
    public async Task<string> EnsureUserAsync(string username, bool admin, string tokenUuid, string tokenSecret, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrEmpty(tokenSecret);
        if (Uuids.Infix(tokenUuid) != RecordTypes.Tokens.Infix || !tokenUuid.StartsWith(_catalog.Uuids.ClusterId, StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{tokenUuid}' is not the UUID of a token of cluster {_catalog.Uuids.ClusterId}.", nameof(tokenUuid));
        }

        await _catalog.Database.WriteAsync(
            session =>
            {
                _base.Ensure(session, new EnsuredUser(username, admin, tokenUuid, tokenSecret));
                return true;
            },
            ct);
        return $"v2/{tokenUuid}/{tokenSecret}";
    }

    /// <summary>Answers requests in progress, then stops; what was answered is on stable storage.</summary>
    public Task StopAsync(CancellationToken ct) => _app.StopAsync(ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _sweeper.DisposeAsync();
        await _checkpointer.DisposeAsync();
        await _app.DisposeAsync();
        await _catalog.Database.DisposeAsync();
    }

    private static void Check(ClusterConfig config)
    {
        var faults = new List<string>();
        if (config.ClusterId.Length != 5 || !config.ClusterId.All(c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c)))
        {
            faults.Add($"Clusters: '{config.ClusterId}' is no cluster id: it must be five characters a-z or 0-9");
        }

        if (config.SystemRootToken.Length == 0)
        {
            faults.Add($"Clusters.{config.ClusterId}.SystemRootToken: must be set");
        }

        if (config.PostgreSQL.Connection.Count == 0 && config.Catalog.SqlitePath.Length == 0)
        {
            faults.Add($"Clusters.{config.ClusterId}.Catalog.SqlitePath: must be set, or PostgreSQL.Connection");
        }

        if (config.Collections is { BlobSigning: true, BlobSigningKey: "" })
        {
            faults.Add($"Clusters.{config.ClusterId}.Collections.BlobSigningKey: must be set while Collections.BlobSigning is on");
        }

        if (config.Collections.DefaultTrashLifetime < config.Collections.BlobSigningTTL)
        {
            faults.Add($"Clusters.{config.ClusterId}.Collections.DefaultTrashLifetime: must not be shorter than Collections.BlobSigningTTL");
        }

        if (faults.Count > 0)
        {
            throw new ConfigException("catalogue", faults);
        }
    }

    private static WebApplication Build(ClusterConfig config, CatalogServerOptions options, ServerCertificate? certificate, ILoggerFactory loggers)
    {
        // Nothing from the folder where the program was started: the other builders read settings there, and watch all that is below it, mounts included.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new FrameworkLoggers(loggers));
        builder.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.ShutdownTimeout);
        builder.Services.Configure<FormOptions>(form =>
        {
            form.ValueLengthLimit = int.MaxValue;
            form.BufferBodyLengthLimit = form.MultipartBodyLengthLimit = config.API.MaxRequestSize;
        });
        builder.Services.AddLogging();
        builder.Services.AddRouting();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            kestrel.Limits.MaxRequestBodySize = config.API.MaxRequestSize;

            // Kestrel does not count what is written through its pipe, and its five seconds are too few for a manifest of many megabytes on a slow line.
            kestrel.Limits.MinResponseDataRate = config.API.RequestTimeout > TimeSpan.Zero
                ? new MinDataRate(bytesPerSecond: 240, TimeSpan.FromTicks(Math.Max(config.API.RequestTimeout.Ticks, LeastPatience.Ticks))) : null;
            kestrel.Listen(options.Listen, listen =>
            {
                if (certificate is not null)
                {
                    certificate.Use(listen);
                }
            });
        });
        return builder.Build();
    }

    private static void MapAll(IEndpointRouteBuilder routes, CatalogContext catalog, Sweeper sweeper, ApiPipeline api)
    {
        var records = new RecordEndpoints(catalog);
        new SystemEndpoints(catalog, sweeper).Map(api, routes);
        new CollectionEndpoints(catalog, records).Map(api, routes);
        new GroupEndpoints(catalog, records).Map(api, routes);
        new UserEndpoints(catalog, records).Map(api, routes);
        new TokenEndpoints(catalog, records).Map(api, routes);
        new LinkEndpoints(catalog, records).Map(api, routes);
        new KeepServiceEndpoints(catalog, records).Map(api, routes);
        new LogEndpoints(catalog, records).Map(api, routes);
        new AuditEndpoint(catalog).Map(api, routes);
        new QuotaEndpoints(catalog).Map(api, routes);
        new ReferenceEndpoints(catalog).Map(api, routes);
        new DavEndpoints(catalog).Map(api, routes);
    }
}
