using System.Collections.Concurrent;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Session;

/// <summary>
/// What requests are read into: pinned arrays, big enough for the longest one. Each reading thread has one; a WRITE that waits for the tree
/// keeps its buffer, so that written data is never copied, and the thread takes another. Safe for concurrent use.
/// </summary>
internal sealed class RequestBuffers(int maxKept) : IDisposable
{
    /// <summary>Headers and the data of the longest WRITE, and the kernel's least.</summary>
    public const int Bytes = Negotiation.MaxTransferBytes + 4096;

    // More than this is given back to the runtime after a burst.
    private const int MaxIdle = 16;

    private readonly ConcurrentStack<byte[]> _idle = new();
    private readonly SemaphoreSlim _slots = new(maxKept);

    public byte[] Rent() => _idle.TryPop(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(Bytes, pinned: true);

    public void Return(byte[] buffer)
    {
        if (_idle.Count < MaxIdle)
        {
            _idle.Push(buffer);
        }
    }

    /// <summary>Counts a buffer that a request keeps; waits when the budget for written data is spent.</summary>
    public void WaitToKeep(CancellationToken cancellationToken) => _slots.Wait(cancellationToken);

    public void ReturnKept(byte[] buffer)
    {
        Return(buffer);
        _slots.Release();
    }

    public void Dispose() => _slots.Dispose();
}
