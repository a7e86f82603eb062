using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Testing.Catalog;

namespace KeepFs.Engine.Tests.FileSystems;

/// <summary>What others change becomes visible: by asking, by events; and metadata that nobody needs is given back.</summary>
public sealed class SiteRefreshTests : IAsyncLifetime, IAsyncDisposable
{
    private const string OneFile = ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:added\n";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly SiteWorld _world = new();

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Open_collections_are_compared_in_one_request_each_refresh_time()
    {
        var uuids = new[] { await _world.CollectionAsync("a"), await _world.CollectionAsync("b") };
        await _world.OpenAsync(new SiteOptions { RefreshTime = TimeSpan.FromMilliseconds(20) });
        await _world.ListAsync("home/a");
        await _world.ListAsync("home/b");
        await ChangeAsync(uuids[1]);

        await ChangedAsync(() => true);
        Assert.Equal(["added"], await _world.ListAsync("home/b"));
    }

    [Fact]
    public async Task A_trashed_collection_disappears_from_by_id()
    {
        var uuid = await _world.CollectionAsync("a");
        await _world.OpenAsync(new SiteOptions { RefreshTime = TimeSpan.FromMilliseconds(20) });
        await _world.ListAsync("by_id/" + uuid);
        await _world.Catalog.TrashCollectionAsync(uuid, default);

        await ChangedAsync(() => _world.Changes.Any(change => change.EntryName == uuid));
        Assert.Equal(["README"], await _world.ListAsync("by_id"));
    }

    [Fact]
    public async Task Names_are_believed_for_the_refresh_time_and_no_longer()
    {
        await _world.CollectionAsync("a");
        await _world.OpenAsync(new SiteOptions { RefreshTime = TimeSpan.FromMinutes(10) });
        var node = await _world.Ops.NodeAsync("home/a");
        var item = await _world.Catalog.FindByNameAsync(MemoryCatalog.UserUuid, "a", CatalogFilters.None, default);
        await _world.Catalog.UpdateCollectionAsync(item!.Uuid, new CollectionChange { Collection = new CollectionWrite { Name = "b" } }, default);

        Assert.Same(node, await _world.Ops.NodeAsync("home/a"));
        _world.Time.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(await _world.Ops.StatAsync("home/a"));
        Assert.Same(node, await _world.Ops.NodeAsync("home/b"));
    }

    [Fact]
    public async Task Events_bring_changes_at_once_and_polling_rests()
    {
        var events = new FakeEvents();
        var uuid = await _world.CollectionAsync("a");
        await _world.OpenAsync(new SiteOptions { RefreshTime = TimeSpan.FromHours(1) }, events);
        await _world.ListAsync("home/a");
        events.Connect();
        await ChangeAsync(uuid);
        events.Send(new CatalogEvent("update", uuid, [MemoryCatalog.UserUuid]));

        await ChangedAsync(() => _world.Changes.Any(change => change.EntryName == "added"));
        Assert.Equal(["added"], await _world.ListAsync("home/a"));

        // The old and the new owner are asked again: the name is gone although it is fresh.
        await _world.Catalog.UpdateCollectionAsync(uuid, new CollectionChange { Collection = new CollectionWrite { Name = "moved" } }, default);
        _world.Changes.Clear();
        events.Send(new CatalogEvent("update", uuid, [MemoryCatalog.UserUuid]));
        await ChangedAsync(() => _world.Changes.Count > 0);
        Assert.Null(await _world.Ops.StatAsync("home/a"));
    }

    [Fact]
    public async Task What_was_missed_while_disconnected_is_asked_for_on_connecting()
    {
        var events = new FakeEvents();
        var uuid = await _world.CollectionAsync("a");
        await _world.OpenAsync(new SiteOptions { RefreshTime = TimeSpan.FromHours(1) }, events);
        await _world.ListAsync("home/a");
        await ChangeAsync(uuid);
        events.Connect();

        await ChangedAsync(() => _world.Changes.Any(change => change.EntryName == "added"));
        Assert.Equal(["added"], await _world.ListAsync("home/a"));
    }

