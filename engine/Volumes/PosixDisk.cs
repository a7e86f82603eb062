using System.Runtime.InteropServices;
using KeepFs.Engine.Blocks;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// The real disk of a 64-bit Linux. Files are opened by open(2) itself: .NET's own opening takes a shared flock(2), which would
/// meet the exclusive one of the touch and trash protocol.
/// </summary>
public sealed partial class PosixDisk : IDisk
{
    private const int AtCurrentDirectory = -100;
    private const uint StatxBasic = 0x7ff;
    private const uint FileTypeMask = 0xf000;
    private const uint RegularFile = 0x8000;
    private const uint RenameNoReplace = 1;
    private const int EntriesBytes = 64 << 10;
    private const int EntryLengthOffset = 16;
    private const int EntryNameOffset = 19;
    private const long NanosecondsPerSecond = 1_000_000_000;

    // The same numbers on x64 and arm64.
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int AppendOnly = 0x400;
    private const int CloseOnExec = 0x80000;

    /// <inheritdoc/>
    public IDiskFile Open(string path, DiskAccess access) => new PosixFile(path, OpenHandle(path, FlagsOf(access)));

    /// <inheritdoc/>
    public IDiskFile? TryOpen(string path, DiskAccess access) =>
        TryOpenHandle(path, FlagsOf(access), out var failure) is { } handle ? new PosixFile(path, handle)
            : failure!.Error == DiskError.NotFound ? null : throw failure;

    /// <inheritdoc/>
    public DiskStat? Stat(string path)
    {
        if (Statx(AtCurrentDirectory, path, 0, StatxBasic, out var stat) == 0)
        {
            return ToStat(stat);
        }

        var failure = PosixError.Last("stat", path);
        return failure.Error == DiskError.NotFound ? null : throw failure;
    }

