using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Catalog.References;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Tests;

/// <summary>Which collection uses which block (decision 0039).</summary>
public abstract class ReferenceTests(DatabaseKind database)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task References_are_what_the_manifests_of_all_versions_say_after_any_change(int seed)
    {
        await using var catalog = await TestCatalog.StartAsync(database, isTestMode: true);
        await new RandomRecords(catalog, new Random(seed)).MakeAsync();
        await SaveOftenAsync(catalog, new Random(seed));
        await RequireRightAsync(catalog);
        var changed = await catalog.ExportAsync(catalog.AdminToken);

        catalog.Clock.Advance(TimeSpan.FromDays(30));
        await catalog.PostAsync(TestCatalog.RootToken, "/sys/trash_sweep");
        await RequireRightAsync(catalog);
        await catalog.PostAsync(catalog.AdminToken, "/database/reset");
        await RequireRightAsync(catalog);
        var imported = await catalog.ImportAsync(catalog.AdminToken, changed, "?replace=true");
        Assert.True(imported.Status == 200, imported.Text);
        await RequireRightAsync(catalog);
    }

    [Fact]
    public async Task Database_from_before_is_filled_at_the_start()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        await SaveOftenAsync(catalog, new Random(7));
        await catalog.Server.Database.WriteAsync(
            session =>
            {
                BlockReferences.Clear(session);
                return true;
            },
            CancellationToken.None);
        await catalog.RestartAsync();
        await RequireRightAsync(catalog);
    }

    [Fact]
    public async Task Why_names_the_collections_that_use_a_block_to_those_who_may_read_them()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        var hash = BlockHash.Compute("shared"u8);
        var first = await catalog.CreateAsync(catalog.ActiveToken, "collections", new JsonObject { ["name"] = "first", ["manifest_text"] = catalog.OneFile("a", "shared", catalog.ActiveToken), ["preserve_version"] = true });
        var second = await catalog.CreateAsync(catalog.AdminToken, "collections", new JsonObject { ["name"] = "second", ["manifest_text"] = catalog.OneFile("b", "shared", catalog.AdminToken) });
        await catalog.PutAsync(catalog.ActiveToken, $"collections/{first}", new JsonObject { ["manifest_text"] = catalog.OneFile("a", "other", catalog.ActiveToken) });

        var mine = await catalog.GetAsync(catalog.ActiveToken, $"/keepfs/v1/blocks/{hash}+6");
        Assert.Equal([first], mine.ItemTexts("uuid"));
        Assert.Equal((1, 1, false), (Number(mine.Items[0]!, "first_version"), Number(mine.Items[0]!, "last_version"), mine.Items[0]!["is_current"]!.GetValue<bool>()));
        Assert.Equal(6, mine.Json["size"]!.GetValue<int>());
        Assert.Equal(new[] { first, second }.Order(StringComparer.Ordinal), (await catalog.GetAsync(catalog.AdminToken, $"/keepfs/v1/blocks/{hash}")).ItemTexts("uuid"));

        var hidden = await catalog.GetAsync(catalog.SpectatorToken, $"/keepfs/v1/blocks/{hash}");
        var absent = await catalog.GetAsync(catalog.SpectatorToken, $"/keepfs/v1/blocks/{BlockHash.Compute("nowhere"u8)}");
        Assert.Equal((404, 404), (hidden.Status, absent.Status));
        Assert.Equal(422, (await catalog.GetAsync(catalog.ActiveToken, "/keepfs/v1/blocks/nohash")).Status);

        await catalog.DeleteAsync(catalog.AdminToken, $"collections/{second}");
        Assert.True((await catalog.GetAsync(catalog.AdminToken, $"/keepfs/v1/blocks/{hash}")).Items.Single(item => item!["uuid"]!.GetValue<string>() == second)!["is_trashed"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Storage_counts_each_block_once()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        var project = await catalog.CreateAsync(catalog.ActiveToken, "groups", new JsonObject { ["group_class"] = "project" });
        var inner = await catalog.CreateAsync(catalog.ActiveToken, "groups", new JsonObject { ["group_class"] = "project", ["owner_uuid"] = project });
        var uuid = await catalog.CreateAsync(catalog.ActiveToken, "collections", new JsonObject { ["owner_uuid"] = project, ["preserve_version"] = true, ["manifest_text"] = catalog.OneFile("a", "123456", catalog.ActiveToken) });
        await catalog.CreateAsync(catalog.ActiveToken, "collections", new JsonObject { ["owner_uuid"] = inner, ["manifest_text"] = catalog.OneFile("a", "123456", catalog.ActiveToken) });
        await catalog.PutAsync(catalog.ActiveToken, $"collections/{uuid}", new JsonObject { ["manifest_text"] = catalog.OneFile("a", "abc", catalog.ActiveToken) });

        Assert.Equal("3 1 3 2 9", Figures(await catalog.GetAsync(catalog.ActiveToken, $"/keepfs/v1/storage/{uuid}")));
        Assert.Equal("9 2 9 2 9", Figures(await catalog.GetAsync(catalog.ActiveToken, $"/keepfs/v1/storage/{project}")));
        Assert.Equal("6 1 6 1 6", Figures(await catalog.GetAsync(catalog.ActiveToken, $"/keepfs/v1/storage/{inner}")));
        Assert.Equal(404, (await catalog.GetAsync(catalog.SpectatorToken, $"/keepfs/v1/storage/{project}")).Status);
    }

    [Fact]
    public async Task Changes_are_told_since_a_cursor_that_expires_with_what_it_counts_on()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        Assert.Equal(403, (await catalog.GetAsync(catalog.ActiveToken, "/keepfs/v1/references/changes")).Status);
        var start = await catalog.GetAsync(catalog.AdminToken, "/keepfs/v1/references/changes");
        Assert.True(start.Json["expired"]!.GetValue<bool>());
        var one = await catalog.CreateAsync(catalog.ActiveToken, "collections", new JsonObject { ["manifest_text"] = "" });
        var two = await catalog.CreateAsync(catalog.ActiveToken, "collections", new JsonObject { ["manifest_text"] = "" });
        await catalog.PutAsync(catalog.ActiveToken, $"collections/{one}", new JsonObject { ["replication_desired"] = 3 });

        var next = await ChangesAsync(catalog, start);
        Assert.Equal([two, one], next.ItemTexts("uuid"));
        Assert.Empty((await ChangesAsync(catalog, next)).Items);
        await catalog.DeleteAsync(catalog.ActiveToken, $"collections/{two}");
        catalog.Clock.Advance(TimeSpan.FromDays(13));
        await catalog.PutAsync(catalog.ActiveToken, $"collections/{one}", new JsonObject { ["name"] = "x" });
        var last = await ChangesAsync(catalog, next);
        Assert.Equal([two, one], last.ItemTexts("uuid"));
        catalog.Clock.Advance(TimeSpan.FromDays(2));
        await catalog.PostAsync(TestCatalog.RootToken, "/sys/trash_sweep");
        var swept = await ChangesAsync(catalog, last);
        Assert.Equal((two, true), (swept.ItemTexts("uuid").Single(), swept.Items[0]!["is_gone"]!.GetValue<bool>()));
        Assert.True((await ChangesAsync(catalog, start)).Json["expired"]!.GetValue<bool>());
        Assert.Equal(200, (await catalog.ImportAsync(catalog.AdminToken, "")).Status);
        Assert.True((await ChangesAsync(catalog, swept)).Json["expired"]!.GetValue<bool>());
    }

    private static Task<Answer> ChangesAsync(TestCatalog catalog, Answer last) => catalog.GetAsync(catalog.AdminToken, "/keepfs/v1/references/changes?cursor=" + last.Text_("cursor"));

    private static int Number(JsonNode node, string name) => node[name]!.GetValue<int>();

    private static string Figures(Answer answer) => answer.Status == 200
        ? string.Join(' ', ((string[])["file_bytes", "blocks", "block_bytes", "blocks_with_versions", "block_bytes_with_versions"]).Select(name => answer.Json[name]!.ToString()))
        : answer.Text;

    private static async Task SaveOftenAsync(TestCatalog catalog, Random random)
    {
        var uuids = new List<string>();
        for (var i = 0; i < 60; i++)
        {
            catalog.Clock.Advance(TimeSpan.FromSeconds(random.Next(8)));
            var names = Enumerable.Range(0, random.Next(6)).Select(_ => "block " + random.Next(12).ToString(CultureInfo.InvariantCulture)).ToList();
            var manifest = names.Count == 0 ? "" : $". {string.Join(' ', names.Select(name => catalog.Signed(name, catalog.ActiveToken)))} 0:{names.Sum(name => Encoding.UTF8.GetByteCount(name)).ToString(CultureInfo.InvariantCulture)}:f\n";
            var body = new JsonObject { ["manifest_text"] = manifest, ["preserve_version"] = random.Next(3) == 0 };
            if (uuids.Count < 5)
            {
                uuids.Add(await catalog.CreateAsync(catalog.ActiveToken, "collections", body));
                continue;
            }

            var uuid = uuids[random.Next(uuids.Count)];
            var answer = random.Next(12) == 0 ? await catalog.PostAsync(catalog.ActiveToken, $"collections/{uuid}/trash") : await catalog.PutAsync(catalog.ActiveToken, $"collections/{uuid}?include_trash=true", body);
            Assert.True(answer.Status == 200, answer.Text);
        }
    }

    private static async Task RequireRightAsync(TestCatalog catalog)
    {
        var (wanted, kept, orphans) = await catalog.Server.Database.ReadAsync(
            session => (Wanted(session), Kept(session), session.Scalar("SELECT count(*) FROM blocks b WHERE NOT EXISTS (SELECT 1 FROM block_refs r WHERE r.block = b.id)")), CancellationToken.None);
        Assert.Equal(wanted, kept);
        Assert.Equal(0L, orphans);
    }

    // Version by version from the manifests.
    private static List<string> Wanted(CatalogSession session) => [.. session.Read(
        "SELECT current_version_uuid, version, manifest_text FROM collections", row => (Uuid: row.GetString(0), Version: row.GetInt64(1), Manifest: row.IsDBNull(2) ? [] : (byte[])row.GetValue(2)))
        .SelectMany(version => ManifestBlocks.Sizes(version.Manifest).Select(block => $"{version.Uuid} {version.Version} {BlockReferences.Halves(block.Key)} {block.Value}")).Order(StringComparer.Ordinal)];

    private static List<string> Kept(CatalogSession session) => [.. session.Read(
        """
        SELECT v.current_version_uuid, v.version, b.high, b.low, b.size FROM collections v
        JOIN collections c ON c.uuid = v.current_version_uuid
        JOIN block_refs r ON r.family = c.id AND r.since <= v.version AND (r.until IS NULL OR r.until >= v.version)
        JOIN blocks b ON b.id = r.block
        """,
        row => $"{row.GetString(0)} {row.GetInt64(1)} {(row.GetInt64(2), row.GetInt64(3))} {row.GetInt64(4)}").Order(StringComparer.Ordinal)];
}
