using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// A place that keeps blocks under their hash (keepstore-http.md 11). A volume trusts its caller that the bytes fit the hash and
/// verifies nothing on read: the layer above always does. Safe for concurrent use. What is absent is a value; disk and network
/// trouble is a <see cref="KeepException"/> of kind <see cref="KeepErrorKind.Unavailable"/> or <see cref="KeepErrorKind.Full"/>.
/// Memory that a caller passes in is not touched any more once the returned task is complete, cancelled or not.
/// </summary>
public interface IVolume : IAsyncDisposable
{
    /// <summary>Equal for two volumes exactly when they are the same storage reached in two ways.</summary>
    string DeviceId { get; }

    /// <summary>
    /// Reads a whole block. Returns its stored size, or null when there is none. A block larger than
    /// <paramref name="destination"/> is not read: only its size is returned, so that the caller can come back with enough room.
    /// </summary>
    ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Compares the stored copy with the bytes that it should have, without memory for a second block.</summary>
    ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken);

    /// <summary>
    /// Stores a block, replacing what is there, with mtime now. Returns when bytes and name are on stable storage. A failure leaves
    /// the previous copy or, when only the last step failed, the complete new one; never a part.
    /// </summary>
    /// <exception cref="KeepException"><see cref="KeepErrorKind.Full"/>: no room.</exception>
    ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Sets the mtime to now and makes copy and mtime durable; false when the block is not there (any more).</summary>
    ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken);

    /// <summary>Nanoseconds since the epoch of the last write or touch; null when the block is not there.</summary>
    ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken);

    /// <summary>Moves a block to the trash, or deletes it when the trash lifetime is zero, unless it is too young (9.2).</summary>
    ValueTask<TrashOutcome> TrashAsync(BlockHash hash, CancellationToken cancellationToken);

    /// <summary>
    /// Brings a block back from the trash with its old mtime; false when the trash has none. A copy that is present is never
    /// replaced (the one in the trash may be the bad one): that too is true.
    /// </summary>
    ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken);

    /// <summary>Deletes trash whose time is over, at most <paramref name="concurrency"/> at once. Failures are counted and do not stop it.</summary>
    ValueTask<TrashTotals> EmptyTrashAsync(int concurrency, CancellationToken cancellationToken);

    /// <summary>
    /// Lists the blocks whose hash starts with <paramref name="prefix"/> (lower-case hex, may be empty) in hash order. Throws rather
    /// than ending early: a listing that ended without an exception is complete.
    /// </summary>
    IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Room for unprivileged writers, or null when it cannot be found out.</summary>
    VolumeSpace? GetSpace();
}

/// <summary>One stored block.</summary>
/// <param name="Hash">Its name.</param>
/// <param name="SizeBytes">Its stored size.</param>
/// <param name="MtimeNanoseconds">Since the epoch.</param>
public readonly record struct IndexEntry(BlockHash Hash, long SizeBytes, long MtimeNanoseconds);

/// <summary>Room on a volume, in bytes.</summary>
public readonly record struct VolumeSpace(long FreeBytes, long TotalBytes);

/// <summary>How a stored copy relates to the bytes it should have (keepstore-http.md 6.1).</summary>
public enum CopyState
{
    /// <summary>There is no copy.</summary>
    Absent,

    /// <summary>The same bytes.</summary>
    Identical,

    /// <summary>Other bytes that do not have the hash: writing the block repairs it.</summary>
    Corrupt,

    /// <summary>Other bytes that do have the hash.</summary>
    Collision,
}

/// <summary>What became of a block that was to be trashed.</summary>
public enum TrashOutcome
{
    /// <summary>There was none.</summary>
    NotFound,

    /// <summary>Touched too recently; it was kept.</summary>
    TooYoung,

    /// <summary>It is gone from reads and from the index.</summary>
    Trashed,
}

/// <summary>Totals of one round of emptying the trash.</summary>
public readonly record struct TrashTotals(long DeletedBlocks, long DeletedBytes, long KeptBlocks, long KeptBytes, long StaleTemporaryFiles, long Failures)
{
    /// <summary>Adds up parts of a round.</summary>
    public static TrashTotals operator +(TrashTotals a, TrashTotals b) => new(
        a.DeletedBlocks + b.DeletedBlocks,
        a.DeletedBytes + b.DeletedBytes,
        a.KeptBlocks + b.KeptBlocks,
        a.KeptBytes + b.KeptBytes,
        a.StaleTemporaryFiles + b.StaleTemporaryFiles,
        a.Failures + b.Failures);
}
