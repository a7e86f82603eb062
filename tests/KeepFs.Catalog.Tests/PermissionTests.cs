using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>Who may do what (catalog-api.md 2.3, 10 to 12).</summary>
public abstract class PermissionTests(DatabaseKind database) : IAsyncLifetime
{
    private TestCatalog _catalog = null!;

    private string Active => _catalog.ActiveToken;

    private string Spectator => _catalog.SpectatorToken;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Theory]
    [InlineData(null, 404, 404, 403, 403)]
    [InlineData("can_read", 200, 403, 403, 403)]
    [InlineData("can_write", 200, 200, 200, 403)]
    [InlineData("can_manage", 200, 200, 200, 200)]
    public async Task Link_on_a_project_gives_exactly_its_level(string? level, int read, int update, int create, int share)
    {
        var project = await ProjectAsync("p");
        var inner = await ProjectAsync("inner", project);
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = inner, ["name"] = "c" });
        if (level is not null)
        {
            await LinkAsync(_catalog.SpectatorUser, project, level);
        }

        Assert.Equal(read, (await _catalog.GetAsync(Spectator, $"collections/{collection}")).Status);
        Assert.Equal(read == 200 ? 1 : 0, (await _catalog.GetAsync(Spectator, "collections")).Items.Count);
        Assert.Equal(read, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);
        Assert.Equal(update, (await _catalog.PutAsync(Spectator, $"collections/{collection}", new JsonObject { ["name"] = "changed" })).Status);
        Assert.Equal(update, (await _catalog.PutAsync(Spectator, $"groups/{inner}", new JsonObject { ["name"] = "changed" })).Status);
        Assert.Equal(create, (await _catalog.PostAsync(Spectator, "collections", new JsonObject { ["owner_uuid"] = inner })).Status);
        Assert.Equal(share, (await _catalog.PostAsync(Spectator, "links", Permission(_catalog.SpectatorUser, collection, "can_read"))).Status);
        Assert.Equal(share, (await _catalog.GetAsync(Spectator, $"permissions/{project}")).Status);
        Assert.Equal(update, (await _catalog.DeleteAsync(Spectator, $"collections/{collection}")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(_catalog.AdminToken, $"collections/{collection}?include_trash=true")).Status);
    }

    [Fact]
    public async Task Link_on_a_collection_shares_only_that()
    {
        var one = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["name"] = "one", ["manifest_text"] = _catalog.OneFile("f", "foo", Active) });
        await _catalog.CreateAsync(Active, "collections", new JsonObject { ["name"] = "two" });
        var link = await LinkAsync(_catalog.SpectatorUser, one, "can_read");

        var read = await _catalog.GetAsync(Spectator, $"collections/{one}");
        Assert.Equal("Valid", _catalog.Signer.Verify(read.Text_("manifest_text").Split(' ')[1], Spectator, _catalog.Clock.GetUtcNow()).ToString());
        Assert.Equal([one], (await _catalog.GetAsync(Spectator, "collections")).ItemTexts("uuid"));

        Assert.Equal(403, (await _catalog.DeleteAsync(Spectator, $"links/{link}")).Status);
        Assert.Equal(200, (await _catalog.DeleteAsync(Active, $"links/{link}")).Status);
        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"collections/{one}")).Status);
    }

    [Fact]
    public async Task Path_through_a_role_has_the_lowest_level_on_it()
    {
        var role = await _catalog.CreateAsync(_catalog.AdminToken, "groups", new JsonObject { ["name"] = "team", ["group_class"] = "role" });
        var project = await ProjectAsync("p");
        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(_catalog.SpectatorUser, role, "can_read"));
        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(role, project, "can_manage"));

        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);
        Assert.Equal(403, (await _catalog.PutAsync(Spectator, $"groups/{project}", new JsonObject { ["name"] = "x" })).Status);
        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(_catalog.SpectatorUser, role, "can_manage"));
        Assert.Equal(200, (await _catalog.PutAsync(Spectator, $"groups/{project}", new JsonObject { ["name"] = "x" })).Status);
    }

    [Fact]
    public async Task Managing_a_user_gives_what_it_owns_and_reading_it_does_not()
    {
        var project = await ProjectAsync("p");
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = project });
        var role = await _catalog.CreateAsync(_catalog.AdminToken, "groups", new JsonObject { ["name"] = "watchers", ["group_class"] = "role" });
        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(_catalog.SpectatorUser, _catalog.ActiveUser, "can_read"));
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"users/{_catalog.ActiveUser}")).Status);
        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);

        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(_catalog.SpectatorUser, role, "can_read"));
        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(role, _catalog.ActiveUser, "can_manage"));
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);
        Assert.Equal(403, (await _catalog.PutAsync(Spectator, $"groups/{project}", new JsonObject { ["name"] = "x" })).Status);

        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(_catalog.SpectatorUser, _catalog.ActiveUser, "can_manage"));
        Assert.Equal(200, (await _catalog.PutAsync(Spectator, $"collections/{collection}", new JsonObject { ["name"] = "x" })).Status);
    }

    [Fact]
    public async Task Moving_a_project_moves_what_is_seen()
    {
        var shared = await ProjectAsync("shared");
        var moving = await ProjectAsync("moving");
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = moving });
        await LinkAsync(_catalog.SpectatorUser, shared, "can_read");
        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"collections/{collection}")).Status);

        Assert.Equal(200, (await _catalog.PutAsync(Active, $"groups/{moving}", new JsonObject { ["owner_uuid"] = shared })).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"collections/{collection}")).Status);
        Assert.Equal(422, (await _catalog.PutAsync(Active, $"groups/{shared}", new JsonObject { ["owner_uuid"] = moving })).Status);
        Assert.Equal(422, (await _catalog.PutAsync(Active, $"groups/{shared}", new JsonObject { ["owner_uuid"] = shared })).Status);
        Assert.Equal(200, (await _catalog.PutAsync(Active, $"groups/{moving}", new JsonObject { ["owner_uuid"] = _catalog.ActiveUser })).Status);
        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"collections/{collection}")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Active, $"collections/{collection}")).Status);
    }

    [Fact]
    public async Task Anonymous_sees_what_is_public_and_writes_nothing()
    {
        var project = await ProjectAsync("public");
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = project, ["manifest_text"] = "" });
        Assert.Equal(404, (await _catalog.GetAsync(TestCatalog.AnonymousToken, $"collections/{collection}")).Status);
        await LinkAsync(TestCatalog.AnonymousRole, project, "can_read");

        Assert.Equal(200, (await _catalog.GetAsync(TestCatalog.AnonymousToken, $"collections/{collection}")).Status);
        Assert.Equal(200, (await _catalog.GetAsync($"v2/zzzzz-gj3su-anonymouspublic/{TestCatalog.AnonymousToken}", $"collections/{collection}")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"collections/{collection}")).Status);
        Assert.Equal(403, (await _catalog.PostAsync(TestCatalog.AnonymousToken, "collections", new JsonObject { ["manifest_text"] = "" })).Status);
    }

    [Fact]
    public async Task Writing_with_all_users_lets_all_users_write()
    {
        var project = await ProjectAsync("common");
        await LinkAsync(TestCatalog.AllUsers, project, "can_write");

        await _catalog.CreateAsync(Spectator, "collections", new JsonObject { ["owner_uuid"] = project });
        Assert.Equal(403, (await _catalog.PutAsync(Spectator, $"groups/{TestCatalog.AllUsers}", new JsonObject { ["description"] = "mine" })).Status);
    }

    [Fact]
    public async Task Trashed_project_hides_what_is_inside_and_the_sweep_removes_it()
    {
        var project = await ProjectAsync("p");
        var inner = await ProjectAsync("inner", project);
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = inner, ["manifest_text"] = _catalog.OneFile("f", "foo", Active) });

        Assert.Equal(200, (await _catalog.PostAsync(Active, $"groups/{project}/trash")).Status);
        Assert.Equal(404, (await _catalog.GetAsync(Active, $"collections/{collection}")).Status);
        Assert.Equal(404, (await _catalog.GetAsync(Active, $"groups/{inner}")).Status);
        Assert.DoesNotContain("+A", (await _catalog.GetAsync(Active, $"collections/{collection}?include_trash=true")).Text_("manifest_text"), StringComparison.Ordinal);
        Assert.Equal(200, (await _catalog.PostAsync(Active, $"groups/{project}/untrash")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Active, $"collections/{collection}")).Status);

        Assert.Equal(200, (await _catalog.DeleteAsync(Active, $"groups/{project}")).Status);
        _catalog.Clock.Advance(TimeSpan.FromHours(337));
        Assert.Equal(204, (await _catalog.PostAsync(TestCatalog.RootToken, "/sys/trash_sweep")).Status);
        foreach (var uuid in new[] { project, inner })
        {
            Assert.Empty((await _catalog.GetAsync(_catalog.AdminToken, "groups?include_trash=true&filters=" + Uri.EscapeDataString($"[[\"uuid\",\"=\",\"{uuid}\"]]"))).Items);
        }

        Assert.Empty((await _catalog.GetAsync(_catalog.AdminToken, "collections?include_trash=true")).Items);
        Assert.Equal(403, (await _catalog.DeleteAsync(_catalog.AdminToken, $"groups/{TestCatalog.AllUsers}")).Status);
    }

    [Fact]
    public async Task Frozen_project_changes_for_nobody()
    {
        var project = await ProjectAsync("p");
        var inner = await ProjectAsync("inner", project);
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = inner });
        Assert.Equal(422, (await _catalog.PutAsync(Active, $"groups/{project}", new JsonObject { ["frozen_by_uuid"] = _catalog.SpectatorUser })).Status);

        var frozen = await _catalog.PutAsync(Active, $"groups/{project}", new JsonObject { ["frozen_by_uuid"] = _catalog.ActiveUser });
        Assert.False(frozen.Json["can_write"]!.GetValue<bool>());
        foreach (var token in new[] { Active, _catalog.AdminToken })
        {
            Assert.Equal(403, (await _catalog.PutAsync(token, $"collections/{collection}", new JsonObject { ["name"] = "x" })).Status);
            Assert.Equal(403, (await _catalog.PutAsync(token, $"groups/{inner}", new JsonObject { ["name"] = "x" })).Status);
            Assert.Equal(403, (await _catalog.PutAsync(token, $"groups/{project}", new JsonObject { ["name"] = "x" })).Status);
            Assert.Equal(403, (await _catalog.PostAsync(token, "collections", new JsonObject { ["owner_uuid"] = project })).Status);
            Assert.Equal(403, (await _catalog.DeleteAsync(token, $"groups/{project}")).Status);
        }

        Assert.Equal(200, (await _catalog.PutAsync(Active, $"groups/{project}", new JsonObject { ["frozen_by_uuid"] = null })).Status);
        Assert.Equal(200, (await _catalog.PutAsync(Active, $"collections/{collection}", new JsonObject { ["name"] = "x" })).Status);
    }

    [Fact]
    public async Task Contents_are_recursive_filtered_and_placed()
    {
        var project = await ProjectAsync("p");
        var inner = await ProjectAsync("inner", project);
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = inner, ["name"] = "deep" });
        var filter = await _catalog.CreateAsync(Active, "groups", JsonNode.Parse("""
            {"name":"f","group_class":"filter","properties":{"filters":[["collections.name","like","de%"]]}}
            """)!.AsObject());

        Assert.Equal([inner], (await _catalog.GetAsync(Active, $"groups/{project}/contents")).ItemTexts("uuid"));
        var all = await _catalog.GetAsync(Active, $"groups/{project}/contents?recursive=true");
        Assert.Equal([inner, collection], all.ItemTexts("uuid"));
        Assert.Equal("arvados#objectList", all.Text_("kind"));
        Assert.Equal(2, all.Json["items_available"]!.GetValue<int>());
        Assert.Equal([collection], (await _catalog.GetAsync(Active, $"groups/{project}/contents?recursive=true&offset=1&limit=5")).ItemTexts("uuid"));
        Assert.Equal([collection], (await _catalog.GetAsync(Active, $"groups/contents?uuid={filter}")).ItemTexts("uuid"));
        Assert.Contains(collection, (await _catalog.GetAsync(Active, "groups/contents")).ItemTexts("uuid"));
        Assert.Equal([collection], (await _catalog.GetAsync(Active, $"groups/contents?filters={Uri.EscapeDataString("[[\"portable_data_hash\",\"=\",\"d41d8cd98f00b204e9800998ecf8427e+0\"]]")}")).ItemTexts("uuid"));
        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"groups/{project}/contents")).Status);
        Assert.Equal(422, (await _catalog.GetAsync(Active, $"groups/contents?filters={Uri.EscapeDataString("[[\"nosuch\",\"=\",\"x\"]]")}")).Status);
        var included = await _catalog.GetAsync(Active, $"groups/{inner}/contents?include=owner_uuid");
        Assert.Equal(inner, included.Json["included"]![0]!["uuid"]!.GetValue<string>());
    }

    [Fact]
    public async Task Reader_tokens_add_what_others_read()
    {
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["manifest_text"] = "" });
        var readers = Uri.EscapeDataString($"[\"{Active}\"]");

        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"collections/{collection}")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"collections/{collection}?reader_tokens={readers}")).Status);
        Assert.Equal(404, (await _catalog.PutAsync(Spectator, $"collections/{collection}?reader_tokens={readers}", new JsonObject { ["name"] = "x" })).Status);
    }

    [Fact]
    public async Task Permission_links_are_checked_and_merged()
    {
        var project = await ProjectAsync("p");
        var first = await LinkAsync(_catalog.SpectatorUser, project, "can_read");
        Assert.Equal(first, await LinkAsync(_catalog.SpectatorUser, project, "can_write"));
        Assert.Equal(first, await LinkAsync(_catalog.SpectatorUser, project, "can_read"));
        Assert.Equal("can_write", (await _catalog.GetAsync(Active, $"links/{first}")).Text_("name"));
        Assert.Equal("arvados#group", (await _catalog.GetAsync(Spectator, $"links/{first}")).Text_("head_kind"));
        Assert.Equal([first], (await _catalog.GetAsync(Active, $"permissions/{project}")).ItemTexts("uuid"));

        Assert.Equal(422, (await _catalog.PostAsync(Active, "links", Permission(project, project, "can_read"))).Status);
        Assert.Equal(422, (await _catalog.PostAsync(Active, "links", Permission(_catalog.SpectatorUser, project, "can_fly"))).Status);
        Assert.Equal(403, (await _catalog.PostAsync(Active, "links", Permission(_catalog.ActiveUser, "zzzzz-j7d0g-nosuchnosuchnos", "can_read"))).Status);
        Assert.Equal(422, (await _catalog.PostAsync(Active, "links", new JsonObject { ["link_class"] = "name", ["name"] = "x" })).Status);
        Assert.Equal(422, (await _catalog.PutAsync(Active, $"links/{first}", new JsonObject { ["tail_uuid"] = _catalog.ActiveUser })).Status);
        Assert.Equal(200, (await _catalog.PutAsync(Active, $"links/{first}", new JsonObject { ["name"] = "can_read" })).Status);
        Assert.Equal(403, (await _catalog.PutAsync(Spectator, $"groups/{project}", new JsonObject { ["name"] = "x" })).Status);
    }

    [Fact]
    public async Task Inactive_user_is_shut_out_of_shared_things_and_writes_nothing()
    {
        var project = await ProjectAsync("common");
        await LinkAsync(TestCatalog.AllUsers, project, "can_write");
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);

        Assert.Equal(403, (await _catalog.PutAsync(Spectator, $"users/{_catalog.SpectatorUser}", new JsonObject { ["is_admin"] = true })).Status);
        Assert.Equal(200, (await _catalog.PutAsync(_catalog.AdminToken, $"users/{_catalog.SpectatorUser}", new JsonObject { ["is_active"] = false })).Status);

        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);
        Assert.Equal(403, (await _catalog.PostAsync(Spectator, "collections", new JsonObject { ["manifest_text"] = "" })).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, "users/current")).Status);
    }

    [Fact]
    public async Task Trashed_role_gives_nothing_any_more_and_is_swept()
    {
        var role = await _catalog.CreateAsync(_catalog.AdminToken, "groups", new JsonObject { ["name"] = "team", ["group_class"] = "role" });
        var project = await ProjectAsync("p");
        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(_catalog.SpectatorUser, role, "can_read"));
        await _catalog.CreateAsync(_catalog.AdminToken, "links", Permission(role, project, "can_read"));
        Assert.Equal(200, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);

        var trashed = await _catalog.DeleteAsync(_catalog.AdminToken, $"groups/{role}");
        Assert.Equal(trashed.Text_("trash_at"), trashed.Text_("delete_at"));
        Assert.Equal(404, (await _catalog.GetAsync(Spectator, $"groups/{project}")).Status);
        Assert.Equal(204, (await _catalog.PostAsync(_catalog.AdminToken, "/sys/trash_sweep")).Status);
        Assert.Empty((await _catalog.GetAsync(_catalog.AdminToken, $"links?filters={Uri.EscapeDataString($"[[\"head_uuid\",\"=\",\"{role}\"]]")}")).Items);
    }

    [Fact]
    public async Task Sweep_of_a_project_forgets_what_was_shared_inside_it()
    {
        var project = await ProjectAsync("p");
        var inner = await ProjectAsync("inner", project);
        var collection = await _catalog.CreateAsync(Active, "collections", new JsonObject { ["owner_uuid"] = inner });
        await LinkAsync(_catalog.SpectatorUser, inner, "can_read");
        await LinkAsync(_catalog.SpectatorUser, collection, "can_read");
        await _catalog.DeleteAsync(Active, $"groups/{project}");
        _catalog.Clock.Advance(TimeSpan.FromHours(337));
        await _catalog.PostAsync(_catalog.AdminToken, "/sys/trash_sweep");

        await using var copy = await _catalog.ConnectAsync();
        await using var command = copy.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM reachable WHERE target_uuid IN ('{project}', '{inner}', '{collection}')";
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }

    private Task<string> ProjectAsync(string name, string? owner = null) => _catalog.CreateAsync(
        Active, "groups", new JsonObject { ["name"] = name, ["group_class"] = "project", ["owner_uuid"] = owner ?? _catalog.ActiveUser });

    private Task<string> LinkAsync(string tail, string head, string level) => _catalog.CreateAsync(Active, "links", Permission(tail, head, level));

    private static JsonObject Permission(string tail, string head, string level) => new()
    {
        ["link_class"] = "permission",
        ["name"] = level,
        ["tail_uuid"] = tail,
        ["head_uuid"] = head,
    };
}
