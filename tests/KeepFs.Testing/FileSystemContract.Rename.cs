using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>rename(2), each combination of what is moved and what is in the way.</summary>
public abstract partial class FileSystemContract
{
    [Fact]
    public async Task Rename_moves_a_file_within_and_between_directories()
    {
        await Ops.CreateDirectoryAsync(At("d"));
        await PutAsync("a", Bytes(10));

        await Ops.RenameAsync(At("a"), At("b"));
        Assert.Null(await Ops.StatAsync(At("a")));
        Assert.Equal(Bytes(10), await GetAsync("b"));

        await Ops.RenameAsync(At("b"), At("d/b"));
        Assert.Null(await Ops.StatAsync(At("b")));
        Assert.Equal(Bytes(10), await GetAsync("d/b"));
    }

    [Fact]
    public async Task Rename_moves_a_directory_with_all_below_it()
    {
        await Ops.CreateDirectoryAsync(At("a"));
        await Ops.CreateDirectoryAsync(At("a/b"));
        await PutAsync("a/b/f", Bytes(10));
        await Ops.CreateDirectoryAsync(At("other"));

        await Ops.RenameAsync(At("a"), At("other/c"));

        Assert.Null(await Ops.StatAsync(At("a/b/f")));
        Assert.Equal(Bytes(10), await GetAsync("other/c/b/f"));
    }

    [Fact]
    public async Task Rename_of_a_file_replaces_a_file()
    {
        await PutAsync("a", Bytes(10));
        await PutAsync("b", Bytes(2000, 2));

        await Ops.RenameAsync(At("a"), At("b"));

        Assert.Equal(["b"], await Ops.ListAsync(Here));
        Assert.Equal(Bytes(10), await GetAsync("b"));
    }

    [Fact]
    public async Task Rename_over_an_open_file_keeps_what_the_handle_has()
    {
        await PutAsync("a", Bytes(10));
        await PutAsync("b", Bytes(2000, 2));
        await using (var replaced = await Ops.OpenAsync(At("b"), FileAccess.ReadWrite))
        await using (var moved = await Ops.OpenAsync(At("a"), FileAccess.ReadWrite))
        {
            await Ops.RenameAsync(At("a"), At("b"));

            Assert.Equal(Bytes(2000, 2), await replaced.ReadAsync(0, 3000));
            await replaced.WriteAsync(0, Bytes(5, 3));
            await moved.WriteAsync(10, Bytes(5, 4));
        }

        Assert.Equal(Join(Bytes(10), Bytes(5, 4)), await GetAsync("b"));
    }

    [Fact]
    public async Task Rename_without_replacing_leaves_both()
    {
        await PutAsync("a", Bytes(10));
        await PutAsync("b", Bytes(20, 2));
        await Ops.CreateDirectoryAsync(At("d"));

        await FailsAsync(FsError.AlreadyExists, () => Ops.RenameAsync(At("a"), At("b"), mayReplace: false));
        await FailsAsync(FsError.AlreadyExists, () => Ops.RenameAsync(At("a"), At("d"), mayReplace: false));

        Assert.Equal(Bytes(10), await GetAsync("a"));
        Assert.Equal(Bytes(20, 2), await GetAsync("b"));
        await Ops.RenameAsync(At("a"), At("c"), mayReplace: false);
        Assert.Equal(Bytes(10), await GetAsync("c"));
    }

    [Fact]
    public async Task Rename_of_a_directory_replaces_an_empty_directory_only()
    {
        await Ops.CreateDirectoryAsync(At("a"));
        await PutAsync("a/f", Bytes(10));
        await Ops.CreateDirectoryAsync(At("empty"));
        await Ops.CreateDirectoryAsync(At("full"));
        await PutAsync("full/g", Bytes(20));

        await FailsAsync(FsError.NotEmpty, () => Ops.RenameAsync(At("a"), At("full")));
        Assert.Equal(Bytes(20), await GetAsync("full/g"));

        await Ops.RenameAsync(At("a"), At("empty"));
        Assert.Equal(["empty", "full"], (await Ops.ListAsync(Here)).Order());
        Assert.Equal(Bytes(10), await GetAsync("empty/f"));
    }

    [Fact]
    public async Task Rename_between_kinds_is_an_error()
    {
        await PutAsync("f", Bytes(10));
        await Ops.CreateDirectoryAsync(At("d"));

        await FailsAsync(FsError.IsADirectory, () => Ops.RenameAsync(At("f"), At("d")));
        await FailsAsync(FsError.NotADirectory, () => Ops.RenameAsync(At("d"), At("f")));

        Assert.Equal(["d", "f"], (await Ops.ListAsync(Here)).Order());
        Assert.Equal(Bytes(10), await GetAsync("f"));
    }

    [Fact]
    public async Task Rename_of_a_directory_into_itself_is_an_error()
    {
        await Ops.CreateDirectoryAsync(At("a"));
        await Ops.CreateDirectoryAsync(At("a/b"));

        await FailsAsync(FsError.InvalidArgument, () => Ops.RenameAsync(At("a"), At("a/c")));
        await FailsAsync(FsError.InvalidArgument, () => Ops.RenameAsync(At("a"), At("a/b/c")));

        Assert.Equal(NodeKind.Directory, (await Ops.StatAsync(At("a/b")))!.Kind);
    }

    [Fact]
    public async Task Rename_over_its_own_parent_is_an_error()
    {
        await Ops.CreateDirectoryAsync(At("a"));
        await Ops.CreateDirectoryAsync(At("a/b"));

        await FailsAsync(FsError.NotEmpty, () => Ops.RenameAsync(At("a/b"), At("a")));

        Assert.Equal(["b"], await Ops.ListAsync(At("a")));
    }

    [Fact]
    public async Task Rename_to_itself_changes_nothing()
    {
        await PutAsync("f", Bytes(10));
        await Ops.CreateDirectoryAsync(At("d"));

        await Ops.RenameAsync(At("f"), At("f"));
        await Ops.RenameAsync(At("d"), At("d"));

        Assert.Equal(Bytes(10), await GetAsync("f"));
        Assert.Equal(["d", "f"], (await Ops.ListAsync(Here)).Order());
    }

    [Fact]
    public async Task Open_file_is_the_same_after_its_directory_moved()
    {
        await Ops.CreateDirectoryAsync(At("a"));
        await PutAsync("a/f", Bytes(10));
        await using (var file = await Ops.OpenAsync(At("a/f"), FileAccess.ReadWrite))
        {
            await Ops.RenameAsync(At("a"), At("b"));
            await file.WriteAsync(10, Bytes(10, 2));
        }

        Assert.Equal(Join(Bytes(10), Bytes(10, 2)), await GetAsync("b/f"));
    }
}
