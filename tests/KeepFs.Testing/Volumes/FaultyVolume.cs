using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Testing.Volumes;

/// <summary>A volume that fails on order; otherwise the one inside.</summary>
public sealed class FaultyVolume(IVolume inner) : IVolume
{
    /// <summary>What every read, comparison, touch and time query fails with.</summary>
    public KeepErrorKind? ReadsFailWith { get; set; }

    /// <summary>What every write fails with.</summary>
    public KeepErrorKind? WritesFailWith { get; set; }

    /// <summary>Touches report that the block is not there (trash won the race).</summary>
    public bool TouchesMiss { get; set; }

    /// <summary>Writes done.</summary>
    public int Writes { get; private set; }

    /// <inheritdoc/>
    public string DeviceId => inner.DeviceId;

    /// <inheritdoc/>
    public ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken) =>
        Unless(ReadsFailWith).ReadAsync(hash, destination, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken) =>
        Unless(ReadsFailWith).CompareAsync(hash, expected, cancellationToken);

    /// <inheritdoc/>
    public ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var volume = Unless(WritesFailWith);
        Writes++;
        return volume.WriteAsync(hash, data, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken) =>
        TouchesMiss ? ValueTask.FromResult(false) : Unless(ReadsFailWith).TouchAsync(hash, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken) =>
        Unless(ReadsFailWith).GetMtimeAsync(hash, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TrashOutcome> TrashAsync(BlockHash hash, CancellationToken cancellationToken) =>
        Unless(WritesFailWith).TrashAsync(hash, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken) =>
        Unless(WritesFailWith).UntrashAsync(hash, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TrashTotals> EmptyTrashAsync(int concurrency, CancellationToken cancellationToken) =>
        Unless(WritesFailWith).EmptyTrashAsync(concurrency, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, CancellationToken cancellationToken) =>
        Unless(ReadsFailWith).IndexAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public VolumeSpace? GetSpace() => inner.GetSpace();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private IVolume Unless(KeepErrorKind? kind) => kind is null ? inner : throw new KeepException(kind.Value, "This volume was made to fail.");
}
