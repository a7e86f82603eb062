using System.Net;
using System.Net.Sockets;
using KeepFs.Catalog;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.KeepstoreHost;
using KeepFs.WebDav;
using Microsoft.Extensions.Logging;

namespace KeepFs.Cli.Up;

/// <summary>All services of one cluster in this process: the same libraries that the daemons run, meeting over HTTP.</summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    /// <summary>
    /// Memory of one keepstore's buffers: eight full blocks at once, so that a writer with two replicas and a few readers never wait on two cores.
    /// </summary>
    private const long KeepstoreBufferBytes = 512L << 20;

    /// <summary>Memory of the gateway: four full blocks at once, more than its reader can hash.</summary>
    private const long GatewayBufferBytes = 256L << 20;

    /// <summary>How long a last checkpoint may hold up the end: what changed since the one before is stored in well under a second.</summary>
    private static readonly TimeSpan LastCheckpointLimit = TimeSpan.FromSeconds(10);

    private readonly List<(string Name, IAsyncDisposable Server, Func<CancellationToken, Task> Stop)> _running = [];
    private readonly HashService _hashing = new(new HashServiceOptions());
    private readonly ILoggerFactory _loggers;
    private readonly RecentErrors _errors;
    private readonly ServerCertificate _certificate;

    private LocalCluster(ClusterConfig config, ILoggerFactory loggers, RecentErrors errors, ServerCertificate certificate) =>
        (Config, _loggers, _errors, _certificate) = (config, loggers, errors, certificate);

    public ClusterConfig Config { get; }

    /// <summary>The admin's token in v2 form.</summary>
    public string AdminToken { get; private set; } = "";

    /// <summary>Starts catalogue, keepstores and keep-web in that order; on failure stops what had started.</summary>
    public static async Task<LocalCluster> StartAsync(ClusterConfig config, DataFolder data, UpOptions options, ILoggerFactory loggers, RecentErrors errors, CancellationToken cancellationToken)
    {
        var listen = options.Listen;
        var cluster = new LocalCluster(config, loggers, errors, LoadCertificate(config.TLS, loggers));
        try
        {
            await cluster.StartCatalogAsync(data, options, cancellationToken);
            foreach (var url in config.Services.Keepstore.InternalURLs.Keys)
            {
                await cluster.StartKeepstoreAsync("a keepstore", url, KeepstoreBufferBytes, listen, cancellationToken);
            }

            foreach (var url in config.Services.Keepgw.InternalURLs.Keys)
            {
                await cluster.StartKeepstoreAsync("the gateway", url, GatewayBufferBytes, listen, cancellationToken);
            }

            await cluster.StartWebAsync(listen, cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Answers requests in progress and stops, last started first.</summary>
    public async ValueTask DisposeAsync()
    {
        await CheckpointAsync();
        for (var i = _running.Count - 1; i >= 0; i--)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await _running[i].Stop(limit.Token);
            await _running[i].Server.DisposeAsync();
        }

        _running.Clear();
        await _hashing.DisposeAsync();
    }

    // Afterwards there is no keepstore to store it.
    private async Task CheckpointAsync()
    {
        if (AdminToken.Length == 0 || _running.Find(entry => entry.Server is CatalogServer).Server is not CatalogServer catalog)
        {
            return;
        }

        using var limit = new CancellationTokenSource(LastCheckpointLimit);
        try
        {
            await catalog.CheckpointAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"keepfs: what changed since the catalogue's last checkpoint was not stored within {LastCheckpointLimit.TotalSeconds} s; the next start will");
        }
    }

    private async Task StartCatalogAsync(DataFolder data, UpOptions options, CancellationToken cancellationToken)
    {
        var endpoint = Endpoint(Config.Services.Controller.ExternalURL, options.Listen);
        CatalogServer server;
        try
        {
            server = CatalogServer.Create(Config, new CatalogServerOptions { Listen = endpoint, IsTestMode = options.IsTestMode, Errors = _errors }, _certificate, TimeProvider.System, _loggers);
        }
        catch (InvalidOperationException e)
        {
            throw new CommandException($"the catalogue did not start: {e.Message}", 1, e);
        }

        await RunAsync("the catalogue", endpoint, server, server.StartAsync, server.StopAsync, cancellationToken);
        var (uuid, secret) = data.AdminToken(Config.ClusterId);
        AdminToken = await server.EnsureUserAsync(UserName(), admin: true, uuid, secret, cancellationToken);
    }

    private async Task StartKeepstoreAsync(string name, string url, long bufferBytes, IPAddress listen, CancellationToken cancellationToken)
    {
        var endpoint = Endpoint(url, listen);
        var server = KeepstoreServer.Create(Config, url, new KeepstoreServerOptions
        {
            Listen = endpoint,
            Certificate = CertificateFor(url),
            LoggerFactory = _loggers,
            Errors = _errors,
            Buffers = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = bufferBytes }),
            Hashing = _hashing,
        });
        await RunAsync(name, endpoint, server, server.StartAsync, server.StopAsync, cancellationToken);
    }

    private async Task StartWebAsync(IPAddress listen, CancellationToken cancellationToken)
    {
        var endpoint = Endpoint(Config.Services.WebDAV.ExternalURL, listen);
        var server = KeepWebServer.Create(Config, new KeepWebServerOptions
        {
            Listen = endpoint,
            Certificate = CertificateFor(Config.Services.WebDAV.ExternalURL),
            ApiRoot = new Uri(Config.Services.Controller.ExternalURL),
            LoggerFactory = _loggers,
            Errors = _errors,
            Hashing = _hashing,
        });
        await RunAsync("keep-web", endpoint, server, server.StartAsync, server.StopAsync, cancellationToken);
    }

    private async Task RunAsync(
        string name, IPEndPoint endpoint, IAsyncDisposable server, Func<CancellationToken, Task> start, Func<CancellationToken, Task> stop, CancellationToken cancellationToken)
    {
        try
        {
            await start(cancellationToken);
        }
        catch (Exception e)
        {
            await server.DisposeAsync();
            throw IsAddressInUse(e)
                ? new CommandException($"Port {endpoint.Port} on {endpoint.Address}, wanted for {name}, is in use by another program. Stop that, or choose other ports with --port-base.", 1, e)
                : e is SocketException or IOException ? new CommandException($"{name} cannot listen on {endpoint}: {e.Message}", 1, e) : new CommandException($"{name} did not start: {e.Message}", 1, e);
        }

        _running.Add((name, server, stop));
    }

    private ServerCertificate? CertificateFor(string url) => url.StartsWith("https:", StringComparison.Ordinal) ? _certificate : null;

    private static bool IsAddressInUse(Exception? e) =>
        e is not null && (e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } || IsAddressInUse(e.InnerException));

    private static IPEndPoint Endpoint(string url, IPAddress listen) => new(listen, new Uri(url).Port);

    private static ServerCertificate LoadCertificate(TlsConfig tls, ILoggerFactory loggers)
    {
        try
        {
            return ServerCertificate.FromPem(tls.CertificatePath, tls.KeyPath, TimeProvider.System, loggers.CreateLogger<LocalCluster>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new CommandException($"TLS.Certificate {tls.CertificatePath} with TLS.Key {tls.KeyPath} cannot be used: {e.Message}", 1, e);
        }
    }

    /// <summary>The local user's name, reduced to what a username may be.</summary>
    private static string UserName()
    {
        var name = string.Concat(Environment.UserName.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        return name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : "admin";
    }
}
