using System.Runtime.InteropServices;
using Mono.Unix.Native;

namespace KeepFs.Testing.Posix;

/// <summary>Memory maps, locks and copies within the kernel.</summary>
public abstract partial class PosixContract
{
    private const int LockExclusive = 2, LockNonBlocking = 4, LockUnlock = 8;

    [Fact]
    public void A_map_shows_the_file()
    {
        var path = NewFile(new string('m', 10_000));
        WithOpen(path, OpenFlags.O_RDONLY, file => WithMap(file, 10_000, MmapProts.PROT_READ, MmapFlags.MAP_SHARED, map => Assert.Equal((byte)'m', Marshal.ReadByte(map, 9_999))));
    }

    [Fact]
    public void What_is_written_into_a_shared_map_is_in_the_file()
    {
        var path = NewFile(new string('m', 10_000));
        WithOpen(path, OpenFlags.O_RDWR, file => WithMap(file, 10_000, MmapProts.PROT_READ | MmapProts.PROT_WRITE, MmapFlags.MAP_SHARED, map =>
        {
            Marshal.WriteByte(map, 5000, (byte)'W');
            Done(Syscall.msync(map, 10_000, MsyncFlags.MS_SYNC));
            Assert.Equal("W", ReadAt(file, 1, 5000));
        }));
        Assert.Equal('W', File.ReadAllText(path)[5000]);
    }

    [Fact]
    public void What_is_written_into_a_private_map_is_not()
    {
        var path = NewFile(new string('m', 10_000));
        WithOpen(path, OpenFlags.O_RDONLY, file => WithMap(file, 10_000, MmapProts.PROT_READ | MmapProts.PROT_WRITE, MmapFlags.MAP_PRIVATE, map => Marshal.WriteByte(map, 5000, (byte)'W')));
        Assert.Equal('m', File.ReadAllText(path)[5000]);
    }

    [Fact]
    public void Written_bytes_are_seen_through_a_map()
    {
        var path = NewFile(new string('m', 10_000));
        WithOpen(path, OpenFlags.O_RDWR, file => WithMap(file, 10_000, MmapProts.PROT_READ, MmapFlags.MAP_SHARED, map =>
        {
            WriteAt(file, "W", 5000);
            Assert.Equal((byte)'W', Marshal.ReadByte(map, 5000));
        }));
    }

    [Fact]
    public void Flock_keeps_others_out()
    {
        var path = NewFile();
        WithOpen(path, OpenFlags.O_RDWR, first => WithOpen(path, OpenFlags.O_RDWR, second =>
        {
            Done(Flock(first, LockExclusive));
            Fails(Errno.EAGAIN, Flock(second, LockExclusive | LockNonBlocking));
            Done(Flock(first, LockUnlock));
            Done(Flock(second, LockExclusive | LockNonBlocking));
        }));
    }

    [Fact]
    public void Record_locks_work() => WithOpen(NewFile("0123456789"), OpenFlags.O_RDWR, file =>
    {
        var range = new Mono.Unix.Native.Flock { l_type = LockType.F_WRLCK, l_whence = SeekFlags.SEEK_SET, l_start = 2, l_len = 3 };
        Done(Syscall.fcntl(file, FcntlCommand.F_SETLK, ref range));
        range.l_type = LockType.F_UNLCK;
        Done(Syscall.fcntl(file, FcntlCommand.F_SETLK, ref range));
    });

    [Fact]
    public void Copy_file_range_copies()
    {
        var (from, to) = (NewFile(new string('c', 300_000)), NewFile());
        WithOpen(from, OpenFlags.O_RDONLY, source => WithOpen(to, OpenFlags.O_RDWR, target =>
        {
            for (nint left = 300_000, count; left > 0; left -= count)
            {
                count = CopyFileRange(source, 0, target, 0, left, 0);
                Assert.True(count > 0, $"copy_file_range returned {count}, {Stdlib.GetLastError()}");
            }
        }));
        Assert.Equal(File.ReadAllText(from), File.ReadAllText(to));
    }

    private static void WithMap(int file, ulong length, MmapProts access, MmapFlags flags, Action<IntPtr> use)
    {
        var map = Syscall.mmap(IntPtr.Zero, length, access, flags, file, 0);
        Assert.True(map != -1, $"mmap failed with {Stdlib.GetLastError()}");
        try
        {
            use(map);
        }
        finally
        {
            Done(Syscall.munmap(map, length));
        }
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(int file, int operation);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyFileRange(int from, nint fromOffset, int to, nint toOffset, nint length, uint flags);
}
