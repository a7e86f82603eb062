using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using static KeepFs.Engine.Tests.FileSystems.CollectionWorld;

namespace KeepFs.Engine.Tests.FileSystems;

public sealed class CollectionSaveTests
{
    private readonly CollectionWorld _world = new();

    [Fact]
    public async Task Saved_files_are_in_the_catalogue_and_small_ones_share_a_block()
    {
        var uuid = await _world.CreateAsync();
        var collection = await _world.OpenAsync(uuid);
        await WriteAsync(collection, "a.txt", "alpha");
        await WriteAsync(collection, "d/b.txt", "beta");
        await WriteAsync(collection, "d/empty", "");
        await DirectoryAsync(collection, "d/none");
        await collection.SaveAsync(default);

        Assert.Equal("a.txt=alpha|d/|d/b.txt=beta|d/empty=|d/none/", await _world.SavedAsync(uuid));
        Assert.Single(_world.Store.Blocks);
        Assert.False(collection.IsDirty);
        Assert.Equal("beta", await ReadAsync(collection, "d/b.txt"));
    }

    [Fact]
    public async Task Nothing_is_sent_when_nothing_changed()
    {
        var collection = await _world.OpenAsync(await _world.CreateAsync());
        await WriteAsync(collection, "a", "1");
        await collection.SaveAsync(default);
        await collection.SaveAsync(default);
        Assert.Equal(1, _world.Catalog.Updates);
    }

    [Fact]
    public async Task Every_kind_of_change_survives_reopening()
    {
        var uuid = await _world.CreateAsync();
        var collection = await _world.OpenAsync(uuid);
        foreach (var path in (string[])["keep", "gone", "old", "dir/x", "dir/y", "dir/sub/z", "full/f"])
        {
            await WriteAsync(collection, path, path);
        }

        await collection.SaveAsync(default);
        collection = await _world.OpenAsync(uuid);
        await collection.Root.RemoveAsync("gone", NodeKind.File, default);
        await collection.Root.RenameAsync("old", collection.Root, "new", true, default);
        await collection.Root.RenameAsync("dir", await DirectoryAsync(collection, "into"), "moved", true, default);
        await WriteAsync(collection, "into/moved/x", "X", 0);
        await (await DirectoryAsync(collection, "into/moved")).RemoveAsync("y", NodeKind.File, default);
        await (await DirectoryAsync(collection, "full")).RemoveAsync("f", NodeKind.File, default);
        await collection.SaveAsync(default);

        const string expected = "full/|into/|into/moved/|into/moved/sub/|into/moved/sub/z=dir/sub/z|into/moved/x=Xir/x|keep=keep|new=old";
        Assert.Equal(expected, await _world.SavedAsync(uuid));
        await WriteAsync(collection, "into/moved/sub/more", "m");
        await collection.Root.RenameAsync("into", collection.Root, "out", true, default);
        await collection.SaveAsync(default);
        Assert.Equal(expected.Replace("into", "out", StringComparison.Ordinal).Replace("|keep=keep|new=old", "", StringComparison.Ordinal).Replace("|out/moved/sub/z", "|out/moved/sub/more=m|out/moved/sub/z", StringComparison.Ordinal).Insert(6, "keep=keep|new=old|"), await _world.SavedAsync(uuid));
    }

    [Fact]
    public async Task Changes_to_different_paths_by_others_merge()
    {
        var uuid = await _world.CreateAsync();
        var (mine, theirs) = (await _world.OpenAsync(uuid), await _world.OpenAsync(uuid));
        await WriteAsync(theirs, "d/theirs", "2");
        await theirs.SaveAsync(default);
        await WriteAsync(mine, "d/mine", "1");
        await mine.SaveAsync(default);

        Assert.Equal("d/|d/mine=1|d/theirs=2", await _world.SavedAsync(uuid));
        Assert.Equal("2", await ReadAsync(mine, "d/theirs"));
    }

