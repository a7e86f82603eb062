namespace KeepFs.Engine.Mounts;

/// <summary>How much is remembered of what was verified.</summary>
public sealed record VerifiedBlocksOptions
{
    /// <summary>
    /// Most bytes of blocks in memory, counted in whole buffers. Half a gigabyte holds what is hot at a time (eight blocks of 64 MiB, or all
    /// small ones); beyond that the page cache of the system does it for less.
    /// </summary>
    public long CapacityBytes { get; init; } = 512L << 20;

    /// <summary>
    /// How long a block is served from memory without a look at its volume: so long at most, one that somebody else has removed can still
    /// be read here. Its bytes are right in any case.
    /// </summary>
    public TimeSpan TrustedFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Files remembered as verified, at about a hundred bytes each.</summary>
    public int MaxFiles { get; init; } = 100_000;
}
