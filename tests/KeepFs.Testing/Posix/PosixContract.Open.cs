using System.Runtime.InteropServices;
using Mono.Unix.Native;

namespace KeepFs.Testing.Posix;

/// <summary>open, close, read and write.</summary>
public abstract partial class PosixContract
{
    [Fact]
    public void Open_creates_an_empty_regular_file()
    {
        var path = New();
        WithOpen(path, OpenFlags.O_CREAT | OpenFlags.O_WRONLY, _ => { });

        var stat = StatOf(path);
        Assert.Equal(FilePermissions.S_IFREG, stat.st_mode & FilePermissions.S_IFMT);
        Assert.Equal(0, stat.st_size);
    }

    [Fact]
    public void Open_of_what_is_missing_is_ENOENT() => Fails(Errno.ENOENT, Syscall.open(New(), OpenFlags.O_RDONLY));

    [Fact]
    public void Open_below_what_is_missing_is_ENOENT() => Fails(Errno.ENOENT, Syscall.open(Path.Combine(New(), "x"), OpenFlags.O_CREAT | OpenFlags.O_WRONLY, Mode(0x1A4)));

    [Fact]
    public void Open_below_a_file_is_ENOTDIR() => Fails(Errno.ENOTDIR, Syscall.open(NewFile() + "/x", OpenFlags.O_CREAT | OpenFlags.O_WRONLY, Mode(0x1A4)));

    [Fact]
    public void Exclusive_creation_of_what_exists_is_EEXIST()
    {
        Fails(Errno.EEXIST, Syscall.open(NewFile(), OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_WRONLY, Mode(0x1A4)));
        Fails(Errno.EEXIST, Syscall.open(NewDirectory(), OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_WRONLY, Mode(0x1A4)));
    }

    [Theory]
    [InlineData(OpenFlags.O_WRONLY)]
    [InlineData(OpenFlags.O_RDWR)]
    [InlineData(OpenFlags.O_RDONLY | OpenFlags.O_CREAT)]
    [InlineData(OpenFlags.O_WRONLY | OpenFlags.O_TRUNC)]
    public void Opening_a_directory_for_writing_is_EISDIR(OpenFlags flags) => Fails(Errno.EISDIR, Syscall.open(NewDirectory(), flags, Mode(0x1A4)));

    [Fact]
    public void A_file_is_not_opened_as_a_directory() => Fails(Errno.ENOTDIR, Syscall.open(NewFile(), OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY));

    [Fact]
    public void O_TRUNC_empties_the_file()
    {
        var path = NewFile("content");
        WithOpen(path, OpenFlags.O_WRONLY | OpenFlags.O_TRUNC, _ => { });
        Assert.Equal(0, StatOf(path).st_size);
    }

    [Fact]
    public void Opening_without_O_TRUNC_keeps_the_content()
    {
        var path = NewFile("content");
        WithOpen(path, OpenFlags.O_CREAT | OpenFlags.O_WRONLY, file => Write(file, "C"));
        Assert.Equal("Content", File.ReadAllText(path));
    }

    [Fact]
    public void Names_may_have_255_bytes_and_no_more()
    {
        WithOpen(Path.Combine(Root, new string('n', NameMax)), OpenFlags.O_CREAT | OpenFlags.O_WRONLY, _ => { });
        var longer = Path.Combine(Root, new string('n', NameMax + 1));
        Fails(Errno.ENAMETOOLONG, Syscall.open(longer, OpenFlags.O_CREAT | OpenFlags.O_WRONLY, Mode(0x1A4)));
        Fails(Errno.ENAMETOOLONG, Syscall.mkdir(longer, Mode(0x1ED)));
        Fails(Errno.ENAMETOOLONG, Syscall.rmdir(longer));
        Fails(Errno.ENAMETOOLONG, Syscall.unlink(longer));
        Fails(Errno.ENAMETOOLONG, Syscall.lstat(longer, out _));
        Fails(Errno.ENAMETOOLONG, Syscall.truncate(longer, 0));
        Fails(Errno.ENAMETOOLONG, Syscall.chmod(longer, Mode(0x1A4)));
        Fails(Errno.ENAMETOOLONG, Stdlib.rename(NewFile(), longer));
        Fails(Errno.ENAMETOOLONG, Stdlib.rename(longer, New()));
    }

    [Fact]
    public void Names_of_letters_that_take_several_bytes_count_bytes()
    {
        WithOpen(Path.Combine(Root, new string('ü', NameMax / 2)), OpenFlags.O_CREAT | OpenFlags.O_WRONLY, _ => { });
        Fails(Errno.ENAMETOOLONG, Syscall.open(Path.Combine(Root, new string('ü', (NameMax / 2) + 1)), OpenFlags.O_CREAT | OpenFlags.O_WRONLY, Mode(0x1A4)));
    }