    [Fact]
    public async Task The_same_path_changed_on_both_sides_keeps_both()
    {
        var uuid = await _world.CreateAsync();
        var (mine, theirs) = (await _world.OpenAsync(uuid), await _world.OpenAsync(uuid));
        await WriteAsync(theirs, "f", "first");
        await theirs.SaveAsync(default);
        await WriteAsync(mine, "f", "later");
        await mine.SaveAsync(default);

        Assert.Matches("^f=first\\|f~[0-9]{8}-[0-9]{6}~conflict~=later$", await _world.SavedAsync(uuid));
        Assert.Contains(_world.Log, line => line.Contains("conflict", StringComparison.Ordinal));
        Assert.Equal("first", await ReadAsync(mine, "f"));
    }

    [Fact]
    public async Task A_removal_here_yields_to_a_change_there()
    {
        var uuid = await _world.CreateAsync();
        var mine = await _world.OpenAsync(uuid);
        await WriteAsync(mine, "d/f", "old");
        await WriteAsync(mine, "d/g", "old");
        await mine.SaveAsync(default);
        var theirs = await _world.OpenAsync(uuid);
        await WriteAsync(theirs, "d/f", "new");
        await theirs.SaveAsync(default);

        var directory = await DirectoryAsync(mine, "d");
        await directory.RemoveAsync("f", NodeKind.File, default);
        await directory.RemoveAsync("g", NodeKind.File, default);
        await mine.Root.RemoveAsync("d", NodeKind.Directory, default);
        await mine.SaveAsync(default);
        Assert.Equal("d/|d/f=new", await _world.SavedAsync(uuid));
        Assert.Equal("new", await ReadAsync(mine, "d/f"));
    }

    [Fact]
    public async Task A_change_here_survives_a_removal_there()
    {
        var uuid = await _world.CreateAsync();
        var mine = await _world.OpenAsync(uuid);
        await WriteAsync(mine, "d/f", "old");
        await WriteAsync(mine, "d/g", "old");
        await mine.SaveAsync(default);
        var theirs = await _world.OpenAsync(uuid);
        var directory = await DirectoryAsync(theirs, "d");
        await directory.RemoveAsync("f", NodeKind.File, default);
        await directory.RemoveAsync("g", NodeKind.File, default);
        await theirs.Root.RemoveAsync("d", NodeKind.Directory, default);
        await theirs.SaveAsync(default);
        Assert.Equal("", await _world.SavedAsync(uuid));

        await WriteAsync(mine, "d/f", "NEW");
        await mine.SaveAsync(default);
        Assert.Equal("d/|d/f=NEW", await _world.SavedAsync(uuid));
    }

    [Fact]
    public async Task A_directory_moved_here_and_changed_there_keeps_both()
    {
        var uuid = await _world.CreateAsync();
        var mine = await _world.OpenAsync(uuid);
        await WriteAsync(mine, "d/same", "s");
        await WriteAsync(mine, "d/f", "old");
        await mine.SaveAsync(default);
        mine = await _world.OpenAsync(uuid);
        var theirs = await _world.OpenAsync(uuid);
        await WriteAsync(theirs, "d/f", "new");
        await theirs.SaveAsync(default);
        await mine.Root.RenameAsync("d", mine.Root, "e", true, default);
        await mine.SaveAsync(default);
        Assert.Equal("d/|d/f=new|e/|e/f=old|e/same=s", await _world.SavedAsync(uuid));
        Assert.Equal("new", await ReadAsync(mine, "d/f"));
        Assert.Null(await FindAsync(mine, "d/same"));
    }

    [Fact]
    public async Task Refresh_brings_in_what_others_saved_and_announces_it()
    {
        var uuid = await _world.CreateAsync();
        var mine = await _world.OpenAsync(uuid);
        await WriteAsync(mine, "f", "1");
        await WriteAsync(mine, "gone", "1");
        await mine.SaveAsync(default);
        var node = await FindAsync(mine, "f");
        var gone = await FindAsync(mine, "gone");
        var theirs = await _world.OpenAsync(uuid);
        await WriteAsync(theirs, "f", "22");
        await WriteAsync(theirs, "added", "3");
        await theirs.Root.RemoveAsync("gone", NodeKind.File, default);
        await theirs.SaveAsync(default);
        await mine.RefreshAsync(default);

        Assert.Equal("22", await ReadAsync(mine, "f"));
        Assert.Same(node, await FindAsync(mine, "f"));
        Assert.Equal("3", await ReadAsync(mine, "added"));
        Assert.Null(await FindAsync(mine, "gone"));
        Assert.Contains(new NodeChange(node!, null), _world.Changes);
        Assert.Contains(new NodeChange(mine.Root, "gone"), _world.Changes);
        Assert.Contains(new NodeChange(mine.Root, "added"), _world.Changes);
        Assert.False(mine.IsDirty);
        Assert.NotNull(gone);
    }

