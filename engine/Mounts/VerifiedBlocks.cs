using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>
/// Blocks in memory whose hash was checked, so that what is asked for often is neither read nor hashed again. The bytes cannot have changed:
/// they are our own copy, and nobody writes to it. That the block is still on its volume is looked up again when the copy is older than
/// <see cref="VerifiedBlocksOptions.TrustedFor"/>. Borrows from the pool and gives back when somebody needs the memory. Safe for concurrent use.
/// </summary>
public sealed class VerifiedBlocks : IDisposable
{
    private readonly VerifiedBlocksOptions _options;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<BlockHash, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _keptBytes;
    private long _hits;

    /// <summary>Registers itself as the pool's reclaimer: one per pool.</summary>
    public VerifiedBlocks(BlockBufferPool pool, VerifiedBlocksOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        pool.SetReclaimer(Reclaim);
    }

    /// <summary>Bytes kept now.</summary>
    public long KeptBytes => Interlocked.Read(ref _keptBytes);

    /// <summary>Reads answered from memory so far.</summary>
    public long Hits => Interlocked.Read(ref _hits);

    /// <summary>Whether the block is kept now.</summary>
    public bool Has(BlockHash hash)
    {
        lock (_lock)
        {
            return _entries.ContainsKey(hash);
        }
    }

    /// <summary>The block, with one reference for the caller, or null. What is too old is forgotten.</summary>
    public BlockBuffer? TryGet(BlockHash hash)
    {
        BlockBuffer? old;
        lock (_lock)
        {
            if (!_entries.TryGetValue(hash, out var node))
            {
                return null;
            }

            if (_time.GetElapsedTime(node.Value.Since) < _options.TrustedFor)
            {
                if (node != _byUse.Last)
                {
                    _byUse.Remove(node);
                    _byUse.AddLast(node);
                }

                _hits++;
                node.Value.Buffer.AddReference();
                return node.Value.Buffer;
            }

            old = Take(node);
        }

        old.Release();
        return null;
    }

    /// <summary>Keeps a verified block; takes a reference of its own.</summary>
    public void Add(BlockHash hash, BlockBuffer block)
    {
        if (block.CapacityBytes > _options.CapacityBytes)
        {
            return;
        }

        List<BlockBuffer> dropped = [];
        lock (_lock)
        {
            if (_entries.TryGetValue(hash, out var before))
            {
                dropped.Add(Take(before));
            }

            dropped.AddRange(EvictUntil(_keptBytes + block.CapacityBytes - _options.CapacityBytes, static _ => true));
            block.AddReference();
            _keptBytes += block.CapacityBytes;
            _entries.Add(hash, _byUse.AddLast(new Entry(hash, block, _time.GetTimestamp())));
        }

        dropped.ForEach(static buffer => buffer.Release());
    }

    /// <summary>Forgets a block that leaves its volume.</summary>
    public void Remove(BlockHash hash)
    {
        BlockBuffer? dropped = null;
        lock (_lock)
        {
            if (_entries.TryGetValue(hash, out var node))
            {
                dropped = Take(node);
            }
        }

        dropped?.Release();
    }

    /// <summary>Gives everything back.</summary>
    public void Dispose()
    {
        List<BlockBuffer> dropped;
        lock (_lock)
        {
            dropped = EvictUntil(long.MaxValue, static _ => true);
        }

        dropped.ForEach(static buffer => buffer.Release());
    }

    private bool Reclaim(long wantedBytes)
    {
        List<BlockBuffer> dropped;
        lock (_lock)
        {
            // Dropping a block that somebody still reads would free nothing now.
            dropped = EvictUntil(wantedBytes, static buffer => !buffer.IsShared);
        }

        dropped.ForEach(static buffer => buffer.Release());
        return dropped.Count > 0;
    }

    /// <summary>Takes least recently used blocks out until the bytes are met; the caller releases them after leaving the lock.</summary>
    private List<BlockBuffer> EvictUntil(long bytes, Func<BlockBuffer, bool> mayDrop)
    {
        var dropped = new List<BlockBuffer>();
        for (var node = _byUse.First; node is not null && bytes > 0;)
        {
            var (entry, next) = (node, node.Next);
            if (mayDrop(entry.Value.Buffer))
            {
                bytes -= entry.Value.Buffer.CapacityBytes;
                dropped.Add(Take(entry));
            }

            node = next;
        }

        return dropped;
    }

    private BlockBuffer Take(LinkedListNode<Entry> node)
    {
        _byUse.Remove(node);
        _entries.Remove(node.Value.Hash);
        _keptBytes -= node.Value.Buffer.CapacityBytes;
        return node.Value.Buffer;
    }

    private readonly record struct Entry(BlockHash Hash, BlockBuffer Buffer, long Since);
}
