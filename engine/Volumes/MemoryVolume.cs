using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>A volume in memory, for tests and trials: the same contract as the others except that nothing outlives the process.</summary>
public sealed class MemoryVolume(TrashPolicy trash, string deviceId = "memory", long capacityBytes = long.MaxValue) : IVolume
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<BlockHash, (byte[] Data, long Mtime)> _blocks = [];
    private readonly Dictionary<BlockHash, (byte[] Data, long Mtime, long Deadline)> _trashed = [];

    /// <inheritdoc/>
    public string DeviceId => deviceId;

    /// <inheritdoc/>
    public ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!_blocks.TryGetValue(hash, out var block))
            {
                return new ValueTask<long?>((long?)null);
            }

            if (block.Data.Length <= destination.Length)
            {
                block.Data.CopyTo(destination);
            }

            return new ValueTask<long?>(block.Data.Length);
        }
    }

    /// <inheritdoc/>
    public ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_blocks.TryGetValue(hash, out var block))
            {
                return ValueTask.FromResult(CopyState.Absent);
            }

            using var comparer = new CopyComparer(hash, expected);
            comparer.Append(block.Data);
            return ValueTask.FromResult(comparer.Finish());
        }
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (data.Length > Free())
            {
                throw new KeepException(KeepErrorKind.Full, $"Volume {deviceId} is full.");
            }

            _blocks[hash] = (data.ToArray(), trash.NowNanoseconds);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var found = _blocks.TryGetValue(hash, out var block);
            if (found)
            {
                _blocks[hash] = (block.Data, trash.NowNanoseconds);
            }

            return ValueTask.FromResult(found);
        }
    }

    /// <inheritdoc/>
    public ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new ValueTask<long?>(_blocks.TryGetValue(hash, out var block) ? block.Mtime : null);
        }
    }

    /// <inheritdoc/>
    public ValueTask<TrashOutcome> TrashAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_blocks.TryGetValue(hash, out var block))
            {
                return ValueTask.FromResult(TrashOutcome.NotFound);
            }

            if (trash.IsTooYoung(block.Mtime))
            {
                return ValueTask.FromResult(TrashOutcome.TooYoung);
            }

            _blocks.Remove(hash);
            if (trash.Lifetime > TimeSpan.Zero)
            {
                _trashed[hash] = (block.Data, block.Mtime, trash.DeadlineSeconds);
            }

            return ValueTask.FromResult(TrashOutcome.Trashed);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var found = _trashed.TryGetValue(hash, out var trashed);
            if (found && _blocks.TryAdd(hash, (trashed.Data, trashed.Mtime)))
            {
                _trashed.Remove(hash);
            }

            return ValueTask.FromResult(found);
        }
    }

    /// <inheritdoc/>
    public ValueTask<TrashTotals> EmptyTrashAsync(int concurrency, CancellationToken cancellationToken)
    {
        var now = trash.Time.GetUtcNow().ToUnixTimeSeconds();
        var totals = default(TrashTotals);
        lock (_lock)
        {
            foreach (var (hash, trashed) in _trashed.ToArray())
            {
                var isOver = trashed.Deadline <= now && _trashed.Remove(hash);
                var size = trashed.Data.Length;
                totals += isOver ? new TrashTotals(1, size, 0, 0, 0, 0) : new TrashTotals(0, 0, 1, size, 0, 0);
            }
        }

        return ValueTask.FromResult(totals);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        IndexEntry[] entries;
        lock (_lock)
        {
            entries = [.. from block in _blocks
                          where block.Key.ToString().StartsWith(prefix, StringComparison.Ordinal)
                          select new IndexEntry(block.Key, block.Value.Data.Length, block.Value.Mtime)];
        }

        await ValueTask.CompletedTask;
        foreach (var entry in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return entry;
        }
    }

    /// <inheritdoc/>
    public VolumeSpace? GetSpace()
    {
        lock (_lock)
        {
            return new VolumeSpace(Free(), capacityBytes);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private long Free() => capacityBytes - _blocks.Values.Sum(block => (long)block.Data.Length) - _trashed.Values.Sum(block => (long)block.Data.Length);
}