    [Fact]
    public async Task A_failed_upload_or_save_loses_nothing_and_succeeds_later()
    {
        var uuid = await _world.CreateAsync();
        var collection = await _world.OpenAsync(uuid);
        await WriteAsync(collection, "d/f", "precious");
        _world.Store.WriteFailure = new KeepException(KeepErrorKind.InsufficientReplicas, "no keepstore");
        Assert.Equal(FsError.InputOutput, (await Assert.ThrowsAsync<FsException>(() => collection.SaveAsync(default))).Error);
        _world.Store.WriteFailure = new KeepException(KeepErrorKind.Full, "full");
        Assert.Equal(FsError.NoSpace, (await Assert.ThrowsAsync<FsException>(() => collection.SaveAsync(default))).Error);
        _world.Store.WriteFailure = null;
        _world.Catalog.UpdateFailure = new CatalogException(CatalogErrorKind.Unavailable, "away");
        await Assert.ThrowsAsync<FsException>(() => collection.SaveAsync(default));
        _world.Catalog.UpdateFailure = new CatalogException(CatalogErrorKind.QuotaExceeded, "no more");
        Assert.Equal(FsError.NoSpace, (await Assert.ThrowsAsync<FsException>(() => collection.SaveAsync(default))).Error);
        Assert.Equal("precious", await ReadAsync(collection, "d/f"));
        _world.Catalog.UpdateFailure = null;
        await collection.SaveAsync(default);
        Assert.Equal("d/|d/f=precious", await _world.SavedAsync(uuid));
        Assert.Equal(0, _world.WritePool.OutBytes);
    }

    [Fact]
    public async Task A_save_whose_answer_was_lost_makes_no_conflict()
    {
        var uuid = await _world.CreateAsync();
        var collection = await _world.OpenAsync(uuid);
        await WriteAsync(collection, "f", "once");
        _world.Catalog.LoseAnswers = true;
        await Assert.ThrowsAsync<FsException>(() => collection.SaveAsync(default));
        _world.Catalog.LoseAnswers = false;
        await collection.SaveAsync(default);
        Assert.Equal("f=once", await _world.SavedAsync(uuid));
    }

