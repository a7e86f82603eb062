using System.Runtime.InteropServices;
using Mono.Unix.Native;

namespace KeepFs.Testing.Posix;

/// <summary>rename and renameat2.</summary>
public abstract partial class PosixContract
{
    private const int AtCurrent = -100;
    private const uint NoReplace = 1, Exchange = 2;

    [Fact]
    public void Rename_moves_a_file_with_its_content()
    {
        var (from, to) = (NewFile("text"), New());
        Done(Stdlib.rename(from, to));
        Assert.False(Exists(from));
        Assert.Equal("text", File.ReadAllText(to));
    }

    [Fact]
    public void Rename_replaces_a_file_and_who_has_it_open_keeps_it()
    {
        var (from, to) = (NewFile("new"), NewFile("old"));
        WithOpen(to, OpenFlags.O_RDONLY, file =>
        {
            Done(Stdlib.rename(from, to));
            Assert.Equal("old", ReadAt(file, 10, 0));
        });
        Assert.Equal("new", File.ReadAllText(to));
    }

    [Fact]
    public void A_renamed_file_that_is_open_is_written_under_its_new_name()
    {
        var (from, to) = (NewFile("one"), New());
        WithOpen(from, OpenFlags.O_RDWR, file =>
        {
            Done(Stdlib.rename(from, to));
            WriteAt(file, "two", 3);
        });
        Assert.Equal("onetwo", File.ReadAllText(to));
    }

    [Fact]
    public void Rename_onto_itself_does_nothing()
    {
        var path = NewFile("x");
        Done(Stdlib.rename(path, path));
        Assert.Equal("x", File.ReadAllText(path));
    }

    [Fact]
    public void Rename_moves_a_directory_with_everything_below()
    {
        var from = NewDirectory("a");
        Directory.CreateDirectory(from + "/sub/deep");
        File.WriteAllText(from + "/sub/deep/file", "x");
        var to = New();
        Done(Stdlib.rename(from, to));
        Assert.Equal("x", File.ReadAllText(to + "/sub/deep/file"));
        Assert.False(Exists(from));
    }

    [Fact]
    public void Rename_replaces_an_empty_directory_only()
    {
        var (from, empty, full) = (NewDirectory("a"), NewDirectory(), NewDirectory("b"));
        Fails(Errno.ENOTEMPTY, Stdlib.rename(from, full));
        Done(Stdlib.rename(from, empty));
        Assert.True(Exists(empty + "/a"));
    }

    [Fact]
    public void Rename_does_not_mix_files_and_directories()
    {
        Fails(Errno.EISDIR, Stdlib.rename(NewFile(), NewDirectory()));
        Fails(Errno.ENOTDIR, Stdlib.rename(NewDirectory(), NewFile()));
    }

    [Fact]
    public void A_directory_does_not_move_into_itself()
    {
        var path = NewDirectory();
        Directory.CreateDirectory(path + "/sub");
        Fails(Errno.EINVAL, Stdlib.rename(path, path + "/x"));
        Fails(Errno.EINVAL, Stdlib.rename(path, path + "/sub/x"));
        Fails(Errno.ENOTEMPTY, Stdlib.rename(path + "/sub", path));
    }

    [Fact]
    public void Rename_refuses_what_is_missing_and_the_dots()
    {
        Fails(Errno.ENOENT, Stdlib.rename(New(), New()));
        Fails(Errno.ENOENT, Stdlib.rename(NewFile(), New() + "/x"));
        Fails(Errno.ENOTDIR, Stdlib.rename(NewFile(), NewFile() + "/x"));
        Fails(Errno.ENOTDIR, Stdlib.rename(NewFile() + "/x", New()));
        Fails(Errno.EBUSY, Stdlib.rename(NewDirectory() + "/.", New()));
        Fails(Errno.EBUSY, Stdlib.rename(NewDirectory(), Root + "/.."));
    }

    [Fact]
    public void Rename_out_of_a_directory_and_back_keeps_everything()
    {
        var path = NewDirectory("a");
        var outside = New();
        Done(Stdlib.rename(path + "/a", outside));
        Assert.Empty(Directory.GetFiles(path));
        Done(Stdlib.rename(outside, path + "/a"));
        Assert.Equal("a", File.ReadAllText(path + "/a"));
    }

    [Fact]
    public void A_name_can_be_used_again_after_a_rename()
    {
        var (from, to) = (NewFile("old"), New());
        Done(Stdlib.rename(from, to));
        File.WriteAllText(from, "new");
        Assert.Equal(("new", "old"), (File.ReadAllText(from), File.ReadAllText(to)));
    }

    [Fact]
    public void RENAME_NOREPLACE_refuses_a_name_that_is_taken()
    {
        var (from, to) = (NewFile("from"), NewFile("to"));
        Fails(Errno.EEXIST, RenameAt2(AtCurrent, from, AtCurrent, to, NoReplace));
        Assert.Equal("to", File.ReadAllText(to));
        Done(RenameAt2(AtCurrent, from, AtCurrent, New(), NoReplace));
    }

    [Fact]
    public void RENAME_EXCHANGE_swaps_or_is_EINVAL()
    {
        var (one, two) = (NewFile("1"), NewFile("2"));
        if (HoldsOnlyContent)
        {
            Fails(Errno.EINVAL, RenameAt2(AtCurrent, one, AtCurrent, two, Exchange));
            Assert.Equal(("1", "2"), (File.ReadAllText(one), File.ReadAllText(two)));
        }
        else
        {
            Done(RenameAt2(AtCurrent, one, AtCurrent, two, Exchange));
            Assert.Equal(("2", "1"), (File.ReadAllText(one), File.ReadAllText(two)));
        }
    }

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(int fromDirectory, string from, int toDirectory, string to, uint flags);
}
