using System.Runtime.InteropServices;
using KeepFs.Engine.Blocks;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>
/// Writes a large block past the kernel's page cache. Copying it there costs as much processor time as receiving and verifying it, in the middle
/// of a cold read, and pushes out pages that somebody uses.
/// </summary>
internal static partial class DirectFile
{
    /// <summary>Smaller blocks are cheap to copy and cost a disk more than that alone.</summary>
    public const int MinBytes = 1 << 20;

    /// <summary>What disks want positions, lengths and addresses to be multiples of.</summary>
    private const int Alignment = 4096;

    private const int WriteOnly = 1, Create = 0x40, Truncate = 0x200, CloseOnExec = 0x80000;

    /// <summary>False when the file system does not offer it; the file may exist then.</summary>
    /// <exception cref="IOException">The disk refused the bytes.</exception>
    public static bool TryWrite(string path, BlockBuffer block)
    {
        var direct = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 0x4000,
            Architecture.Arm64 => 0x10000,
            _ => 0,
        };
        var aligned = (block.Length + Alignment - 1) / Alignment * Alignment;
        if (!OperatingSystem.IsLinux() || direct == 0 || aligned > block.CapacityBytes)
        {
            return false;
        }

        using var file = Open(path, WriteOnly | Create | Truncate | CloseOnExec | direct, Convert.ToInt32("600", 8));
        if (file.IsInvalid)
        {
            return false;
        }

        // The rest of the last page is memory that nobody looks at; it is cut off at once.
        RandomAccess.Write(file, block.Capacity.Span[..aligned], 0);
        RandomAccess.SetLength(file, block.Length);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);
}