    [Fact]
    public async Task What_is_written_during_a_save_is_saved_by_the_next_one()
    {
        var uuid = await _world.CreateAsync();
        var collection = await _world.OpenAsync(uuid);
        await WriteAsync(collection, "f", "before");
        await WriteAsync(collection, "moves", "m");
        _world.Catalog.BeforeUpdate = async () =>
        {
            _world.Catalog.BeforeUpdate = () => Task.CompletedTask;
            await WriteAsync(collection, "f", "AFTER!", 0);
            await WriteAsync(collection, "g", "new");
            await collection.Root.RenameAsync("moves", collection.Root, "moved", true, default);
        };
        await collection.SaveAsync(default);
        Assert.Equal("f=before|moves=m", await _world.SavedAsync(uuid));
        Assert.True(collection.IsDirty);
        await collection.SaveAsync(default);
        Assert.Equal("f=AFTER!|g=new|moved=m", await _world.SavedAsync(uuid));
        Assert.Null(await FindAsync(collection, "moves"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_name_that_is_used_twice_and_freed_during_a_save_stays_free(bool removed)
    {
        var uuid = await _world.CreateAsync();
        var collection = await _world.OpenAsync(uuid);
        await WriteAsync(collection, "f", "old");
        await WriteAsync(collection, "d/x", "old");
        _world.Catalog.BeforeUpdate = async () =>
        {
            _world.Catalog.BeforeUpdate = () => Task.CompletedTask;
            await collection.Root.RemoveAsync("f", NodeKind.File, default);
            await collection.Root.RenameAsync("d", collection.Root, "moved", true, default);

            // What has the names now is not what the save is about to put there.
            await WriteAsync(collection, "f", "second");
            await DirectoryAsync(collection, "d");
            if (removed)
            {
                await collection.Root.RemoveAsync("f", NodeKind.File, default);
                await collection.Root.RemoveAsync("d", NodeKind.Directory, default);
            }
            else
            {
                await collection.Root.RenameAsync("f", collection.Root, "f2", true, default);
                await collection.Root.RenameAsync("d", collection.Root, "d2", true, default);
            }
        };
        await collection.SaveAsync(default);
        Assert.Null(await FindAsync(collection, "f"));
        Assert.Null(await FindAsync(collection, "d"));
        await collection.SaveAsync(default);
        Assert.Equal((removed ? "" : "d2/|f2=second|") + "moved/|moved/x=old", await _world.SavedAsync(uuid));
        Assert.False(collection.IsDirty);
    }

    [Fact]
    public async Task A_name_that_came_and_went_during_a_save_is_not_removed_in_the_catalogue()
    {
        var uuid = await _world.CreateAsync();
        var collection = await _world.OpenAsync(uuid);
        await WriteAsync(collection, "f", "kept");
        _world.Catalog.BeforeUpdate = async () =>
        {
            _world.Catalog.BeforeUpdate = () => Task.CompletedTask;
            await WriteAsync(collection, "passing", "x");
            await collection.Root.RemoveAsync("passing", NodeKind.File, default);
        };
        await collection.SaveAsync(default);
        await collection.SaveAsync(default);
        Assert.Equal("f=kept", await _world.SavedAsync(uuid));
        Assert.False(collection.IsDirty);
    }

    [Fact]
    public async Task Closing_saves_in_the_background()
    {
        var world = new CollectionWorld { Options = new CollectionOptions { SaveDelay = TimeSpan.Zero } };
        var saved = new TaskCompletionSource();
        world.Catalog.BeforeUpdate = () =>
        {
            saved.TrySetResult();
            return Task.CompletedTask;
        };
        var uuid = await world.CreateAsync();
        var collection = await world.OpenAsync(uuid);
        await WriteAsync(collection, "f", "text");
        await saved.Task;
        await collection.SaveAsync(default);
        Assert.Equal("f=text", await world.SavedAsync(uuid));
    }

    [Fact]
    public async Task A_refresh_between_moves_of_directories_brings_back_nothing()
    {
        var uuid = await _world.CreateAsync();
        var mine = await _world.OpenAsync(uuid);
        await WriteAsync(mine, "a/old", "1");
        await WriteAsync(mine, "b/new", "2");
        await mine.SaveAsync(default);
        await mine.Root.RenameAsync("a", mine.Root, "c", true, default);
        await mine.Root.RenameAsync("b", mine.Root, "a", true, default);
        var theirs = await _world.OpenAsync(uuid);
        await WriteAsync(theirs, "elsewhere", "3");
        await theirs.SaveAsync(default);
        await mine.RefreshAsync(default);

        Assert.Null(await FindAsync(mine, "a/old"));
        await mine.SaveAsync(default);
        Assert.Equal("a/|a/new=2|c/|c/old=1|elsewhere=3", await _world.SavedAsync(uuid));
    }

    [Fact]
    public async Task Many_writers_to_one_collection_lose_nothing()
    {
        var uuid = await _world.CreateAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            var collection = await _world.OpenAsync(uuid);
            for (var i = 0; i < 5; i++)
            {
                await WriteAsync(collection, $"d{i}/w{writer}", $"{writer}{i}");
                await collection.SaveAsync(default);
            }
        }));
        var saved = await _world.SavedAsync(uuid);
        Assert.Equal(8 * 5, saved.Split('|').Count(entry => entry.Contains('=', StringComparison.Ordinal)));
        Assert.DoesNotContain("conflict", saved, StringComparison.Ordinal);
    }
}
