using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Client;

/// <summary>
/// Verified blocks in memory in front of an <see cref="IBlockSource"/>: each block is fetched once for all readers that want it at the same time
/// (single flight), kept by use within a byte budget, and given back when the pool needs the memory. Failures are not remembered.
/// </summary>
public sealed class CachedBlockStore : IBlockStore, IAsyncDisposable
{
    /// <summary>Blocks that are looked at for one to reuse: a look, not a search.</summary>
    private const int MaxLookedAt = 16;

    /// <summary>Four readers with all their blocks ahead.</summary>
    private const int AwaitedFetches = 32;

    private readonly IBlockSource _source;
    private readonly BlockBufferPool _pool;
    private readonly BlockCacheOptions _options;
    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<BlockHash, Entry> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _keptBytes;
    private int _prefetches;
    private long _fetched;
    private long _hits;
    private long _misses;

    /// <summary>Creates the cache and registers it as the pool's reclaimer: one cache per pool.</summary>
    public CachedBlockStore(IBlockSource source, BlockBufferPool pool, BlockCacheOptions options)
    {
        (_source, _pool, _options) = (source, pool, options);
        pool.SetReclaimer(Reclaim);
    }

    /// <summary>Reads answered from memory, or by a fetch that was already under way.</summary>
    public long Hits => Interlocked.Read(ref _hits);

    /// <summary>Reads that started a fetch.</summary>
    public long Misses => Interlocked.Read(ref _misses);

