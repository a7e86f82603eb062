using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Http;
using KeepFs.WebDav.S3;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Transfers;

namespace KeepFs.WebDav;

/// <summary>Numbers of <c>/metrics</c> (keep-web.md 6): the sessions, and what the memory budgets hold.</summary>
internal sealed class KeepWebMetrics(SessionTable sessions, ManifestCache manifests, BlockBufferPool readBuffers, BlockBufferPool writeBuffers, RequestLimiter limiter,
    S3Metrics s3, TransferOutbox? outbox)
{
    public void Write(MetricsText text)
    {
        text
        .Gauge("arvados_keepweb_sessions_cached_session_bytes", "Bytes of parsed manifests.", manifests.Bytes)
        .Gauge("arvados_keepweb_sessions_active", "Tokens remembered.", sessions.Count)
        .Counter("arvados_keepweb_sessions_hits", "Requests of a remembered token.", sessions.Hits)
        .Counter("arvados_keepweb_sessions_misses", "Requests of a new token.", sessions.Misses)
        .Counter("keepfs_keepweb_looks_total", "Questions to the catalogue about the state of a collection.", manifests.Looks)
        .Gauge("keepfs_keepweb_read_buffer_bytes", "Block memory in use for reading.", readBuffers.OutBytes)
        .Gauge("keepfs_keepweb_write_buffer_bytes", "Block memory in use for uploads.", writeBuffers.OutBytes)
        .Gauge("arvados_concurrent_requests", "Requests under way.", limiter.Running)
        .Gauge("keepfs_keepweb_requests_aside", "Requests that wait for their clients and let others run.", limiter.Aside)
        .Gauge("arvados_max_concurrent_requests", "Most requests at once.", limiter.MaxConcurrent);
        if (outbox is not null)
        {
            text.Counter("keepfs_keepweb_transfer_logs_written", "Log records of transfers in the catalogue.", outbox.Written)
                .Counter("keepfs_keepweb_transfer_logs_lost", "Log records of transfers that could not be written.", outbox.Lost);
        }

        s3.Write(text);
    }
}
