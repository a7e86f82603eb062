using System.Diagnostics;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// Memory at a fixed address, rented from a <see cref="BlockBufferPool"/>, with counted references: whoever got it from the pool holds one,
/// <see cref="AddReference"/> adds one, <see cref="Release"/> drops one, and the last drop returns it to the pool.
/// The content is written by its one owner before anybody else sees it.
/// </summary>
public sealed class BlockBuffer
{
    private readonly BlockBufferPool _pool;
    private int _references;

    internal BlockBuffer(BlockBufferPool pool, BlockPlace place)
    {
        _pool = pool;
        Place = place;
        Capacity = place.Region.Memory.Slice(place.Offset, place.SizeBytes);
    }

    internal BlockPlace Place { get; }

    /// <summary>Bytes that this buffer takes from the budget; at least what was asked for.</summary>
    public int CapacityBytes => Place.SizeBytes;

    /// <summary>Bytes in use, set by the owner while filling; never more than <see cref="CapacityBytes"/>.</summary>
    public int Length { get; set; }

    /// <summary>The whole capacity, for filling.</summary>
    public Memory<byte> Capacity { get; }

    /// <summary>The bytes in use.</summary>
    public ReadOnlyMemory<byte> Memory => Capacity[..Length];

    /// <summary>More than one holder now; a hint, it may change at once.</summary>
    public bool IsShared => Volatile.Read(ref _references) > 1;

    /// <summary>Keeps the buffer alive for one more holder. Only legal for someone who already holds a reference.</summary>
    public void AddReference()
    {
        var now = Interlocked.Increment(ref _references);
        Debug.Assert(now > 1, "A buffer that was returned to its pool got a new reference.");
    }

    /// <summary>Drops one reference.</summary>
    public void Release()
    {
        var now = Interlocked.Decrement(ref _references);
        if (now == 0)
        {
            _pool.Return(this);
        }
        else if (now == 1)
        {
            // Only a cache may still hold it: someone in line could have it now.
            _pool.BecameReclaimable();
        }
        else if (now < 0)
        {
            throw new InvalidOperationException("A block buffer was released more often than it was referenced.");
        }
    }

    internal void Rented(int length)
    {
        Length = length;
        _references = 1;
    }
}