    /// <inheritdoc/>
    public async ValueTask<BlockLease> ReadAsync(Locator locator, int offset, int length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)offset + length, locator.SizeBytes, nameof(length));
        if (length == 0)
        {
            return BlockLease.Unowned(default);
        }

        Entry entry;
        lock (_lock)
        {
            if (_entries.TryGetValue(locator.Hash, out var found))
            {
                _hits++;
                if (found.Buffer is { } buffer)
                {
                    Touch(found, length);
                    buffer.AddReference();
                    return new BlockLease(buffer, offset, length);
                }

                found.ReadBytes += length;
                entry = found;
            }
            else
            {
                _misses++;
                entry = Start(locator, null);
                entry.ReadBytes += length;
            }

            entry.Waiting++;
        }

        return new BlockLease(await WaitAsync(entry, cancellationToken), offset, length);
    }

    /// <summary>As <see cref="ReadAsync"/>, but null when the block is not in memory now.</summary>
    internal BlockLease? TryRead(Locator locator, int offset, int length)
    {
        lock (_lock)
        {
            if (length == 0 || !_entries.TryGetValue(locator.Hash, out var found) || found.Buffer is not { } buffer)
            {
                return null;
            }

            _hits++;
            Touch(found, length);
            buffer.AddReference();
            return new BlockLease(buffer, offset, length);
        }
    }

    /// <inheritdoc/>
    public void Prefetch(IReadOnlyList<Locator> next)
    {
        List<Locator> missing;
        lock (_lock)
        {
            missing = [.. next.Where(locator => !_entries.ContainsKey(locator.Hash) && locator.SizeBytes > 0)];
        }

        // Blocks that come together are verified together, which costs a part of what it costs one by one; but nobody is to wait for the next one because of that.
        if (missing.Count > 0 && (missing.Count * 2 >= next.Count || missing[0] == next[0]))
        {
            foreach (var locator in missing)
            {
                Prefetch(locator);
            }
        }
    }

    /// <summary>Ends fetches under way and gives all memory back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        while (true)
        {
            Task? running;
            List<BlockBuffer> dropped;
            lock (_lock)
            {
                running = _entries.Values.FirstOrDefault(entry => entry.Buffer is null)?.Done.Task;
                dropped = EvictUntil(long.MaxValue, static _ => true);
            }

            dropped.ForEach(buffer => buffer.Release());
            if (running is null)
            {
                break;
            }

            await running.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        _closing.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions options, CancellationToken cancellationToken) =>
        _source.WriteAsync(data, options, cancellationToken);

    private void Prefetch(Locator locator)
    {
        lock (_lock)
        {
            if (_entries.ContainsKey(locator.Hash) || _prefetches >= _options.MaxPrefetches || _closing.IsCancellationRequested)
            {
                return;
            }

            _prefetches++;
        }

        // What another reader awaits is not dropped for what this one will want later.
        ReuseWhatWasRead(locator.SizeBytes);
        var buffer = _pool.TryRentFree(locator.SizeBytes) ?? (DropUnawaited(locator.SizeBytes) ? _pool.TryRentFree(locator.SizeBytes) : null);
        lock (_lock)
        {
            if (buffer is null || _entries.ContainsKey(locator.Hash))
            {
                _prefetches--;
            }
            else
            {
                Start(locator, buffer);
                return;
            }
        }

        buffer?.Release();
    }

    private async Task<BlockBuffer> WaitAsync(Entry entry, CancellationToken cancellationToken)
    {
        try
        {
            // A reader that gives up must not end the fetch for the others.
            return await entry.Done.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            BlockBuffer? mine = null;
            lock (_lock)
            {
                if (entry.Buffer is null)
                {
                    entry.Waiting--;
                }
                else
                {
                    // The fetch finished first and already took a reference for us.
                    mine = entry.Buffer;
                }
            }

            mine?.Release();
            throw;
        }
    }

    /// <summary>Adds the entry and starts its fetch; called under the lock.</summary>
    private Entry Start(Locator locator, BlockBuffer? prefetchInto)
    {
        var entry = new Entry(locator);
        _entries.Add(locator.Hash, entry);
        ThreadPool.UnsafeQueueUserWorkItem(static state => _ = state.Cache.FetchAsync(state.Entry, state.Buffer), (Cache: this, Entry: entry, Buffer: prefetchInto), preferLocal: false);
        return entry;
    }

    private async Task FetchAsync(Entry entry, BlockBuffer? buffer)
    {
        var isPrefetch = buffer is not null;
        try
        {
            if (buffer is null)
            {
                ReuseWhatWasRead(entry.Locator.SizeBytes);
            }

            buffer ??= await _pool.RentAsync(entry.Locator.SizeBytes, _closing.Token);
            await _source.FetchAsync(entry.Locator, buffer, _closing.Token);
            Complete(entry, buffer, isPrefetch);
        }
        catch (Exception e)
        {
            lock (_lock)
            {
                _entries.Remove(entry.Locator.Hash);
                _prefetches -= isPrefetch ? 1 : 0;
            }

            buffer?.Release();
            entry.Done.TrySetException(e);

            // A prefetch that nobody waited for fails silently; the reader will ask again and see the error.
            _ = entry.Done.Task.Exception;
        }
    }

    private void Complete(Entry entry, BlockBuffer buffer, bool isPrefetch)
    {
        List<BlockBuffer> dropped;
        lock (_lock)
        {
            _prefetches -= isPrefetch ? 1 : 0;
            for (var i = 0; i < entry.Waiting; i++)
            {
                buffer.AddReference();
            }

            entry.Buffer = buffer;
            entry.Number = ++_fetched;
            entry.ByUse = _byUse.AddLast(entry);
            _keptBytes += buffer.CapacityBytes;
            dropped = EvictUntil(_keptBytes - _options.CapacityBytes, static _ => true);
        }

        entry.Done.TrySetResult(buffer);
        dropped.ForEach(old => old.Release());
    }

    /// <summary>Memory that was used a moment ago costs nothing; memory that was never used costs as much as hashing the block.</summary>
    private void ReuseWhatWasRead(int bytes)
    {
        if (!_options.ReusesWhatWasRead || _pool.HasUsed(bytes))
        {
            return;
        }

        BlockBuffer? dropped = null;
        lock (_lock)
        {
            var node = _byUse.First;
            for (var i = 0; node is not null && i < MaxLookedAt; (node, i) = (node.Next, i + 1))
            {
                if (node.Value is { Buffer: { IsShared: false } buffer } entry && buffer.CapacityBytes >= bytes && entry.ReadBytes >= buffer.Length)
                {
                    dropped = Remove(entry);
                    break;
                }
            }
        }

        dropped?.Release();
    }

    // Dropping a block that somebody still reads would free nothing now.
    private bool Reclaim(long wantedBytes) => Drop(wantedBytes, static buffer => !buffer.IsShared) > 0;

    private bool DropUnawaited(long wantedBytes) => Drop(wantedBytes, static buffer => !buffer.IsShared, onlyUnawaited: true) > 0;

    private int Drop(long bytes, Func<BlockBuffer, bool> mayDrop, bool onlyUnawaited = false)
    {
        List<BlockBuffer> dropped;
        lock (_lock)
        {
            dropped = EvictUntil(bytes, mayDrop, onlyUnawaited);
        }

        dropped.ForEach(buffer => buffer.Release());
        return dropped.Count;
    }

    /// <summary>
    /// Takes blocks out until the bytes are met, the least recently used first, and those that are awaited last; the caller releases them after leaving the lock.
    /// </summary>
    private List<BlockBuffer> EvictUntil(long bytes, Func<BlockBuffer, bool> mayDrop, bool onlyUnawaited = false)
    {
        var dropped = new List<BlockBuffer>();
        Evict(entry => !IsAwaited(entry));
        if (!onlyUnawaited)
        {
            Evict(static _ => true);
        }

        return dropped;

        void Evict(Func<Entry, bool> suits)
        {
            for (var node = _byUse.First; node is not null && bytes > 0;)
            {
                var (entry, next) = (node.Value, node.Next);
                if (suits(entry) && mayDrop(entry.Buffer!))
                {
                    bytes -= entry.Buffer!.CapacityBytes;
                    dropped.Add(Remove(entry));
                }

                node = next;
            }
        }
    }

    /// <summary>Fetched ahead of a reader who has not come to it yet: whoever drops it fetches it twice. A reader who has not come after that many others were fetched may have gone.</summary>
    private bool IsAwaited(Entry entry) => entry.ReadBytes == 0 && _fetched - entry.Number < AwaitedFetches;

    /// <summary>Under the lock: takes a block out; the caller releases what is returned after leaving it.</summary>
    private BlockBuffer Remove(Entry entry)
    {
        _byUse.Remove(entry.ByUse!);
        _entries.Remove(entry.Locator.Hash);
        _keptBytes -= entry.Buffer!.CapacityBytes;
        return entry.Buffer;
    }

    private void Touch(Entry entry, int readBytes)
    {
        entry.ReadBytes += readBytes;
        if (entry.ByUse is { } node && node != _byUse.Last)
        {
            _byUse.Remove(node);
            _byUse.AddLast(node);
        }
    }

    private sealed class Entry(Locator locator)
    {
        public Locator Locator { get; } = locator;

        public TaskCompletionSource<BlockBuffer> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Set, with one reference of the cache's own, when the fetch has succeeded.</summary>
        public BlockBuffer? Buffer { get; set; }

        public LinkedListNode<Entry>? ByUse { get; set; }

        /// <summary>How many were fetched before it.</summary>
        public long Number { get; set; }

        /// <summary>All that readers asked for.</summary>
        public long ReadBytes { get; set; }

        /// <summary>Readers that wait for the fetch and each get a reference when it succeeds.</summary>
        public int Waiting { get; set; }
    }
}
