using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>Settings of a <see cref="GatewayVolume"/>.</summary>
public sealed record GatewayVolumeOptions
{
    /// <summary>Only objects whose key starts with this are served; empty = all.</summary>
    public ObjectKey Prefix { get; init; } = new("");

    /// <summary>Reads from the remote store at once; the next ones wait. One buffer each, so as many as there are buffers.</summary>
    public int MaxRemoteReads { get; init; } = 128;

    /// <summary>A candidate that sends nothing for so long is unavailable.</summary>
    public TimeSpan ProgressTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Hashes blocks of several readers together, owned by the caller; null: each reader hashes its own.</summary>
    public HashService? Hashing { get; init; }

    /// <summary>For timeouts and touches.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