    [Fact]
    public void Names_differ_by_case_and_by_form()
    {
        foreach (var name in (string[])["a", "A", "\u00fc", "u\u0308"])
        {
            File.WriteAllText(Path.Combine(Root, name), name);
        }

        Assert.Equal(4, Directory.GetFiles(Root).Length);
        Assert.Equal("u\u0308", File.ReadAllText(Path.Combine(Root, "u\u0308")));
    }

    [Fact]
    public void A_descriptor_for_reading_does_not_write_and_the_other_way_round()
    {
        var path = NewFile("text");
        WithOpen(path, OpenFlags.O_RDONLY, file => Fails(Errno.EBADF, WriteResult(file)));
        WithOpen(path, OpenFlags.O_WRONLY, file => Fails(Errno.EBADF, ReadResult(file)));
        WithOpen(path, OpenFlags.O_RDONLY, file => Fails(Errno.EINVAL, Syscall.ftruncate(file, 0)));
    }

    [Fact]
    public void Reading_a_directory_as_a_file_is_EISDIR() => WithOpen(NewDirectory(), OpenFlags.O_RDONLY, file => Fails(Errno.EISDIR, ReadResult(file)));

    [Fact]
    public void Reading_at_and_past_the_end_is_empty() => WithOpen(NewFile("text"), OpenFlags.O_RDONLY, file =>
    {
        Assert.Equal("", ReadAt(file, 10, 4));
        Assert.Equal("", ReadAt(file, 10, 1000));
        Assert.Equal("xt", ReadAt(file, 10, 2));
    });

    [Fact]
    public void Writing_past_the_end_leaves_zeros_between()
    {
        var path = NewFile("text");
        WithOpen(path, OpenFlags.O_RDWR, file => WriteAt(file, "end", 100_000));
        var bytes = File.ReadAllBytes(path);
        Assert.Equal(100_003, bytes.Length);
        Assert.Equal(0, bytes[4..100_000].Max());
        Assert.Equal("end"u8.ToArray(), bytes[100_000..]);
    }

    [Fact]
    public void O_APPEND_writes_at_the_end_whatever_the_position()
    {
        var path = NewFile("one");
        WithOpen(path, OpenFlags.O_WRONLY | OpenFlags.O_APPEND, first => WithOpen(path, OpenFlags.O_WRONLY | OpenFlags.O_APPEND, second =>
        {
            Write(first, "two");
            Write(second, "three");
            Done((int)Syscall.lseek(first, 0, SeekFlags.SEEK_SET));
            Write(first, "four");
        }));
        Assert.Equal("onetwothreefour", File.ReadAllText(path));
    }

    [Fact]
    public void Two_descriptors_see_each_others_writes()
    {
        var path = NewFile("....");
        WithOpen(path, OpenFlags.O_RDWR, first => WithOpen(path, OpenFlags.O_RDWR, second =>
        {
            WriteAt(first, "ab", 0);
            Assert.Equal("ab..", ReadAt(second, 4, 0));
            WriteAt(second, "cd", 2);
            Assert.Equal("abcd", ReadAt(first, 4, 0));
        }));
    }

    [Fact]
    public void A_position_is_shared_by_duplicates() => WithOpen(NewFile("abcdef"), OpenFlags.O_RDWR, file =>
    {
        var copy = Done(Syscall.dup(file));
        Assert.Equal(3, Syscall.lseek(file, 3, SeekFlags.SEEK_SET));
        Assert.Equal(3, Syscall.lseek(copy, 0, SeekFlags.SEEK_CUR));
        Assert.Equal(6, Syscall.lseek(copy, 0, SeekFlags.SEEK_END));
        Fails(Errno.EINVAL, (int)SeekTo(file, -1, 0));
        Done(Syscall.close(copy));
    });

    [Fact]
    public void Fsync_and_fdatasync_work_on_files_and_directories()
    {
        WithOpen(NewFile("x"), OpenFlags.O_RDWR, file =>
        {
            Write(file, "y");
            Done(Syscall.fsync(file));
            Done(Syscall.fdatasync(file));
        });
        WithOpen(NewDirectory("a"), OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY, directory => Done(Syscall.fsync(directory)));
    }

    private static unsafe int WriteResult(int file)
    {
        byte one = 1;
        return (int)Syscall.write(file, &one, 1);
    }

    private static unsafe int ReadResult(int file)
    {
        byte one = 1;
        return (int)Syscall.read(file, &one, 1);
    }

    // Mono's wrapper refuses a negative number before the kernel sees it.
    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long SeekTo(int file, long offset, int whence);
}
