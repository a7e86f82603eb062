namespace KeepFs.Engine.Mounts;

/// <summary>What a <see cref="Keepstore"/> has met since it started. Every property may be read at any time.</summary>
public sealed class KeepstoreCounters
{
    private long _corruptCopies;
    private long _repairedCopies;
    private long _failedReads;
    private long _failedWrites;
    private long _bytesRead;
    private long _bytesWritten;

    /// <summary>Stored copies whose bytes did not match their hash, each time one was met.</summary>
    public long CorruptCopies => Interlocked.Read(ref _corruptCopies);

    /// <summary>Corrupt copies that a PUT replaced.</summary>
    public long RepairedCopies => Interlocked.Read(ref _repairedCopies);

    /// <summary>Reads that a volume could not do (not: absent, corrupt).</summary>
    public long FailedReads => Interlocked.Read(ref _failedReads);

    /// <summary>Writes that a volume could not do, full ones included.</summary>
    public long FailedWrites => Interlocked.Read(ref _failedWrites);

    /// <summary>Verified bytes read from volumes.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>Bytes stored on volumes.</summary>
    public long BytesWritten => Interlocked.Read(ref _bytesWritten);

    internal void CorruptCopy() => Interlocked.Increment(ref _corruptCopies);

    internal void RepairedCopy() => Interlocked.Increment(ref _repairedCopies);

    internal void FailedRead() => Interlocked.Increment(ref _failedReads);

    internal void FailedWrite() => Interlocked.Increment(ref _failedWrites);

    internal void Read(long bytes) => Interlocked.Add(ref _bytesRead, bytes);

    internal void Wrote(long bytes) => Interlocked.Add(ref _bytesWritten, bytes);
}
