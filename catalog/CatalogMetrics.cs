using KeepFs.Catalog.Storage;
using KeepFs.Hosting.Http;

namespace KeepFs.Catalog;

/// <summary>What <c>/metrics</c> shows. Request names are Arvados's; the rest is ours.</summary>
internal sealed class CatalogMetrics(RequestLimiter limiter, LoginLimiter logins, CatalogDatabase database)
{
    public void Write(MetricsText text)
    {
        text.Gauge("arvados_concurrent_requests", "Number of requests in progress", limiter.Running);
        text.Gauge("arvados_max_concurrent_requests", "Maximum number of concurrent requests", limiter.MaxConcurrent);
        text.Gauge("arvados_queued_requests", "Number of requests in queue", limiter.Queued.High, ("priority", "high"));
        text.Gauge("arvados_queued_requests", "Number of requests in queue", limiter.Queued.Low, ("priority", "low"));
        text.Gauge("keepfs_catalog_wrong_token_addresses", "Addresses that presented wrong tokens lately", logins.Addresses);
        text.Counter("keepfs_catalog_logins_held_total", "Requests refused because of too many wrong tokens from their address", logins.Held);
        text.Counter("keepfs_catalog_commits_total", "Transactions that reached stable storage", database.Commits);
        text.Counter("keepfs_catalog_writes_total", "Writes in those transactions", database.Writes);
    }
}
