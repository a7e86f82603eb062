using Mono.Unix.Native;

namespace KeepFs.Testing.Posix;

/// <summary>mkdir, rmdir, unlink, and the entries of directories.</summary>
public abstract partial class PosixContract
{
    [Fact]
    public void Mkdir_makes_an_empty_directory()
    {
        var path = NewDirectory();
        Assert.Equal(FilePermissions.S_IFDIR, StatOf(path).st_mode & FilePermissions.S_IFMT);
        Assert.Empty(Directory.GetFileSystemEntries(path));
    }

    [Fact]
    public void Mkdir_of_what_exists_is_EEXIST()
    {
        Fails(Errno.EEXIST, Syscall.mkdir(NewFile(), Mode(0x1ED)));
        Fails(Errno.EEXIST, Syscall.mkdir(NewDirectory(), Mode(0x1ED)));
        Fails(Errno.EEXIST, Syscall.mkdir(Root + "/.", Mode(0x1ED)));
        Fails(Errno.EEXIST, Syscall.mkdir(Root + "/..", Mode(0x1ED)));
    }

    [Fact]
    public void Mkdir_below_nothing_or_a_file_fails()
    {
        Fails(Errno.ENOENT, Syscall.mkdir(New() + "/x", Mode(0x1ED)));
        Fails(Errno.ENOTDIR, Syscall.mkdir(NewFile() + "/x", Mode(0x1ED)));
    }

    [Fact]
    public void A_trailing_slash_is_fine_for_directories_and_wrong_for_files()
    {
        var path = New();
        Done(Syscall.mkdir(path + "/", Mode(0x1ED)));
        Done(Syscall.lstat(path + "/", out _));
        Fails(Errno.ENOTDIR, Syscall.lstat(NewFile() + "/", out _));
        Done(Syscall.rmdir(path + "/"));
    }

    [Fact]
    public void Rmdir_removes_an_empty_directory()
    {
        var path = NewDirectory();
        Done(Syscall.rmdir(path));
        Fails(Errno.ENOENT, Syscall.lstat(path, out _));
    }

    [Fact]
    public void Rmdir_of_a_directory_with_entries_is_ENOTEMPTY()
    {
        var path = NewDirectory("a");
        Fails(Errno.ENOTEMPTY, Syscall.rmdir(path));
        Done(Syscall.unlink(path + "/a"));
        Done(Syscall.rmdir(path));
    }

    [Fact]
    public void Rmdir_refuses_what_is_no_directory_or_none_to_remove()
    {
        Fails(Errno.ENOTDIR, Syscall.rmdir(NewFile()));
        Fails(Errno.ENOTDIR, Syscall.rmdir(NewFile() + "/x"));
        Fails(Errno.ENOENT, Syscall.rmdir(New()));
        Fails(Errno.EINVAL, Syscall.rmdir(NewDirectory() + "/."));
        Fails(Errno.ENOTEMPTY, Syscall.rmdir(NewDirectory() + "/.."));
    }

    [Fact]
    public void Unlink_removes_a_file()
    {
        var path = NewFile("x");
        Done(Syscall.unlink(path));
        Fails(Errno.ENOENT, Syscall.lstat(path, out _));
    }

    [Fact]
    public void Unlink_refuses_directories_and_what_is_missing()
    {
        Fails(Errno.EISDIR, Syscall.unlink(NewDirectory()));
        Fails(Errno.ENOENT, Syscall.unlink(New()));
        Fails(Errno.ENOTDIR, Syscall.unlink(NewFile() + "/x"));
    }

    [Fact]
    public void An_unlinked_file_lives_until_it_is_closed()
    {
        var path = NewFile("text");
        WithOpen(path, OpenFlags.O_RDWR, file =>
        {
            Done(Syscall.unlink(path));
            Assert.False(Exists(path));
            WriteAt(file, "more", 4);
            Assert.Equal("textmore", ReadAt(file, 100, 0));
            Done(Syscall.ftruncate(file, 2));
            Assert.Equal("te", ReadAt(file, 100, 0));
            Done(Syscall.fstat(file, out var stat));
            Assert.Equal(2, stat.st_size);
            File.WriteAllText(path, "another file");
            Assert.Equal("te", ReadAt(file, 100, 0));
        });
        Assert.Equal("another file", File.ReadAllText(path));
    }

    [Fact]
    public void A_removed_directory_takes_no_entries()
    {
        var path = NewDirectory();
        WithOpen(path, OpenFlags.O_RDONLY | OpenFlags.O_DIRECTORY, directory =>
        {
            Done(Syscall.rmdir(path));
            Fails(Errno.ENOENT, Syscall.openat(directory, "x", OpenFlags.O_CREAT | OpenFlags.O_WRONLY, Mode(0x1A4)));
            Fails(Errno.ENOENT, Syscall.mkdirat(directory, "x", Mode(0x1ED)));
        });
    }

    [Fact]
    public void A_listing_has_every_entry_once_and_the_two_dots()
    {
        var names = Enumerable.Range(0, 2000).Select(i => $"entry {i}").ToArray();
        var path = NewDirectory(names);
        var listed = Raw(path);
        Assert.Equal(names.Append(".").Append("..").Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Entries_can_be_removed_while_they_are_listed()
    {
        var path = NewDirectory([.. Enumerable.Range(0, 500).Select(i => $"e{i}")]);
        var seen = new HashSet<string>();
        var listing = Syscall.opendir(path);
        while (Syscall.readdir(listing) is { } entry)
        {
            Assert.True(seen.Add(entry.d_name), $"{entry.d_name} was listed twice");
            if (entry.d_name[0] == 'e')
            {
                Done(Syscall.unlink(Path.Combine(path, entry.d_name)));
            }
        }

        Done(Syscall.closedir(listing));
        Assert.Equal(502, seen.Count);
        Done(Syscall.rmdir(path));
    }

    [Fact]
    public void Rewinding_a_listing_shows_what_is_new()
    {
        var path = NewDirectory("a");
        var listing = Syscall.opendir(path);
        while (Syscall.readdir(listing) is not null)
        {
        }

        File.WriteAllText(Path.Combine(path, "b"), "");
        Done(Syscall.rewinddir(listing));
        var names = new List<string>();
        while (Syscall.readdir(listing) is { } entry)
        {
            names.Add(entry.d_name);
        }

        Done(Syscall.closedir(listing));
        Assert.Contains("b", names);
    }

    [Fact]
    public void Numbers_of_nodes_are_their_own_and_stay()
    {
        var path = NewDirectory("a", "b");
        var (first, second) = (StatOf(path + "/a").st_ino, StatOf(path + "/b").st_ino);
        Assert.NotEqual(first, second);
        File.AppendAllText(path + "/a", "more");
        Done(Stdlib.rename(path + "/a", path + "/c"));
        Assert.Equal(first, StatOf(path + "/c").st_ino);
    }

    private static List<string> Raw(string path)
    {
        var names = new List<string>();
        var listing = Syscall.opendir(path);
        while (Syscall.readdir(listing) is { } entry)
        {
            names.Add(entry.d_name);
        }

        Done(Syscall.closedir(listing));
        return names;
    }
}