    /// <inheritdoc/>
    public unsafe void Visit(string directory, DiskNameFilter filter, DiskVisitor visitor)
    {
        using var handle = OpenHandle(directory, ReadOnly);
        var entries = new byte[EntriesBytes];
        fixed (byte* start = entries)
        {
            nint count;
            while ((count = GetEntries(handle, start, entries.Length)) > 0)
            {
                // struct linux_dirent64: inode, offset, 16 bits of length, type, name with a zero at its end.
                for (var entry = start; entry < start + count; entry += *(ushort*)(entry + EntryLengthOffset))
                {
                    var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + EntryNameOffset);
                    if (!filter(name))
                    {
                        continue;
                    }

                    if (StatxAt(handle, entry + EntryNameOffset, 0, StatxBasic, out var stat) == 0)
                    {
                        if ((stat.Mode & FileTypeMask) == RegularFile)
                        {
                            visitor(name, ToStat(stat));
                        }
                    }
                    else if (PosixError.Last("stat", directory) is { Error: not DiskError.NotFound } failure)
                    {
                        throw failure;
                    }
                }
            }

            PosixError.Check((int)count, "list", directory);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(directory).Select(entry => Path.GetFileName(entry)!)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DiskException(e is DirectoryNotFoundException ? DiskError.NotFound : DiskError.Other, $"list {directory}: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void CreateDirectory(string path)
    {
        if (Mkdir(path, 0b111_101_101) != 0 && PosixError.Last("mkdir", path) is { Error: not DiskError.Exists } failure)
        {
            throw failure;
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => PosixError.Check(RenameFile(from, to), "rename to", to);

    /// <inheritdoc/>
    public void RenameToNew(string from, string to)
    {
        if (RenameAt2(AtCurrentDirectory, from, AtCurrentDirectory, to, RenameNoReplace) == 0)
        {
            return;
        }

        if (Marshal.GetLastPInvokeError() != PosixError.InvalidArgument)
        {
            throw PosixError.Last("rename to", to);
        }

        // Network file systems do not know the flag; there the test and the move are two steps.
        if (Stat(to) is not null)
        {
            throw new DiskException(DiskError.Exists, $"rename to {to}: exists");
        }

        Rename(from, to);
    }

    /// <inheritdoc/>
    public void Delete(string path) => PosixError.Check(Unlink(path), "unlink", path);

    /// <inheritdoc/>
    public void SetTimes(string path, long unixNanoseconds)
    {
        var time = new TimeSpec(unixNanoseconds / NanosecondsPerSecond, unixNanoseconds % NanosecondsPerSecond);
        PosixError.Check(UtimensAt(AtCurrentDirectory, path, [time, time], 0), "utimes", path);
    }

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        using var handle = OpenHandle(path, ReadOnly);
        PosixError.Check(Fsync(handle), "fsync", path);
    }

    /// <inheritdoc/>
    public string? ReadLink(string path) => new FileInfo(path).LinkTarget;

    /// <inheritdoc/>
    public void CreateLink(string path, string text) => PosixError.Check(Symlink(text, path), "symlink", path);

    private static DiskStat ToStat(in StatxBuffer stat) =>
        new((long)stat.Size, (stat.MtimeSeconds * NanosecondsPerSecond) + stat.MtimeNanoseconds, (stat.Mode & FileTypeMask) == RegularFile)
        {
            Device = ((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor,
            Inode = stat.Inode,
            CtimeNanoseconds = (stat.CtimeSeconds * NanosecondsPerSecond) + stat.CtimeNanoseconds,
        };

    private static int FlagsOf(DiskAccess access) => access switch
    {
        DiskAccess.Read => ReadOnly,
        DiskAccess.Append => ReadWrite | AppendOnly,
        DiskAccess.CreateNew => WriteOnly | Create | Exclusive,
        _ => throw new ArgumentOutOfRangeException(nameof(access)),
    };

    private static SafeFileHandle OpenHandle(string path, int flags) => TryOpenHandle(path, flags, out var failure) ?? throw failure!;

    private static SafeFileHandle? TryOpenHandle(string path, int flags, out DiskException? failure)
    {
        int descriptor;
        do
        {
            descriptor = OpenFile(path, flags | CloseOnExec, 0b110_100_100);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == PosixError.Interrupted);
        failure = descriptor >= 0 ? null : PosixError.Last("open", path);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : null;
    }

    private sealed partial class PosixFile(string path, SafeFileHandle handle) : IDiskFile
    {
        private const int AdviceWillNeed = 3;
        private const int AdviceDontNeed = 4;
        private const int LockExclusive = 2;
        private const int LockWithoutWaiting = 4;

        public long Length => Guard("stat", () => RandomAccess.GetLength(handle));

        public SafeFileHandle? Handle => handle;

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
                throw PosixError.From(e, "read", path);
            }

            return done;
        }

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            try
            {
                RandomAccess.Write(handle, source, offset);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw PosixError.From(e, "write", path);
            }
        }

        public void WriteDirect(ReadOnlySpan<byte> source)
        {
            try
            {
                DirectWrite.Write(handle, source);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw PosixError.From(e, "write", path);
            }
        }

        public void Sync() => PosixError.Check(Fsync(handle), "fsync", path);

        public void WillRead(long offset, long length) => _ = Advise(handle, offset, length, AdviceWillNeed);

        public void DropCache() => _ = Advise(handle, 0, 0, AdviceDontNeed);

        public void Lock()
        {
            int result;
            do
            {
                result = Flock(handle, LockExclusive);
            }
            while (result != 0 && Marshal.GetLastPInvokeError() == PosixError.Interrupted);
            PosixError.Check(result, "flock", path);
        }

        public bool TryLock()
        {
            if (Flock(handle, LockExclusive | LockWithoutWaiting) == 0)
            {
                return true;
            }

            return Marshal.GetLastPInvokeError() is PosixError.WouldBlock or PosixError.Interrupted ? false : throw PosixError.Last("flock", path);
        }

        public void Dispose() => handle.Dispose();

        private long Guard(string operation, Func<long> work)
        {
            try
            {
                return work();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw PosixError.From(e, operation, path);
            }
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);

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
        public long CtimeSeconds;

        [FieldOffset(104)]
        public uint CtimeNanoseconds;

        [FieldOffset(112)]
        public long MtimeSeconds;

        [FieldOffset(120)]
        public uint MtimeNanoseconds;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, out StatxBuffer stat);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static unsafe partial int StatxAt(SafeFileHandle directory, byte* name, int flags, uint mask, out StatxBuffer stat);

    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    private static unsafe partial nint GetEntries(SafeFileHandle directory, byte* entries, nint length);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mkdir(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameFile(string from, string to);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "symlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Symlink(string text, string path);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UtimensAt(int directory, string path, [In] TimeSpec[] times, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle handle, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(SafeFileHandle handle, int operation);
}
