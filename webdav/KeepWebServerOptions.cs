using System.Net;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Hosting.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.WebDav;

/// <summary>What the program around a <see cref="KeepWebServer"/> decides, beside the cluster's configuration.</summary>
public sealed record KeepWebServerOptions
{
    /// <summary>Where to listen; port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Root of the catalogue's API, <c>https://host:port/</c>.</summary>
    public required Uri ApiRoot { get; init; }

    /// <summary>Serves HTTPS (HTTP/1.1 and HTTP/2) with this certificate; null serves HTTP/1.1 without TLS.</summary>
    public ServerCertificate? Certificate { get; init; }

    /// <summary>
    /// Carries requests to the catalogue and the keepstores; owned by the caller, who decides there which certificates are accepted. Null makes one
    /// that verifies them unless TLS.Insecure is set.
    /// </summary>
    public HttpMessageHandler? Outgoing { get; init; }

    /// <summary>
    /// Hashes the blocks of concurrent requests together, shared with other components of the process; outlives the server. Null: each request
    /// hashes its own blocks.
    /// </summary>
    public HashService? Hashing { get; init; }

    /// <summary>The clock of caches and waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where logs go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>What went wrong lately in this process, shown as <c>/_inspect/errors</c>; null shows nothing.</summary>
    public RecentErrors? Errors { get; init; }

    /// <summary>Bytes for blocks that are read: in use and kept. Eight of the largest blocks let several downloads run at once.</summary>
    public long ReadMemoryBytes { get; init; } = 512L << 20;

    /// <summary>Bytes for bodies that are uploaded; apart from reading, so that neither can starve the other.</summary>
    public long WriteMemoryBytes { get; init; } = 512L << 20;

    /// <summary>Uploads and reads that may wait for memory; the next is answered with 503.</summary>
    public int MaxWaitingForMemory { get; init; } = 64;

    /// <summary>
    /// Requests that may wait for their clients at a time, beside those that run: each holds up to 256 KiB that are on their way out, or a body of up
    /// to 1 MiB on its way in, so that all of them together leave some of <see cref="WriteMemoryBytes"/>. With more of them a client that does not
    /// move is answered with 503, or cut off in its download.
    /// </summary>
    public int MaxSlowClients { get; init; } = 400;

    /// <summary>
    /// A client that then has sent less than 240 bytes a second, or taken nothing of what it is sent, is cut off: links that stall for half a minute recover,
    /// connections of machines that are gone do not.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>WebDAVCache.MaxSessions: distinct tokens that are remembered; the least recently used goes first.</summary>
    public int MaxSessions { get; init; } = 100;

    /// <summary>WebDAVCache.TTL: after this time a session asks again who its user is, and a portable data hash is looked up again.</summary>
    public TimeSpan SessionLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>WebDAVCache.MaxCollectionBytes: memory for parsed manifests of all sessions.</summary>
    public long MaxCollectionBytes { get; init; } = 100_000_000;

    /// <summary>Most resources in one answer to PROPFIND with Depth infinity; beyond it the client must go directory by directory.</summary>
    public int MaxInfinitePropfindEntries { get; init; } = 100_000;

    /// <summary>An unfinished multipart upload goes to the trash after this time; well below two weeks, for which the blocks' signatures last.</summary>
    public TimeSpan S3UploadLifetime { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Pause before the first retry of a request to the catalogue or a keepstore.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);
}
