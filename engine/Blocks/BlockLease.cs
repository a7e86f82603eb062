namespace KeepFs.Engine.Blocks;

/// <summary>
/// Verified bytes of a block, valid until disposed. Dispose exactly once; the memory may be reused for other data after that.
/// </summary>
public readonly struct BlockLease : IDisposable
{
    private readonly BlockBuffer? _buffer;

    /// <summary>Leases part of a buffer; the lease owns one reference to it.</summary>
    public BlockLease(BlockBuffer buffer, int offset, int length)
    {
        _buffer = buffer;
        Memory = buffer.Memory.Slice(offset, length);
    }

    private BlockLease(ReadOnlyMemory<byte> memory)
    {
        _buffer = null;
        Memory = memory;
    }

    /// <summary>A lease on memory that nobody reuses, such as the empty block.</summary>
    public static BlockLease Unowned(ReadOnlyMemory<byte> memory) => new(memory);

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Memory { get; }

    /// <inheritdoc/>
    public void Dispose() => _buffer?.Release();
}
