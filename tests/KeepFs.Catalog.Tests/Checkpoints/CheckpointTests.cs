using System.Text.Json.Nodes;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Tests.Checkpoints;

/// <summary>What the catalogue stores of itself, and what is made of it when only the volumes are left (docs/decisions/0040-checkpoints.md).</summary>
public abstract class CheckpointTests(DatabaseKind database) : IAsyncLifetime
{
    private const string Checkpoints = "collections?count=none&limit=100&order=uuid&filters=[[\"uuid\",\"like\",\"zzzzz-4zz18-keepfsckp%25\"]]";
    private CheckpointCluster _cluster = null!;
    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = (_cluster = await CheckpointCluster.StartAsync(database)).Catalog;

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Lost_catalogue_is_rebuilt_from_the_volumes_as_it_was(int seed)
    {
        await new RandomRecords(_catalog, new Random(seed)).MakeAsync();
        await RegisterKeepstoresAsync();
        var first = await _cluster.SaveAsync("first", "the first text", new JsonObject { ["preserve_version"] = true });
        Assert.True((bool)(await _cluster.CheckpointAsync())["full"]!);
        var late = await _cluster.SaveAsync("late", "a later text");
        var gone = await _cluster.SaveAsync("gone", "text that goes");
        Assert.False((bool)(await _cluster.CheckpointAsync())["full"]!);
        await _catalog.PutAsync(_catalog.ActiveToken, $"collections/{first}", new JsonObject { ["name"] = "renamed", ["description"] = "second version" });
        await DeleteNowAsync(gone);
        await _catalog.PostAsync(_catalog.ActiveToken, $"collections/{late}/trash");
        Assert.False((bool)(await _cluster.CheckpointAsync())["full"]!);
        await _cluster.SaveAsync("after", "what was saved after the checkpoint is lost");
        var expected = Comparable(await _catalog.ExportAsync(_catalog.AdminToken)).Where(line => !line.Contains("\"after\"", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var files = _cluster.Volumes.SelectMany(Snapshot).ToList();

        var (report, lines, skipped) = await _cluster.RebuildAsync();

        Assert.Empty(skipped);
        Assert.Equal((3, "zzzzz"), (report!.Checkpoint.Sequence, report.Checkpoint.ClusterId));
        Assert.Equal(files, _cluster.Volumes.SelectMany(Snapshot));
        await using var fresh = await _cluster.StartFreshAsync(database);
        fresh.Clock.Advance(TimeSpan.FromHours(1));
        var imported = await fresh.ImportAsync(fresh.AdminToken, lines);
        Assert.True(imported.Status == 200, imported.Text);
        Assert.Empty(imported.Json["warnings"]!.AsArray());
        Assert.Equal(expected, Comparable(await fresh.ExportAsync(fresh.AdminToken)).Order(StringComparer.Ordinal));
        Assert.Equal("the first text", await _cluster.ReadAsync(fresh, first));
        Assert.Equal(200, (await fresh.PostAsync(fresh.ActiveToken, $"collections/{late}/untrash")).Status);
        Assert.Equal("a later text", await _cluster.ReadAsync(fresh, late));
        Assert.Equal(404, (await fresh.GetAsync(fresh.AdminToken, $"collections/{gone}?include_trash=true")).Status);
        const string Lists = "groups?order=uuid&limit=1000&include_trash=true|collections?order=uuid&limit=1000&include_old_versions=true|links?order=uuid&limit=1000";
        await _catalog.DeleteAsync(_catalog.ActiveToken, $"collections/{await UuidAsync("after")}");
        await _catalog.PostAsync(_catalog.ActiveToken, $"collections/{late}/untrash");
        foreach (var list in Lists.Split('|'))
        {
            Assert.Equal((await _catalog.GetAsync(_catalog.ActiveToken, list)).ItemTexts("uuid"), (await fresh.GetAsync(fresh.ActiveToken, list)).ItemTexts("uuid"));
            Assert.Equal((await _catalog.GetAsync(_catalog.SpectatorToken, list)).ItemTexts("uuid"), (await fresh.GetAsync(fresh.SpectatorToken, list)).ItemTexts("uuid"));
        }

        // The random records name blocks that were never stored.
        Assert.NotEmpty(report.Missing);
        Assert.DoesNotContain(report.Missing, block => block.CollectionUuid == first || block.CollectionUuid == late);
    }

    [Fact]
    public async Task Rebuilt_catalogue_goes_on_with_its_checkpoints()
    {
        await _cluster.SaveAsync("one", "text");
        await _cluster.CheckpointAsync();
        var (before, lines, _) = await _cluster.RebuildAsync();
        await using var fresh = await _cluster.StartFreshAsync(database);
        // As the start of a new machine does it, before anybody thinks of rebuilding: nothing of an empty catalogue must hide what is there.
        await fresh.Server.CheckpointAsync(CancellationToken.None);
        Assert.Single(await _cluster.FindAsync());
        Assert.Equal(200, (await fresh.ImportAsync(fresh.AdminToken, lines)).Status);
        fresh.Clock.Advance(TimeSpan.FromHours(1));

        await fresh.Server.CheckpointAsync(CancellationToken.None);

        var found = await _cluster.FindAsync();
        Assert.Equal([2, 1], found.Select(checkpoint => checkpoint.Sequence));
        Assert.Equal(before!.Checkpoint.Lineage, found[0].Lineage);
        Assert.True(found[0].IsSealedBy(TestCatalog.RootToken));
        Assert.False(found[0].IsSealedBy(TestCatalog.RootToken + "x"));
    }

    [Fact]
    public async Task Damaged_checkpoint_is_passed_over_for_the_one_before()
    {
        await _cluster.SaveAsync("one", "text");
        await _cluster.CheckpointAsync(isFull: true);
        await _cluster.SaveAsync("two", "text");
        await _cluster.CheckpointAsync(isFull: true);
        await _cluster.SaveAsync("three", "text");
        await _cluster.CheckpointAsync();
        var found = await _cluster.FindAsync();
        var data = found.Select(checkpoint => checkpoint.Head.Parts[^1].Blocks.Single()).ToList();

        // One good copy of each is enough.
        _cluster.Damage(0, data[0]);
        _cluster.Damage(1, found[0].Block.ToString());
        Assert.Equal(3, (await _cluster.RebuildAsync()).Report!.Checkpoint.Sequence);

        _cluster.Damage(1, data[0]);
        var (second, lines, skipped) = await _cluster.RebuildAsync();
        Assert.Equal($"3: there is no good copy of its block {data[0]}", Assert.Single(skipped));
        Assert.Equal(2, second!.Checkpoint.Sequence);
        Assert.Contains("\"two\"", lines, StringComparison.Ordinal);
        Assert.DoesNotContain("\"three\"", lines, StringComparison.Ordinal);

        _cluster.Damage(0, found[1].Block.ToString());
        File.Delete(Path.Join(_cluster.Volumes[1], found[1].Block.ToString()[..3], found[1].Block.ToString()));
        Assert.Equal(1, (await _cluster.RebuildAsync()).Report!.Checkpoint.Sequence);

        foreach (var volume in (int[])[0, 1])
        {
            _cluster.Damage(volume, data[2]);
        }

        Assert.Null((await _cluster.RebuildAsync()).Report);
    }

    [Fact]
    public async Task Old_checkpoints_are_removed_and_the_others_hold_their_blocks()
    {
        for (var i = 1; i <= 9; i++)
        {
            await _cluster.SaveAsync($"collection{i}", "text");
            await _cluster.CheckpointAsync(isFull: i is 1 or 4 or 6);
        }

        // The newest three, and the newest on each of the full ones before: 1 to 3 stand on 1, 4 and 5 on 4, the rest on 6.
        var kept = (await _catalog.GetAsync(_catalog.AdminToken, Checkpoints)).Items.Select(item => (int)item!["properties"]!["sequence"]!).Order();
        Assert.Equal([3, 5, 7, 8, 9], kept);
        var newest = (await _cluster.FindAsync())[0];
        foreach (var block in newest.Head.Parts.SelectMany(part => part.Blocks).Append(newest.Block.ToString()))
        {
            var users = await _catalog.GetAsync(_catalog.AdminToken, $"/keepfs/v1/blocks/{block}");
            Assert.Contains("Checkpoint 9", users.ItemTexts("name").Select(name => name[.."Checkpoint 9".Length]));
        }

        // The blocks of those that are gone lie there still, but nothing holds them.
        var oldest = (await _cluster.FindAsync())[^1];
        Assert.Equal(404, (await _catalog.GetAsync(_catalog.AdminToken, $"/keepfs/v1/blocks/{oldest.Block}")).Status);
        Assert.Equal(404, (await _catalog.GetAsync(_catalog.ActiveToken, $"/keepfs/v1/blocks/{newest.Block}")).Status);
        Assert.Empty((await _catalog.GetAsync(_catalog.ActiveToken, Checkpoints)).Items);
        Assert.DoesNotContain("keepfsckp", (await _cluster.RebuildAsync()).Lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Checkpoint_is_made_only_when_something_changed()
    {
        await _catalog.Server.CheckpointAsync(CancellationToken.None);
        Assert.Empty((await _catalog.GetAsync(_catalog.AdminToken, Checkpoints)).Items);
        var uuid = await _cluster.SaveAsync("one", "text");
        await _catalog.Server.CheckpointAsync(CancellationToken.None);
        await _catalog.Server.CheckpointAsync(CancellationToken.None);
        await _catalog.CreateAsync(_catalog.ActiveToken, "api_client_authorizations", []);
        await _catalog.Server.CheckpointAsync(CancellationToken.None);
        Assert.Single((await _catalog.GetAsync(_catalog.AdminToken, Checkpoints)).Items);

        await _catalog.RestartAsync();
        await _catalog.Server.CheckpointAsync(CancellationToken.None);
        Assert.Single((await _catalog.GetAsync(_catalog.AdminToken, Checkpoints)).Items);

        await _catalog.PutAsync(_catalog.ActiveToken, $"collections/{uuid}", new JsonObject { ["name"] = "other" });
        await _catalog.Server.CheckpointAsync(CancellationToken.None);
        Assert.Equal(2, (await _catalog.GetAsync(_catalog.AdminToken, Checkpoints)).Items.Count);
    }

    [Fact]
    public async Task Records_from_elsewhere_make_the_next_one_full()
    {
        await _cluster.SaveAsync("one", "text");
        await _cluster.CheckpointAsync();
        Assert.Equal(200, (await _catalog.ImportAsync(_catalog.AdminToken, ExchangeTests.Sample)).Status);

        await _catalog.Server.CheckpointAsync(CancellationToken.None);

        var newest = (await _cluster.FindAsync())[0];
        Assert.True(Assert.Single(newest.Head.Parts).IsFull);
        Assert.Contains("zzzzz-4zz18-importedimporte", (await _cluster.RebuildAsync()).Lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_keepstores_nothing_is_made_and_the_last_one_stays()
    {
        await _cluster.SaveAsync("one", "text");
        await _cluster.CheckpointAsync();
        await _cluster.StopKeepstoresAsync();
        await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["name"] = "two" });

        var making = _catalog.PostAsync(_catalog.AdminToken, "/keepfs/v1/catalog/checkpoint");
        // Nobody waits for it.
        Assert.Equal(200, (await _catalog.PostAsync(_catalog.ActiveToken, "collections", new JsonObject { ["name"] = "three" })).Status);
        var refused = await making;

        Assert.Equal(503, refused.Status);
        Assert.Contains("the checkpoint was not made: Block ", refused.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await _cluster.RebuildAsync()).Report!.Checkpoint.Sequence);
        // One that is given up leaves no claim that holds up the next.
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _catalog.Server.CheckpointAsync(soon.Token));
        Assert.Contains("the checkpoint was not made: Block ", (await _catalog.PostAsync(_catalog.AdminToken, "/keepfs/v1/catalog/checkpoint")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_are_not_in_it()
    {
        await new RandomRecords(_catalog, new Random(4)).MakeAsync();
        await RegisterKeepstoresAsync();
        await _cluster.CheckpointAsync();

        var lines = (await _cluster.RebuildAsync()).Lines;

        Assert.DoesNotContain("gj3su", lines, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", lines, StringComparison.Ordinal);
        Assert.Equal(403, (await _catalog.PostAsync(_catalog.ActiveToken, "/keepfs/v1/catalog/checkpoint")).Status);
    }

    [Fact]
    public async Task Timer_makes_them()
    {
        await using var cluster = await CheckpointCluster.StartAsync(database, TimeSpan.FromMilliseconds(20));
        await cluster.SaveAsync("one", "text");
        var limit = TimeProvider.System.GetTimestamp();
        while ((await cluster.FindAsync()).Count == 0)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromSeconds(30), "No checkpoint was made by itself.");
            await Task.Delay(10);
        }
    }

    internal static IEnumerable<(string, long, DateTime)> Snapshot(string folder) =>
        new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Select(entry => (entry.FullName, entry is FileInfo file ? file.Length : 0, entry.LastWriteTimeUtc)).OrderBy(entry => entry.FullName, StringComparer.Ordinal);

    /// <summary>Lines of an export without what a checkpoint does not hold, or what both catalogues have made for themselves.</summary>
    private static IEnumerable<string> Comparable(string export) => export.TrimEnd('\n').Split('\n').Where(line => !line.Contains("keepfsckp", StringComparison.Ordinal)
        && !line.Contains("keepfscheckpnts", StringComparison.Ordinal) && JsonNode.Parse(line)!["kind"]!.GetValue<string>() is not ("arvados#apiClientAuthorization" or "arvados#log" or "keepfs#davLock" or "keepfs#catalogExportEnd"));

    private async Task RegisterKeepstoresAsync()
    {
        foreach (var item in (await _catalog.GetAsync(_catalog.AdminToken, "keep_services")).Items)
        {
            await _catalog.PutAsync(_catalog.AdminToken, $"keep_services/{item!["uuid"]}", new JsonObject { ["service_type"] = "gateway:none" });
        }

        foreach (var url in _cluster.Addresses)
        {
            await _catalog.CreateAsync(_catalog.AdminToken, "keep_services", new JsonObject { ["service_host"] = url.Host, ["service_port"] = url.Port, ["service_type"] = "disk" });
        }
    }

    private async Task DeleteNowAsync(string uuid)
    {
        // What the sweep does with it weeks later; the log of those weeks would be gone by then too.
        await _catalog.Server.Database.WriteAsync(
            session =>
            {
                TrashSweep.Delete(session, new Uuids(TestCatalog.Cluster), RecordTypes.Collections, uuid);
                return true;
            },
            CancellationToken.None);
        Assert.Equal(404, (await _catalog.GetAsync(_catalog.AdminToken, $"collections/{uuid}?include_trash=true")).Status);
    }

    private async Task<string> UuidAsync(string name) =>
        (await _catalog.GetAsync(_catalog.ActiveToken, $"collections?filters=[[\"name\",\"=\",\"{name}\"]]")).Items.Single()!["uuid"]!.GetValue<string>();
}
