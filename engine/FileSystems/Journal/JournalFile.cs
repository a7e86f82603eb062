using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>A log or data file being written. <see cref="Length"/> and the counts belong to the chain's lock.</summary>
internal sealed class JournalFile(int number, string path)
{
    private readonly Lock _closing = new();
    private int _holds;
    private bool _closed;

    public int Number { get; } = number;

    public string Path { get; } = path;

    public SafeFileHandle Handle { get; } = ChainFiles.CreateFile(path);

    /// <summary>Bytes given out; the next ones go there.</summary>
    public long Length { get; set; }

    /// <summary>Bytes known to be on stable storage.</summary>
    public long SyncedLength { get; set; }

    /// <summary>When the oldest byte that is not synced came.</summary>
    public long UnsyncedSince { get; set; }

    /// <summary>No more bytes come.</summary>
    public bool IsSealed { get; set; }

    /// <summary>Somebody may still need the bytes: a segment in memory that is not stored, or a write on its way into one.</summary>
    public bool IsNeeded => Volatile.Read(ref _holds) > 0;

    public void Hold() => Interlocked.Increment(ref _holds);

    public void Drop() => Interlocked.Decrement(ref _holds);

    /// <summary>Makes what has been written so far durable. Does nothing for a file that was closed meanwhile.</summary>
    public void Sync()
    {
        lock (_closing)
        {
            if (!_closed)
            {
                RandomAccess.FlushToDisk(Handle);
            }
        }
    }

    /// <summary>False if it was closed already.</summary>
    public bool Close()
    {
        lock (_closing)
        {
            var isFirst = !_closed;
            _closed = true;
            Handle.Dispose();
            return isFirst;
        }
    }
}
