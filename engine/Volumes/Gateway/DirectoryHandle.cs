using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>What the kernel tells of an open file.</summary>
internal readonly record struct FileStatus(bool IsRegularFile, long SizeBytes, ulong Inode, long MtimeNanoseconds, long CtimeNanoseconds)
{
    public const long NanosecondsPerSecond = 1_000_000_000;
}

/// <summary>A file that was opened below a <see cref="DirectoryHandle"/>.</summary>
internal sealed class OpenedFile(SafeFileHandle handle, FileStatus status, string name) : IDisposable
{
    public FileStatus Status => status;

    /// <summary>Reads until the span is full or the file ends.</summary>
    public int Read(Span<byte> destination, long offset)
    {
        var done = 0;
        try
        {
            while (done < destination.Length && RandomAccess.Read(handle, destination[done..], offset + done) is > 0 and var count)
            {
                done += count;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PosixError.From(e, "read", name);
        }

        return done;
    }

    public void Dispose() => handle.Dispose();
}

/// <summary>
/// An open directory, below which files are opened by names of any bytes. The kernel itself refuses every way out (openat2 with
/// RESOLVE_BENEATH, Linux 5.6), so there is no race between a check and the opening.
/// </summary>
internal sealed partial class DirectoryHandle : IDisposable
{
    private const int AtCurrentDirectory = -100;
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasic = 0x7ff;
    private const uint FileTypeMask = 0xf000;
    private const uint RegularFile = 0x8000;
    private const long OpenAt2 = 437; // The same on every architecture.

    // Non-blocking, or opening a named pipe would wait for a writer.
    private const ulong ReadFlags = 0x80000 | 0x800;
    private const int PathFlags = 0x80000 | 0x200000;
    private const ulong ResolveBeneath = 0x08;
    private const ulong ResolveNoMagicLinks = 0x02;
    private const int InterruptedError = 4;
    private const int AgainError = 11;

    private readonly SafeFileHandle _directory;
    private readonly string _path;

    private DirectoryHandle(SafeFileHandle directory, string path) => (_directory, _path) = (directory, path);

    /// <exception cref="DiskException">It cannot be opened.</exception>
    public static DirectoryHandle Open(string path)
    {
        var descriptor = OpenAt(AtCurrentDirectory, path, PathFlags, 0);
        return descriptor >= 0 ? new DirectoryHandle(new SafeFileHandle(descriptor, ownsHandle: true), path) : throw PosixError.Last("open", path);
    }

    /// <summary>Opens a file to read; null when there is none, or when the way to it leads out of the directory.</summary>
    /// <exception cref="DiskException">Anything else.</exception>
    public unsafe OpenedFile? OpenBelow(ObjectKey key)
    {
        if (key.Bytes.Contains((byte)0))
        {
            return null;
        }

        byte[] name = [.. key.Bytes, 0];
        var how = new OpenHow { Flags = ReadFlags, Resolve = ResolveBeneath | ResolveNoMagicLinks };
        int descriptor;
        fixed (byte* text = name)
        {
            do
            {
                descriptor = (int)Syscall(OpenAt2, (int)_directory.DangerousGetHandle(), text, &how, (nuint)sizeof(OpenHow));
            }
            while (descriptor < 0 && Marshal.GetLastPInvokeError() is InterruptedError or AgainError);
        }

        if (descriptor < 0)
        {
            return IsGone(Marshal.GetLastPInvokeError()) ? null : throw PosixError.Last("open", $"{_path}/{key}");
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        return Statx(descriptor, "", AtEmptyPath, StatxBasic, out var stat) == 0
            ? new OpenedFile(
                handle,
                new FileStatus((stat.Mode & FileTypeMask) == RegularFile, (long)stat.Size, stat.Inode, stat.Modified.Nanoseconds, stat.Changed.Nanoseconds),
                $"{_path}/{key}")
            : throw PosixError.Last("stat", $"{_path}/{key}");
    }

    public void Dispose() => _directory.Dispose();

    // ENOENT, ENXIO (a socket), ENOTDIR, EINVAL, EXDEV (out of the directory), ENAMETOOLONG, ELOOP.
    private static bool IsGone(int errno) => errno is 2 or 6 or 20 or 22 or 18 or 36 or 40;

    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct StatxTime
    {
        public long Seconds;
        public uint Fraction;
        public int Reserved;

        public readonly long Nanoseconds => (Seconds * FileStatus.NanosecondsPerSecond) + Fraction;
    }

    // struct statx, the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatxBuffer
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(40)]
        public ulong Size;

        [FieldOffset(96)]
        public StatxTime Changed;

        [FieldOffset(112)]
        public StatxTime Modified;
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenAt(int directory, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial long Syscall(long number, int directory, byte* path, OpenHow* how, nuint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out StatxBuffer stat);
}
