using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// Writes large blocks past the kernel's page cache: copying them there costs as much processor time as receiving and hashing them, and pushes out
/// pages that somebody uses. Blocks, and works wherever ordinary writing does, if need be through the cache. Decision 0042.
/// </summary>
internal static partial class DirectWrite
{
    /// <summary>Smaller blocks are cheap to copy and cost a disk more than that alone.</summary>
    public const int MinBytes = 1 << 20;

    /// <summary>What disks want positions, lengths and addresses to be multiples of.</summary>
    private const int Alignment = 4096;

    private const int GetFlags = 3, SetFlags = 4;
    private const int InvalidArgument = 22;

    // The number of O_DIRECT; 0 where it is not known.
    private static readonly int Direct = !OperatingSystem.IsLinux() ? 0 : RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 0x4000,
        Architecture.Arm64 => 0x10000,
        _ => 0,
    };

    /// <summary>Writes all bytes at the beginning of a file that nobody else writes. Not durable before a sync.</summary>
    /// <exception cref="IOException">The disk refused the bytes.</exception>
    public static unsafe void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        var direct = 0;
        fixed (byte* start = bytes)
        {
            if (bytes.Length >= MinBytes && (nint)start % Alignment == 0)
            {
                direct = TryWriteDirect(file, bytes[..(bytes.Length / Alignment * Alignment)]);
            }
        }

        if (direct < bytes.Length)
        {
            // The rest of the last page, or everything where the file system cannot do without its cache.
            RandomAccess.Write(file, bytes[direct..], direct);
        }
    }

    private static int TryWriteDirect(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        var flags = Direct == 0 ? -1 : Control(file, GetFlags, 0);
        if (flags < 0 || Control(file, SetFlags, flags | Direct) != 0)
        {
            return 0;
        }

        try
        {
            RandomAccess.Write(file, bytes, 0);
            return bytes.Length;
        }
        catch (IOException e) when (e.HResult == InvalidArgument)
        {
            // A device with larger sectors, or a file system that took the flag without meaning it.
            return 0;
        }
        finally
        {
            _ = Control(file, SetFlags, flags);
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, int command, int flags);
}
