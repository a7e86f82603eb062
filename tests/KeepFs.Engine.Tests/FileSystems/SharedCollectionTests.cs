using KeepFs.Engine.FileSystems;

namespace KeepFs.Engine.Tests.FileSystems;

/// <summary>One collection at several places of a tree: one open collection, what each place shows, who is told, and when it ends.</summary>
public sealed class SharedCollectionTests : IAsyncLifetime, IAsyncDisposable
{
    private const string OneFile = "./d d41d8cd98f00b204e9800998ecf8427e+0 0:0:f\n";
    private readonly SiteWorld _world = new();
    private string _uuid = "";

    public async Task InitializeAsync()
    {
        _uuid = await _world.CollectionAsync("c", manifest: OneFile);
        await _world.OpenAsync();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Files_are_the_same_nodes_and_directories_are_not()
    {
        Assert.Same(await _world.Ops.NodeAsync("home/c/d/f"), await _world.Ops.NodeAsync($"by_id/{_uuid}/d/f"));
        var (first, second) = (await _world.Ops.NodeAsync("home/c/d"), await _world.Ops.NodeAsync($"by_id/{_uuid}/d"));
        Assert.NotEqual(first.Id, second.Id);
        Assert.Same(second, await _world.Ops.NodeAsync($"by_id/{_uuid}/d"));
        Assert.NotEqual((await _world.Ops.NodeAsync("home/c")).Id, (await _world.Ops.NodeAsync($"by_id/{_uuid}")).Id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_change_is_announced_at_the_other_place_only(bool atSecond)
    {
        string[] places = ["home/c/d", $"by_id/{_uuid}/d"];
        var nodes = new[] { (IDirectoryNode)await _world.Ops.NodeAsync(places[0]), (IDirectoryNode)await _world.Ops.NodeAsync(places[1]) };
        var (here, there) = atSecond ? (nodes[1], nodes[0]) : (nodes[0], nodes[1]);
        _world.Changes.Clear();

        await here.CreateFileAsync("new", default);
        await here.CreateDirectoryAsync("dir", default);
        await here.RenameAsync("new", here, "renamed", mayReplace: true, default);
        await here.RemoveAsync("renamed", NodeKind.File, default);

        Assert.Equal(["new", "dir", "new", "renamed", "renamed"], _world.Changes.Select(change => change.EntryName));
        Assert.All(_world.Changes, change => Assert.Same(there, change.Node));
        Assert.Equal(["dir", "f"], (await there.ListAsync(default)).Select(entry => entry.Name));
    }

    [Fact]
    public async Task A_directory_moved_from_one_place_to_the_other_is_asked_for_again_there()
    {
        var (first, second) = ((IDirectoryNode)await _world.Ops.NodeAsync("home/c"), (IDirectoryNode)await _world.Ops.NodeAsync($"by_id/{_uuid}"));
        await _world.Ops.NodeAsync("home/c/d");
        await _world.Ops.NodeAsync($"by_id/{_uuid}/d");
        _world.Changes.Clear();

        await first.RenameAsync("d", second, "moved", mayReplace: true, default);

        Assert.Contains(_world.Changes, change => change == new NodeChange(second, "moved"));
        Assert.Contains(_world.Changes, change => change == new NodeChange(second, "d"));
        Assert.NotNull(await _world.Ops.NodeAsync($"by_id/{_uuid}/moved/f"));
        Assert.NotNull(await _world.Ops.NodeAsync("home/c/moved/f"));
    }

    [Fact]
    public async Task What_is_not_saved_is_there_at_both_and_is_saved_once()
    {
        await _world.WriteAsync("home/c/d/g", "text");
        Assert.Equal("text", await _world.ReadAsync($"by_id/{_uuid}/d/g"));
        await _world.WriteAsync($"by_id/{_uuid}/h", "more");
        await _world.Site.SyncAllAsync(default);
        Assert.Equal(1, _world.Catalog.Updates);
        Assert.Equal(["d", "h"], await _world.ListAsync("home/c"));
    }

    [Fact]
    public async Task It_is_closed_when_no_place_is_held()
    {
        await _world.OpenAsync(new SiteOptions { MetadataBytes = 1 });
        var entry = (CollectionEntry)await _world.Ops.NodeAsync("home/c");
        await _world.ListAsync($"by_id/{_uuid}/d");
        _world.Site.Hold(await _world.Ops.NodeAsync($"by_id/{_uuid}/d"));
        Assert.False(await entry.Shared.TryCloseAsync(default));
        _world.Site.Release(await _world.Ops.NodeAsync($"by_id/{_uuid}/d"));
        Assert.True(await entry.Shared.TryCloseAsync(default));
        Assert.Null(entry.Opened);
        Assert.Equal(["f"], await _world.ListAsync("home/c/d"));
        Assert.Equal(["f"], await _world.ListAsync($"by_id/{_uuid}/d"));
    }

    [Fact]
    public async Task Removing_the_collection_at_one_place_takes_it_away_at_the_other()
    {
        await _world.Ops.CreateDirectoryAsync("home/empty");
        var uuid = ((CollectionEntry)await _world.Ops.NodeAsync("home/empty")).CollectionId;
        await _world.ListAsync("by_id/" + uuid);
        var home = (IDirectoryNode)await _world.Ops.NodeAsync("home");
        await home.RemoveAsync("empty", NodeKind.Directory, default);
        Assert.DoesNotContain(uuid, await _world.ListAsync("by_id"));
        Assert.Contains(_world.Changes, change => change.EntryName == uuid);
    }
}
