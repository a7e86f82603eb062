using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// Memory for the buffers of one size, straight from the system: the garbage collector neither sees nor keeps it, so what a pool gives back is
/// given back at once, and its budget bounds what the process really has. Pages cost nothing before they are first written. Unmapped when nobody
/// refers to it any more.
/// </summary>
internal sealed unsafe partial class BlockRegion : MemoryManager<byte>
{
    /// <summary>One of the largest buffers, or many small ones: few mappings, of which a process may have only some tens of thousands.</summary>
    public const int RegionBytes = Locator.MaxBlockSizeBytes;

    private const int ReadWrite = 0x3;
    private const int PrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000;
    private const int HugePages = 14;
    private const int DontNeed = 4;
    private readonly Mapping _mapping;
    private readonly byte* _start;

    /// <param name="usesHugePages">For large buffers: fewer page faults and address translations when a block is copied and hashed.</param>
    /// <exception cref="KeepException"><see cref="KeepErrorKind.Overloaded"/>: the system has no memory.</exception>
    public BlockRegion(bool usesHugePages)
    {
        _mapping = Map(null, RegionBytes, ReadWrite, PrivateAnonymousNoReserve, -1, 0);
        if (_mapping.IsInvalid)
        {
            throw new KeepException(
                KeepErrorKind.Overloaded, $"The system refuses {RegionBytes} bytes for block buffers (errno {Marshal.GetLastPInvokeError()}): lower the memory budget.");
        }

        _start = (byte*)_mapping.DangerousGetHandle();
        if (usesHugePages)
        {
            // Only advice: without it everything works, a little slower.
            _ = Advise(_start, RegionBytes, HugePages);
        }
    }

    public override Span<byte> GetSpan() => new(_start, RegionBytes);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex, default, this);

    public override void Unpin()
    {
    }

    /// <summary>Gives the pages back to the system; the next write gets new ones.</summary>
    public void Release(int offset, int length) => _ = Advise(_start + offset, length, DontNeed);

    protected override void Dispose(bool disposing)
    {
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial Mapping Map(void* address, nint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(byte* address, nint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(byte* address, nint length, int advice);

    /// <summary>
    /// Ends with the last reference to the region: whoever works on a span of it still holds the buffer, to release it afterwards.
    /// </summary>
    private sealed class Mapping() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
    {
        protected override bool ReleaseHandle() => Unmap((byte*)handle, RegionBytes) == 0;
    }
}
