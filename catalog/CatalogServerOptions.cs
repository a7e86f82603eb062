using System.Net;
using KeepFs.Hosting.Http;

namespace KeepFs.Catalog;

/// <summary>How a <see cref="CatalogServer"/> runs; what it serves stands in the cluster configuration.</summary>
public sealed record CatalogServerOptions
{
    /// <summary>Where to listen; port 0 takes a free one (see <see cref="CatalogServer.Addresses"/>).</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>How long create, update and delete records stay in the log; two weeks, as long as signatures last by default.</summary>
    public TimeSpan AuditLogLifetime { get; init; } = TimeSpan.FromDays(14);

    /// <summary>Admins may put everything back to the state after the last import (<c>POST /database/reset</c>). Never for data that somebody needs.</summary>
    public bool IsTestMode { get; init; }

    /// <summary>How long a stopping server waits for requests in progress.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What went wrong lately in this process, shown as <c>/_inspect/errors</c>; null shows nothing.</summary>
    public RecentErrors? Errors { get; init; }

    /// <summary>Connections at once, idle ones included; more are closed. An idle one costs some 50 KiB with TLS.</summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Clients that listen to events at once; each asks the database after a change.</summary>
    public int MaxEventConnections { get; init; } = 500;

    /// <summary>A listener is told of changes at most once in this time; those in between are told together. People do not see a tenth of a second, and a busy catalogue is asked less often.</summary>
    public TimeSpan EventInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>A listener is asked whether it is still there after this time without a word, and has as long to answer.</summary>
    public TimeSpan EventKeepAlive { get; init; } = TimeSpan.FromSeconds(30);
}
