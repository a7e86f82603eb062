using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Http;
using KeepFs.WebDav.S3;
using KeepFs.WebDav.Sessions;

namespace KeepFs.WebDav;

/// <summary>Numbers of <c>/metrics</c> (keep-web.md 6): the sessions, and what the memory budgets hold.</summary>
internal sealed class KeepWebMetrics(SessionTable sessions, ManifestCache manifests, BlockBufferPool readBuffers, BlockBufferPool writeBuffers, RequestLimiter limiter,
    S3Metrics s3)
{
    public void Write(MetricsText text)
    {
        text
        .Gauge("arvados_keepweb_sessions_cached_session_bytes", "Bytes of parsed manifests.", manifests.Bytes)
        .Gauge("arvados_keepweb_sessions_active", "Tokens remembered.", sessions.Count)
        .Counter("arvados_keepweb_sessions_hits", "Requests of a remembered token.", sessions.Hits)
        .Counter("arvados_keepweb_sessions_misses", "Requests of a new token.", sessions.Misses)
        .Gauge("keepfs_keepweb_read_buffer_bytes", "Block memory in use for reading.", readBuffers.OutBytes)
        .Gauge("keepfs_keepweb_write_buffer_bytes", "Block memory in use for uploads.", writeBuffers.OutBytes)
        .Gauge("arvados_concurrent_requests", "Requests under way.", limiter.Running)
        .Gauge("keepfs_keepweb_requests_aside", "Requests that wait for their clients and let others run.", limiter.Aside)
        .Gauge("arvados_max_concurrent_requests", "Most requests at once.", limiter.MaxConcurrent);
        s3.Write(text);
    }
}
