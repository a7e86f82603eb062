using System.Runtime.InteropServices;
using Mono.Unix.Native;

namespace KeepFs.Testing.Posix;

/// <summary>What a manifest does not hold: owners, modes, times, links, devices; and sizes, which it does.</summary>
public abstract partial class PosixContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(1_000_000)]
    public void Truncate_cuts_and_extends_with_zeros(int size)
    {
        var path = NewFile(new string('x', 5000));
        Done(Syscall.truncate(path, size));
        Assert.Equal(size, StatOf(path).st_size);
        Assert.Equal(Enumerable.Repeat((byte)'x', Math.Min(size, 5000)).Concat(new byte[Math.Max(0, size - 5000)]), File.ReadAllBytes(path));
    }

    [Fact]
    public void What_was_cut_off_does_not_come_back()
    {
        var path = NewFile("secret");
        WithOpen(path, OpenFlags.O_RDWR, file =>
        {
            Done(Syscall.ftruncate(file, 2));
            Done(Syscall.ftruncate(file, 6));
            Assert.Equal("se\0\0\0\0", ReadAt(file, 10, 0));
        });
    }

    [Fact]
    public void Truncate_refuses_what_is_no_file()
    {
        Fails(Errno.EISDIR, Syscall.truncate(NewDirectory(), 0));
        Fails(Errno.ENOENT, Syscall.truncate(New(), 0));
        Fails(Errno.ENOTDIR, Syscall.truncate(NewFile() + "/x", 0));
        Fails(Errno.EINVAL, TruncateTo(NewFile(), -1));
    }

    [Fact]
    public void Posix_fallocate_extends_the_file() => WithOpen(NewFile("ab"), OpenFlags.O_RDWR, file =>
    {
        Assert.Equal(0, Syscall.posix_fallocate(file, 0, 10_000));
        Done(Syscall.fstat(file, out var stat));
        Assert.Equal(10_000, stat.st_size);
        Assert.Equal("ab\0", ReadAt(file, 3, 0));
    });

    [Fact]
    public void Chmod_works_or_has_no_effect()
    {
        var path = NewFile();
        Done(Syscall.chmod(path, Mode(0x180)));
        Assert.Equal(HoldsOnlyContent ? Mode(0x1FF) : Mode(0x180), StatOf(path).st_mode & Mode(0x1FF));
        Fails(Errno.ENOENT, Syscall.chmod(New(), Mode(0x180)));
        Fails(Errno.ENOTDIR, Syscall.chmod(NewFile() + "/x", Mode(0x180)));
    }

    [Fact]
    public void Chown_to_oneself_works()
    {
        var path = NewFile();
        Done(Syscall.chown(path, Syscall.getuid(), Syscall.getgid()));
        Assert.Equal(Syscall.getuid(), StatOf(path).st_uid);
        Fails(Errno.ENOENT, Syscall.chown(New(), 0, 0));
    }

    [Fact]
    public void Times_can_be_set_or_that_has_no_effect()
    {
        var path = NewFile();
        var before = StatOf(path).st_mtime;
        var times = new Utimbuf { actime = 1000, modtime = 2000 };
        Done(Syscall.utime(path, ref times));
        Assert.Equal(HoldsOnlyContent ? before : 2000, StatOf(path).st_mtime);
    }

    [Fact]
    public void Writing_moves_the_time_of_a_file_on()
    {
        var path = NewFile();
        var before = StatOf(path);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        File.WriteAllText(path, "x");
        Assert.InRange(StatOf(path).st_mtime, Math.Max(before.st_mtime, now - 2), now + 60);
    }

    [Fact]
    public void Links_and_devices_work_or_are_EOPNOTSUPP()
    {
        var (file, to) = (NewFile("x"), New());
        if (HoldsOnlyContent)
        {
            Fails(Errno.EOPNOTSUPP, Syscall.symlink(file, to));
            Fails(Errno.EOPNOTSUPP, Syscall.link(file, to));
            Fails(Errno.EOPNOTSUPP, Syscall.mkfifo(to, Mode(0x1A4)));
            Fails(Errno.EOPNOTSUPP, Syscall.mknod(to, FilePermissions.S_IFCHR | Mode(0x1A4), 0x103));
            Assert.False(Exists(to));
        }
        else
        {
            Done(Syscall.link(file, to));
            Assert.Equal(StatOf(file).st_ino, StatOf(to).st_ino);
        }
    }

    [Fact]
    public void Links_are_checked_before_they_are_refused()
    {
        Fails(Errno.EEXIST, Syscall.symlink("x", NewFile()));
        Fails(Errno.EEXIST, Syscall.link(NewFile(), NewFile()));
        Fails(Errno.ENOENT, Syscall.link(New(), New()));
        Fails(Errno.EINVAL, (int)Syscall.readlink(NewFile(), new byte[100]));
    }

    [Fact]
    public void Mknod_makes_a_regular_file()
    {
        var path = New();
        Done(Syscall.mknod(path, FilePermissions.S_IFREG | Mode(0x1A4), 0));
        Assert.Equal(0, StatOf(path).st_size);
    }

    [Fact]
    public void Statvfs_tells_the_longest_name_and_free_space()
    {
        Done(Syscall.statvfs(Root, out var stat));
        Assert.Equal((ulong)NameMax, stat.f_namemax);
        Assert.True(stat.f_bavail > 0 && stat.f_blocks >= stat.f_bavail);
    }

    [Fact]
    public void Access_tells_what_is_there()
    {
        Done(Syscall.access(NewFile(), AccessModes.R_OK | AccessModes.W_OK));
        Fails(Errno.ENOENT, Syscall.access(New(), AccessModes.F_OK));
        Fails(Errno.ENOTDIR, Syscall.access(NewFile() + "/x", AccessModes.F_OK));
    }

    [Fact]
    public void Extended_attributes_that_nobody_set_are_ENODATA()
    {
        Fails(Errno.ENODATA, (int)Syscall.getxattr(NewFile(), "user.nobody.set.this", new byte[10], 10));
    }

    [LibraryImport("libc", EntryPoint = "truncate", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int TruncateTo(string path, long length);
}
