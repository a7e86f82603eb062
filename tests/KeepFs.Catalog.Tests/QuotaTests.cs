using System.Globalization;
using System.Text.Json.Nodes;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Tests;

/// <summary>Limits of users and projects, and managed properties (decision 0038; catalog-api.md 4.8).</summary>
public abstract class QuotaTests(DatabaseKind database)
{
    [Fact]
    public async Task Hard_limit_of_bytes_refuses_what_grows_beyond_it_and_nothing_else()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        var project = await ProjectAsync(catalog, catalog.ActiveUser);
        var inner = await ProjectAsync(catalog, project);
        await SetAsync(catalog, project, new JsonObject { ["hard_bytes"] = 10 });
        var first = await SaveAsync(catalog, inner, 6);

        var refused = await catalog.PostAsync(catalog.ActiveToken, "collections", Content(catalog, inner, 5));
        Assert.Equal(422, refused.Status);
        Assert.Equal("exceeded", refused.Headers["X-KeepFs-Quota"]);
        Assert.StartsWith($"quota exceeded: {project} may hold 10 bytes and holds 6; this would add 5", refused.Error, StringComparison.Ordinal);

        var second = await SaveAsync(catalog, project, 4);
        Assert.Equal(422, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{first}", Content(catalog, null, 7))).Status);
        Assert.Equal(200, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{first}", new JsonObject { ["name"] = "renamed" })).Status);
        Assert.Equal(200, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{second}", new JsonObject { ["owner_uuid"] = inner })).Status);
        Assert.Equal(200, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{first}", Content(catalog, null, 5))).Status);
        await SaveAsync(catalog, catalog.ActiveUser, 1000);
        Assert.Equal(200, (await catalog.PostAsync(catalog.AdminToken, "collections", Content(catalog, inner, 100, catalog.AdminToken))).Status);
        Assert.Equal(200, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{first}", Content(catalog, null, 4))).Status);
    }

    [Fact]
    public async Task Trash_frees_and_coming_back_counts_again()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        await SetAsync(catalog, catalog.ActiveUser, new JsonObject { ["hard_collections"] = 2 });
        var project = await ProjectAsync(catalog, catalog.ActiveUser);
        var first = await SaveAsync(catalog, project, 1);
        await SaveAsync(catalog, catalog.ActiveUser, 1);
        Assert.Equal(422, (await catalog.PostAsync(catalog.ActiveToken, "collections", Content(catalog, project, 1))).Status);
        Assert.Equal(200, (await catalog.DeleteAsync(catalog.ActiveToken, $"collections/{first}")).Status);
        await SaveAsync(catalog, project, 1);
        Assert.Equal(422, (await catalog.PostAsync(catalog.ActiveToken, $"collections/{first}/untrash")).Status);
        Assert.Equal(200, (await catalog.DeleteAsync(catalog.AdminToken, $"/keepfs/v1/quotas/{catalog.ActiveUser}")).Status);
        Assert.Equal(200, (await catalog.PostAsync(catalog.ActiveToken, $"collections/{first}/untrash")).Status);
    }

    [Fact]
    public async Task Soft_limit_may_be_passed_for_the_time_of_grace()
    {
        await using var catalog = await TestCatalog.StartAsync(database, config => config with { KeepFs = new KeepFsConfig { QuotaGrace = TimeSpan.FromDays(1) } });
        await SetAsync(catalog, catalog.ActiveUser, new JsonObject { ["soft_bytes"] = 10, ["hard_bytes"] = 100 });
        await SaveAsync(catalog, catalog.ActiveUser, 5);
        Assert.Null((await UsageAsync(catalog, catalog.ActiveUser))["soft_since"]);
        var large = await SaveAsync(catalog, catalog.ActiveUser, 20);
        Assert.NotNull((await UsageAsync(catalog, catalog.ActiveUser))["soft_since"]);

        catalog.Clock.Advance(TimeSpan.FromHours(25));
        Assert.Equal(422, (await catalog.PostAsync(catalog.ActiveToken, "collections", Content(catalog, catalog.ActiveUser, 1))).Status);
        await catalog.DeleteAsync(catalog.ActiveToken, $"collections/{large}");
        await SaveAsync(catalog, catalog.ActiveUser, 1);
        Assert.Null((await UsageAsync(catalog, catalog.ActiveUser))["soft_since"]);
        await SaveAsync(catalog, catalog.ActiveUser, 20);
    }

    [Fact]
    public async Task Project_that_moves_takes_what_it_holds_along()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        var limited = await ProjectAsync(catalog, catalog.ActiveUser);
        var moving = await ProjectAsync(catalog, catalog.ActiveUser);
        await SaveAsync(catalog, await ProjectAsync(catalog, moving), 50);
        await SetAsync(catalog, limited, new JsonObject { ["hard_bytes"] = 49 });

        Assert.Equal(422, (await catalog.PutAsync(catalog.ActiveToken, $"groups/{moving}", new JsonObject { ["owner_uuid"] = limited })).Status);
        await SetAsync(catalog, limited, new JsonObject { ["hard_bytes"] = 50 });
        Assert.Equal(200, (await catalog.PutAsync(catalog.ActiveToken, $"groups/{moving}", new JsonObject { ["owner_uuid"] = limited })).Status);
        var usage = await UsageAsync(catalog, moving);
        Assert.Equal((50, 0), (usage["bytes"]!.GetValue<long>(), usage["available_bytes"]!.GetValue<long>()));
    }

    [Fact]
    public async Task Only_admins_set_quotas_and_others_see_their_own_usage()
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        Assert.Equal(403, (await catalog.PutAsync(catalog.ActiveToken, $"/keepfs/v1/quotas/{catalog.ActiveUser}", [])).Status);
        Assert.Equal(403, (await catalog.GetAsync(catalog.ActiveToken, "/keepfs/v1/quotas")).Status);
        Assert.Equal(403, (await catalog.GetAsync(catalog.ActiveToken, $"/keepfs/v1/usage/{catalog.SpectatorUser}")).Status);
        Assert.Equal(404, (await catalog.GetAsync(catalog.SpectatorToken, $"/keepfs/v1/usage/{await ProjectAsync(catalog, catalog.ActiveUser)}")).Status);
        Assert.Equal(422, (await catalog.PutAsync(catalog.AdminToken, $"/keepfs/v1/quotas/{catalog.ActiveUser}", new JsonObject { ["soft_bytes"] = 5, ["hard_bytes"] = 4 })).Status);
        Assert.Equal(422, (await catalog.PutAsync(catalog.AdminToken, $"/keepfs/v1/quotas/{catalog.ActiveUser}", new JsonObject { ["hard_bytes"] = -1 })).Status);
        Assert.Equal(422, (await catalog.PutAsync(catalog.AdminToken, $"/keepfs/v1/quotas/{TestCatalog.AllUsers}", [])).Status);
        await SetAsync(catalog, catalog.ActiveUser, new JsonObject { ["hard_bytes"] = 7 });
        Assert.Equal(7, (await UsageAsync(catalog, catalog.ActiveUser))["available_bytes"]!.GetValue<long>());
        Assert.Equal([catalog.ActiveUser], (await catalog.GetAsync(catalog.AdminToken, "/keepfs/v1/quotas")).ItemTexts("uuid"));
        Assert.Equal("quota", (await catalog.GetAsync(catalog.AdminToken, "/keepfs/v1/audit?limit=1")).Items[0]!["event_type"]!.GetValue<string>());
        Assert.Contains("keepfs#quota", await catalog.ExportAsync(catalog.AdminToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Usage_is_what_the_collections_say_after_any_change(int seed)
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        await new RandomRecords(catalog, new Random(seed)).MakeAsync();
        await RequireRightAsync(catalog);
        catalog.Clock.Advance(TimeSpan.FromDays(3));
        await catalog.PostAsync(TestCatalog.RootToken, "/sys/trash_sweep");
        await RequireRightAsync(catalog);
        catalog.Clock.Advance(TimeSpan.FromDays(30));
        await catalog.PostAsync(TestCatalog.RootToken, "/sys/trash_sweep");
        await RequireRightAsync(catalog);
        var lines = await catalog.ExportAsync(catalog.AdminToken);
        var imported = await catalog.ImportAsync(catalog.AdminToken, lines, "?replace=true");
        Assert.True(imported.Status == 200, imported.Text);
        await RequireRightAsync(catalog);
    }

    [Fact]
    public async Task Managed_properties_are_filled_in_and_protected()
    {
        await using var catalog = await TestCatalog.StartAsync(database, config => config with
        {
            Collections = config.Collections with
            {
                ManagedProperties = new Dictionary<string, ManagedPropertyConfig>
                {
                    ["responsible"] = new() { Function = "original_owner", Protected = true },
                    ["source"] = new() { Value = "lab 7" },
                },
            },
        });
        var project = await ProjectAsync(catalog, await ProjectAsync(catalog, catalog.ActiveUser));
        var uuid = await catalog.CreateAsync(catalog.AdminToken, "collections", new JsonObject { ["owner_uuid"] = project, ["properties"] = new JsonObject { ["own"] = 1 } });
        var made = (await catalog.GetAsync(catalog.ActiveToken, $"collections/{uuid}")).Json["properties"]!;
        Assert.Equal($$"""{"own":1,"responsible":"{{catalog.ActiveUser}}","source":"lab 7"}""", made.ToJsonString());
        var given = await catalog.CreateAsync(catalog.ActiveToken, "collections", new JsonObject { ["properties"] = new JsonObject { ["source"] = "mine" } });
        Assert.Equal("mine", (await catalog.GetAsync(catalog.ActiveToken, $"collections/{given}")).Json["properties"]!["source"]!.GetValue<string>());

        foreach (var changed in new[] { new JsonObject(), new JsonObject { ["responsible"] = catalog.SpectatorUser } })
        {
            Assert.Equal(403, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{uuid}", new JsonObject { ["properties"] = changed })).Status);
        }

        Assert.Equal(200, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{uuid}", new JsonObject { ["properties"] = new JsonObject { ["responsible"] = catalog.ActiveUser } })).Status);
        Assert.Equal(200, (await catalog.PutAsync(catalog.AdminToken, $"collections/{uuid}", new JsonObject { ["properties"] = new JsonObject() })).Status);
        Assert.Equal(200, (await catalog.PutAsync(catalog.ActiveToken, $"collections/{uuid}", new JsonObject { ["properties"] = new JsonObject { ["responsible"] = "me" } })).Status);
        var published = (await catalog.SendAsync(null, HttpMethod.Get, "config", null)).Json["Collections"]!["ManagedProperties"]!;
        Assert.Equal("original_owner", published["responsible"]!["Function"]!.GetValue<string>());
    }

    private static async Task RequireRightAsync(TestCatalog catalog)
    {
        var (counted, kept) = await catalog.Server.Database.ReadAsync(
            session => (
                Rows(session, "SELECT owner_uuid, count(*), CAST(sum(file_size_total) AS BIGINT) FROM collections WHERE is_trashed = 0 AND uuid = current_version_uuid GROUP BY owner_uuid"),
                Rows(session, "SELECT owner_uuid, collections, bytes FROM owner_usage WHERE collections <> 0 OR bytes <> 0")),
            CancellationToken.None);
        Assert.NotEmpty(counted);
        Assert.Equal(counted, kept);
    }

    private static List<string> Rows(Storage.CatalogSession session, string sql) =>
        [.. session.Read(sql, row => string.Create(CultureInfo.InvariantCulture, $"{row.GetString(0)} {row.GetInt64(1)} {row.GetInt64(2)}")).Order(StringComparer.Ordinal)];

    private static Task<string> ProjectAsync(TestCatalog catalog, string owner) =>
        catalog.CreateAsync(catalog.ActiveToken, "groups", new JsonObject { ["group_class"] = "project", ["owner_uuid"] = owner });

    private static Task<string> SaveAsync(TestCatalog catalog, string owner, int bytes) => catalog.CreateAsync(catalog.ActiveToken, "collections", Content(catalog, owner, bytes));

    private static JsonObject Content(TestCatalog catalog, string? owner, int bytes, string? token = null)
    {
        var content = new JsonObject { ["manifest_text"] = catalog.OneFile("f", new string('x', bytes), token ?? catalog.ActiveToken) };
        if (owner is not null)
        {
            content["owner_uuid"] = owner;
        }

        return content;
    }

    private static async Task SetAsync(TestCatalog catalog, string uuid, JsonObject limits)
    {
        var answer = await catalog.PutAsync(catalog.AdminToken, $"/keepfs/v1/quotas/{uuid}", limits);
        Assert.True(answer.Status == 200, answer.Text);
    }

    private static async Task<JsonObject> UsageAsync(TestCatalog catalog, string uuid)
    {
        var answer = await catalog.GetAsync(catalog.ActiveToken, $"/keepfs/v1/usage/{uuid}");
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Json;
    }
}
