using System.Diagnostics;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse;

/// <summary>What programs did through one mount. Safe for concurrent use; never reset.</summary>
public sealed class FuseCounters
{
    /// <summary>More than the protocol has operations; what has a higher number is not counted.</summary>
    private const int MaxOperations = 64;

    private readonly long[] _counts = new long[MaxOperations];
    private readonly long[] _ticks = new long[MaxOperations];
    private long _readBytes;
    private long _writtenBytes;

    /// <summary>Bytes handed to programs, or to the kernel's cache for them.</summary>
    public long ReadBytes => Interlocked.Read(ref _readBytes);

    /// <summary>Bytes that programs wrote.</summary>
    public long WrittenBytes => Interlocked.Read(ref _writtenBytes);

    /// <summary>Each operation that was asked for, by its name in lower case: how often, and the time from question to answer, all together.</summary>
    public IEnumerable<(string Operation, long Count, TimeSpan Time)> Operations()
    {
        for (var i = 0; i < MaxOperations; i++)
        {
            if (Interlocked.Read(ref _counts[i]) is > 0 and var count)
            {
                yield return (((Opcode)i).ToString().ToLowerInvariant(), count, Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _ticks[i])));
            }
        }
    }

    internal void Count(Opcode operation, long startedAt)
    {
        if ((int)operation is >= 0 and < MaxOperations and var i)
        {
            Interlocked.Increment(ref _counts[i]);
            Interlocked.Add(ref _ticks[i], Stopwatch.GetTimestamp() - startedAt);
        }
    }

    internal void CountRead(int bytes) => Interlocked.Add(ref _readBytes, bytes);

    internal void CountWrite(int bytes) => Interlocked.Add(ref _writtenBytes, bytes);
}
