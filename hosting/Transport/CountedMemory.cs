using System.Buffers;
using System.Runtime.InteropServices;
using KeepFs.Engine.Blocks;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// Memory that stands for the bytes of a file where only their number counts. It is as large as a block and the same for everybody; as nobody uses it, the
/// system never provides any.
/// </summary>
internal sealed unsafe class CountedMemory : MemoryManager<byte>
{
    private static readonly CountedMemory Instance = new();
    private readonly void* _start = NativeMemory.Alloc(Locator.MaxBlockSizeBytes);

    private CountedMemory()
    {
    }

    public static ReadOnlyMemory<byte> Of(int bytes) => Instance.Memory[..bytes];

    public override Span<byte> GetSpan() => new(_start, Locator.MaxBlockSizeBytes);

    public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)_start + elementIndex, pinnable: this);

    public override void Unpin()
    {
        // It never moves.
    }

    protected override void Dispose(bool disposing)
    {
        // As long as the program.
    }
}
