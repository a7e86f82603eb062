using KeepFs.Engine.Blocks;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>
/// Descriptors of cached blocks, at most a fixed number, the least recently used one closed first. None is kept for longer than an interval: a
/// descriptor of a file that was removed holds its space, and opening again is when its use is written down. Safe for concurrent use.
/// </summary>
internal sealed class OpenBlocks : IDisposable
{
    private readonly Lock _lock = new();
    private readonly int _capacity;
    private readonly ITimer _timer;
    private readonly Dictionary<BlockHash, LinkedListNode<(BlockHash Hash, SafeFileHandle File)>> _files = [];
    private readonly LinkedList<(BlockHash Hash, SafeFileHandle File)> _byUse = new();

    public OpenBlocks(int capacity, TimeSpan interval, TimeProvider time)
    {
        _capacity = capacity;
        _timer = time.CreateTimer(static state => ((OpenBlocks)state!).CloseAll(), this, interval, interval);
    }

    /// <summary>An open descriptor. It may be closed at any moment, which a reader sees as <see cref="ObjectDisposedException"/> and asks again.</summary>
    public SafeFileHandle? Find(BlockHash hash)
    {
        lock (_lock)
        {
            if (!_files.TryGetValue(hash, out var node))
            {
                return null;
            }

            if (node != _byUse.Last)
            {
                _byUse.Remove(node);
                _byUse.AddLast(node);
            }

            return node.Value.File;
        }
    }

    /// <summary>Takes over a descriptor; returns the one to use, which is another one when two opened at once.</summary>
    public SafeFileHandle Add(BlockHash hash, SafeFileHandle file)
    {
        SafeFileHandle? closing = null;
        var result = file;
        lock (_lock)
        {
            if (_files.TryGetValue(hash, out var other))
            {
                (closing, result) = (file, other.Value.File);
            }
            else
            {
                _files.Add(hash, _byUse.AddLast((hash, file)));
                if (_files.Count > _capacity)
                {
                    closing = TakeOut(_byUse.First!);
                }
            }
        }

        closing?.Dispose();
        return result;
    }

    /// <summary>Forgets a block whose file is gone or wrong.</summary>
    public void Drop(BlockHash hash)
    {
        SafeFileHandle? closing = null;
        lock (_lock)
        {
            if (_files.TryGetValue(hash, out var node))
            {
                closing = TakeOut(node);
            }
        }

        closing?.Dispose();
    }

    public void Dispose()
    {
        _timer.Dispose();
        CloseAll();
    }

    private void CloseAll()
    {
        lock (_lock)
        {
            while (_byUse.First is { } first)
            {
                TakeOut(first).Dispose();
            }
        }
    }

    private SafeFileHandle TakeOut(LinkedListNode<(BlockHash Hash, SafeFileHandle File)> node)
    {
        _byUse.Remove(node);
        _files.Remove(node.Value.Hash);
        return node.Value.File;
    }
}