    [Fact]
    public async Task Least_recently_used_collections_are_closed_when_metadata_takes_too_much()
    {
        for (var i = 0; i < 8; i++)
        {
            await _world.CollectionAsync($"c{i}", manifest: OneFile);
        }

        await _world.OpenAsync(new SiteOptions { MetadataBytes = 1 });
        var entries = new List<CollectionEntry>();
        for (var i = 0; i < 8; i++)
        {
            _world.Time.Advance(TimeSpan.FromSeconds(1));
            entries.Add((CollectionEntry)await _world.Ops.NodeAsync($"home/c{i}"));
            if (i == 0)
            {
                // The front refers to something inside: it must stay.
                _world.Site.Hold((await entries[0].LookupAsync("added", default))!);
            }

            await entries[i].ListAsync(default);
        }

        await Eventually(() => entries.Count(entry => entry.Opened is not null) == 5);
        Assert.NotNull(entries[0].Opened);
        Assert.All(entries[4..], entry => Assert.NotNull(entry.Opened));
        Assert.Contains(_world.Changes, change => change.EntryName == "c0");

        // What was closed opens again.
        Assert.Equal(["added"], await _world.ListAsync("home/c1"));
    }

    [Fact]
    public async Task Collections_reached_by_their_id_are_announced_under_it_when_they_are_closed()
    {
        var ids = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            ids.Add(await _world.CollectionAsync($"c{i}", manifest: OneFile));
        }

        await _world.OpenAsync(new SiteOptions { MetadataBytes = 1 });
        var entries = new List<CollectionEntry>();
        foreach (var id in ids)
        {
            _world.Time.Advance(TimeSpan.FromSeconds(1));
            var entry = (CollectionEntry)await _world.Ops.NodeAsync($"by_id/{id}");
            entries.Add(entry);
            if (entries.Count == 1)
            {
                // The front refers to it, and has to be told to let go.
                _world.Site.Hold(entry);
            }

            await entry.ListAsync(default);
        }

        await Eventually(() => entries.Count(entry => entry.Opened is not null) == 5);
        Assert.Contains(_world.Changes, change => change.EntryName == ids[0]);
    }

    [Fact]
    public async Task A_changed_collection_is_saved_before_it_is_closed()
    {
        await _world.OpenAsync(new SiteOptions { MetadataBytes = 1 });
        for (var i = 0; i < 6; i++)
        {
            await _world.CollectionAsync($"c{i}", manifest: OneFile);
        }

        await _world.WriteAsync("home/c0/new", "text");
        for (var i = 1; i < 6; i++)
        {
            _world.Time.Advance(TimeSpan.FromSeconds(1));
            await _world.ListAsync($"home/c{i}");
        }

        var entry = (CollectionEntry)await _world.Ops.NodeAsync("home/c0");
        await Eventually(() => entry.Opened is null);
        Assert.Equal("text", await _world.ReadAsync("home/c0/new"));
        Assert.Equal(1, _world.Catalog.Updates);
    }

    private async Task ChangeAsync(string uuid) =>
        await _world.Catalog.UpdateCollectionAsync(uuid, new CollectionChange { Collection = new CollectionWrite { ManifestText = Encoding.UTF8.GetBytes(OneFile) } }, default);

    private Task ChangedAsync(Func<bool> isEnough) => Eventually(() =>
    {
        lock (_world.Log)
        {
            return _world.Changes.Count > 0 && isEnough();
        }
    });

    private static async Task Eventually(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition())
        {
            await Task.Delay(5, limit.Token);
        }
    }

    private sealed class FakeEvents : ICatalogEvents
    {
        private readonly Channel<CatalogEvent?> _events = Channel.CreateUnbounded<CatalogEvent?>();

        public void Connect() => _events.Writer.TryWrite(null);

        public void Send(CatalogEvent change) => _events.Writer.TryWrite(change);

        public async IAsyncEnumerable<CatalogEvent?> ListenAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var change in _events.Reader.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
    }
}
