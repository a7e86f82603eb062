namespace KeepFs.Engine.Client;

/// <summary>Limits of a <see cref="CachedBlockStore"/>.</summary>
public sealed record BlockCacheOptions
{
    /// <summary>Bytes kept after the last reader left; at most what the pool's budget allows. 256 MiB as in the original clients.</summary>
    public long CapacityBytes { get; init; } = 256L << 20;

    /// <summary>Read-ahead fetches under way at once: with the block that is waited for they fill the eight lanes in which blocks are verified together.</summary>
    public int MaxPrefetches { get; init; } = 7;

    /// <summary>
    /// A block of which as much was read as it has is given up before memory that was not used yet is taken. For a cache in front of another one that
    /// keeps what was read: who reads on and on then works in the memory of a few blocks.
    /// </summary>
    public bool ReusesWhatWasRead { get; init; }
}
