namespace KeepFs.Engine.Blocks;

/// <summary>
/// Where blocks are read and written: the network client, a cache in front of it, or memory. Safe for concurrent use.
/// Nothing unverified leaves a store: data is handed out only after its MD5 has matched the locator.
/// </summary>
public interface IBlockStore
{
    /// <summary>
    /// Reads part of a block. The lease holds exactly <paramref name="length"/> verified bytes and keeps them in memory until it
    /// is disposed; hold it briefly and never while asking for another one.
    /// </summary>
    /// <exception cref="KeepException">No verified copy could be had; <see cref="KeepException.Kind"/> says why.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range lies outside the block.</exception>
    ValueTask<BlockLease> ReadAsync(Locator locator, int offset, int length, CancellationToken cancellationToken);

    /// <summary>Says which blocks will be wanted soon, in this order. Never waits, never fails, may do nothing, or leave it until several are worth fetching together.</summary>
    void Prefetch(IReadOnlyList<Locator> next);

    /// <summary>
    /// Writes one block of at most <see cref="Locator.MaxBlockSizeBytes"/>. Returns when the wanted copies are on stable storage.
    /// The memory must not change until then.
    /// </summary>
    /// <exception cref="KeepException">Fewer copies than wanted; the message says how many and why.</exception>
    ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions options, CancellationToken cancellationToken);
}

/// <summary>What a written block is wanted to have.</summary>
/// <param name="Replicas">Copies; null = the site's default.</param>
/// <param name="StorageClasses">Classes that must each hold the copies; empty = the site's defaults.</param>
public sealed record BlockWriteOptions(int? Replicas, IReadOnlyList<string> StorageClasses)
{
    /// <summary>The site's defaults.</summary>
    public static BlockWriteOptions Default { get; } = new(null, []);
}

/// <summary>A stored block.</summary>
/// <param name="Locator">With the signature that lets the writer read it and save it in a collection.</param>
/// <param name="Replicas">Copies known to be stored.</param>
public readonly record struct WrittenBlock(Locator Locator, int Replicas);
