using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Blocks that are parts of objects in a store that is not Keep's (keep-gateway.md). A local index tells which objects have the content of
/// a hash; every read is verified, and a candidate that is gone, changed or away is followed by the next. Read-only: the store is
/// never written. Trashing and untrashing find nothing.
/// </summary>
public sealed partial class GatewayVolume : IVerifyingVolume
{
    private const int IndexThreads = 8;
    private const int MaxWaiting = 1024;
    private readonly GatewayIndex _index;
    private readonly IObjectSource _source;
    private readonly GatewayVolumeOptions _options;
    private readonly IGatewayEvents _events;
    private readonly DiskThreads _threads;
    private readonly SemaphoreSlim _remoteReads;
    private readonly SharedReads _shared = new();
    private readonly GatewayCensus _census;
    private readonly RecentHashes _reordered;
    private readonly RecentHashes _reported;
    private int _isCounting;
    private int _isDisposed;

    /// <summary>Opens the volume, which owns the source from then on.</summary>
    public GatewayVolume(GatewayIndex index, IObjectSource source, GatewayVolumeOptions options, IGatewayEvents events)
    {
        (_index, _source, _options, _events) = (index, source, options, events);
        _threads = new DiskThreads(index.Directory, IndexThreads, MaxWaiting);
        _remoteReads = new SemaphoreSlim(options.MaxRemoteReads);
        _census = new GatewayCensus(index, options.Time);
        _reordered = new RecentHashes(options.Time);
        _reported = new RecentHashes(options.Time);
    }

    /// <inheritdoc/>
    public string DeviceId => _source.DeviceId;

    /// <summary>What happened so far.</summary>
    public GatewayCounters Counters { get; } = new();

    /// <inheritdoc/>
    public ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken) =>
        ReadVerifiedAsync(hash, 0, destination, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> ReadVerifiedAsync(BlockHash hash, int sizeHintBytes, Memory<byte> destination, CancellationToken cancellationToken) =>
        hash == BlockHash.Empty
            ? ValueTask.FromResult<long?>(0)
            : _shared.ReadAsync((hash, sizeHintBytes), destination, (memory, token) => ReadCandidatesAsync(hash, sizeHintBytes, memory, token), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        var copy = new byte[expected.Length];
        return await ReadVerifiedAsync(hash, expected.Length, copy, cancellationToken) is null ? CopyState.Absent
            : copy.AsSpan().SequenceEqual(expected.Span) ? CopyState.Identical
            : CopyState.Collision;
    }

    /// <summary>Always refused.</summary>
    /// <exception cref="KeepException">BadRequest.</exception>
    public ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        throw new KeepException(KeepErrorKind.BadRequest, $"{DeviceId} is served by a gateway, which only reads.");

    /// <summary>Touches the mapping; the objects themselves are not Keep's.</summary>
    public ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken) => RunAsync(
        () => _index.Load(hash).Count > 0 && _index.Touch(hash, (_options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken) =>
        RunAsync(() => _index.Load(hash).Count > 0 ? _index.MtimeOf(hash) : null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TrashOutcome> TrashAsync(BlockHash hash, CancellationToken cancellationToken) => ValueTask.FromResult(TrashOutcome.NotFound);

    /// <inheritdoc/>
    public ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken) => ValueTask.FromResult(false);

    /// <inheritdoc/>
    public ValueTask<TrashTotals> EmptyTrashAsync(int concurrency, CancellationToken cancellationToken) => ValueTask.FromResult(default(TrashTotals));

    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // One of the 4096 directories at a time, so that a large index takes little memory.
        var digits = prefix.Length < DirectoryLayout.DirectoryNameLength ? prefix : prefix[..DirectoryLayout.DirectoryNameLength];
        foreach (var directory in await RunAsync(() => _index.Directories().ToList(), cancellationToken))
        {
            if (!directory.StartsWith(digits, StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var entry in await RunAsync(() => _index.ListDirectory(directory, prefix).ToList(), cancellationToken))
            {
                yield return entry.Entry;
            }
        }
    }

    /// <summary>Unknown: the store is somebody else's.</summary>
    public VolumeSpace? GetSpace() => null;

    /// <summary>How much the index holds, counted now; directories that did not change since the last time are not read again.</summary>
    public ValueTask<IndexTotals> CountAsync(CancellationToken cancellationToken) => RunAsync(_census.Count, cancellationToken);

    /// <summary>The last count, for those who cannot wait. When it is older than a minute, or there is none, a new one starts.</summary>
    public IndexTotals LastCount()
    {
        if (_census.IsOld && Interlocked.CompareExchange(ref _isCounting, 1, 0) == 0)
        {
            _ = CountQuietlyAsync();
        }

        return _census.Last;
    }

    /// <summary>The last scan that ended, if any.</summary>
    public ValueTask<ScanSummary?> GetLastScanAsync(CancellationToken cancellationToken) => RunAsync(() => ScanSummary.Read(_index), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _threads.DisposeAsync();
        await _source.DisposeAsync();
        _remoteReads.Dispose();
    }

    private async Task CountQuietlyAsync()
    {
        try
        {
            await CountAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is KeepException or InvalidOperationException)
        {
            // The index cannot be read now, which every read will tell; or the volume was disposed of.
        }
        finally
        {
            Volatile.Write(ref _isCounting, 0);
        }
    }

    private async ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await _threads.RunAsync(work, cancellationToken);
        }
        catch (DiskException e)
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"Index {_index.Directory}: {e.Message}", e);
        }
    }
}
