using System.Net;

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
}
