namespace KeepFs.Engine.Client;

/// <summary>Limits of a <see cref="CachedBlockStore"/>.</summary>
public sealed record BlockCacheOptions
{
    /// <summary>Bytes kept after the last reader left; at most what the pool's budget allows. 256 MiB as in the original clients.</summary>
    public long CapacityBytes { get; init; } = 256L << 20;

    /// <summary>Read-ahead fetches under way at once; two keep a disk or a link busy while one is being consumed.</summary>
    public int MaxPrefetches { get; init; } = 4;
}
