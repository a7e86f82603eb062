using System.Net;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.KeepstoreHost;

/// <summary>What the program around a <see cref="KeepstoreServer"/> decides, beside the cluster's configuration.</summary>
public sealed record KeepstoreServerOptions
{
    /// <summary>Where to listen; null = host and port of ListenURL or of the server's URL. Port 0 takes a free one.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Serves HTTPS with this certificate; null serves HTTP.</summary>
    public ServerCertificate? Certificate { get; init; }

    /// <summary>The clock of signatures, mtimes and trash.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where logs go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>What went wrong lately in this process, shown as <c>/_inspect/errors</c>; null shows nothing.</summary>
    public RecentErrors? Errors { get; init; }

    /// <summary>
    /// The memory budget for blocks, shared with other components of the process. Null makes one of API.MaxKeepBlobBuffers blocks of
    /// 64 MiB, but never more than half of the memory that this process may use.
    /// </summary>
    public BlockBufferPool? Buffers { get; init; }

    /// <summary>The file that the cluster's configuration was read from, for <c>/metrics</c>.</summary>
    public ConfigSource? ConfigSource { get; init; }

    /// <summary>What is kept of verified blocks, from the same memory.</summary>
    public VerifiedBlocksOptions Verified { get; init; } = new();

    /// <summary>A client that sends or takes nothing for so long is cut off: links that stall for half a minute recover, a machine that is gone must not keep a buffer.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Serves <c>/status.json</c> to everybody, as keepstores did until 2.7.</summary>
    public bool ServesStatus { get; init; }

    /// <summary>
    /// Hashes the blocks of concurrent requests together, shared with other components of the process; outlives the server. Null: each request
    /// hashes its own block.
    /// </summary>
    public HashService? Hashing { get; init; }

    /// <summary>How it scrubs, as far as the cluster's configuration does not say.</summary>
    public ScrubOptions Scrub { get; init; } = new();
}
