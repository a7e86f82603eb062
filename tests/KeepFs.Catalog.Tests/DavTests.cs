using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>Locks and dead properties of WebDAV, and how they follow what happens to their collection.</summary>
public abstract class DavTests(DatabaseKind database) : IAsyncLifetime
{
    private TestCatalog _catalog = null!;
    private string _uuid = "";

    public async Task InitializeAsync()
    {
        _catalog = await TestCatalog.StartAsync(database);
        _uuid = await CreateAsync("a", "b/c", "b/d/e");
    }

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Exclusive_lock_excludes_every_other_and_shared_ones_live_together()
    {
        await LockAsync("a", 200);
        await LockAsync("a", 423);
        await LockAsync("a", 423, shared: true);
        await LockAsync("", 423, infinite: true);
        await LockAsync("", 200);
        await LockAsync("b", 200, shared: true, infinite: true);
        await LockAsync("b/c", 423);
        await LockAsync("b/c", 200, shared: true);
        await LockAsync("b", 200, shared: true);
        Assert.Equal(5, (await LocksAsync()).Count);
    }

    [Fact]
    public async Task Conflict_names_the_path_that_is_locked()
    {
        await LockAsync("b/d", 200, infinite: true);
        var answer = await LockAsync("b/d/e", 423);
        Assert.Equal("b%2Fd", answer.Headers["X-KeepFs-Locked"]);
    }

    [Fact]
    public async Task Lock_ends_by_the_clock_of_the_catalogue_unless_it_is_refreshed()
    {
        var token = (await LockAsync("a", 200, seconds: 60)).Text_("token");
        _catalog.Clock.Advance(TimeSpan.FromSeconds(50));
        await RefreshAsync(token, "a", 60, 200);
        _catalog.Clock.Advance(TimeSpan.FromSeconds(50));
        await LockAsync("a", 423);
        Assert.Equal("l", await StateAsync());
        _catalog.Clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("", await StateAsync());
        await RefreshAsync(token, "a", 60, 404);
        await LockAsync("a", 200);
    }

    [Fact]
    public async Task Lifetime_is_bounded()
    {
        Assert.Equal(3600, (long)(await LockAsync("a", 200, seconds: long.MaxValue)).Json["seconds"]!);
    }

    [Fact]
    public async Task Lock_survives_a_restart_and_ends_when_it_is_released()
    {
        var token = (await LockAsync("a", 200)).Text_("token");
        await _catalog.RestartAsync();
        await LockAsync("a", 423);
        await ReleaseAsync(_catalog.ActiveToken, token, "b", 404);
        await ReleaseAsync(_catalog.ActiveToken, token, "a", 200);
        await LockAsync("a", 200);
    }

    [Fact]
    public async Task Save_over_webdav_needs_the_token_of_each_lock_it_meets()
    {
        var token = (await LockAsync("b", 200, infinite: true)).Text_("token");
        await SaveAsync(423, new() { ["/b/c"] = "" }, Write("b/c"));
        await SaveAsync(423, new() { ["/b/c"] = "" }, Write("b/c", "opaquelocktoken:other"));
        Assert.Contains("c", await ManifestAsync(), StringComparison.Ordinal);
        await SaveAsync(200, new() { ["/b/c"] = "" }, Write("b/c", token));
        await SaveAsync(200, new() { ["/a"] = "" }, Write("a"));
    }

    [Fact]
    public async Task Save_of_a_parent_meets_the_locks_below_and_a_new_member_the_lock_of_its_directory()
    {
        var inner = (await LockAsync("b/d/e", 200)).Text_("token");
        await SaveAsync(423, new() { ["/b"] = "" }, Write("b"));
        await SaveAsync(200, new() { ["/b/d/new"] = "current/a" }, Write("b/d/new"));
        var directory = (await LockAsync("b/d", 200)).Text_("token");
        await SaveAsync(423, new() { ["/b/d/newer"] = "current/a" }, Write("b/d/newer"));
        await SaveAsync(200, new() { ["/b/d/newer"] = "current/a" }, Write("b/d/newer", directory));
        await SaveAsync(200, new() { ["/b"] = "" }, Write("b", inner, directory));
        Assert.Empty(await LocksAsync());
    }

    [Fact]
    public async Task Save_that_is_not_webdav_does_not_see_locks_but_removes_those_of_what_it_removes()
    {
        await LockAsync("a", 200);
        await LockAsync("b/c", 200);
        await SaveAsync(200, new() { ["/b/c"] = "" }, null);
        Assert.Equal(["a"], await LockedAsync());
        await UpdateAsync(200, new JsonObject { ["collection"] = new JsonObject { ["manifest_text"] = "" } });
        Assert.Empty(await LocksAsync());
    }

    [Fact]
    public async Task Lock_of_a_file_stays_when_the_file_is_replaced_and_does_not_move_with_it()
    {
        await LockAsync("a", 200);
        await SaveAsync(200, new() { ["/a"] = "current/b/c" }, null);
        Assert.Equal(["a"], await LockedAsync());
        await SaveAsync(200, new() { ["/moved"] = "current/a", ["/a"] = "" }, null);
        Assert.Empty(await LocksAsync());
    }

    [Fact]
    public async Task Properties_follow_copies_and_moves_and_go_with_what_is_removed()
    {
        await PatchAsync("b", 200, ("n", "of b"));
        await PatchAsync("b/d/e", 200, ("n", "of e"), ("m", "second"));
        await PatchAsync("a", 200, ("n", "of a"));
        await SaveAsync(200, new() { ["/copy"] = "current/b" }, null);
        Assert.Equal(["copy n=of b", "copy/d/e m=second", "copy/d/e n=of e"], await PropertiesAsync("copy"));
        await SaveAsync(200, new() { ["/moved"] = "current/b/d", ["/b/d"] = "" }, null);
        Assert.Equal(["b n=of b"], await PropertiesAsync("b"));
        Assert.Equal(["moved/e m=second", "moved/e n=of e"], await PropertiesAsync("moved"));
        await SaveAsync(200, new() { ["/a"] = "current/moved/e" }, null);
        Assert.Equal(["a m=second", "a n=of e"], await PropertiesAsync("a"));
        await SaveAsync(200, new() { ["/copy"] = "", ["/moved"] = "" }, null);
        Assert.Equal(["a m=second", "a n=of e", "b n=of b"], await PropertiesAsync(""));
    }

    [Fact]
    public async Task Properties_of_a_replaced_file_stay_and_those_of_vanished_files_go()
    {
        await PatchAsync("", 200, ("n", "of the collection"));
        await PatchAsync("a", 200, ("n", "of a"));
        await PatchAsync("b/c", 200, ("n", "of c"));
        await UpdateAsync(200, new JsonObject
        {
            ["collection"] = new JsonObject { ["manifest_text"] = _catalog.OneFile("x", "new", _catalog.ActiveToken) },
            ["replace_files"] = new JsonObject { ["/a"] = "manifest_text/x" },
        });
        Assert.Equal(["a n=of a"], await PropertiesAsync("a"));
        await UpdateAsync(200, new JsonObject { ["collection"] = new JsonObject { ["manifest_text"] = _catalog.OneFile("a", "newer", _catalog.ActiveToken) } });
        Assert.Equal([" n=of the collection", "a n=of a"], await PropertiesAsync(""));
    }

    [Fact]
    public async Task Patch_is_done_in_order_as_a_whole_and_only_for_the_content_that_was_seen()
    {
        await PatchAsync("a", 200, ("n", "one"), ("n", "two"), ("m", "x"));
        await PatchAsync("a", 200, ("m", null), ("gone", null));
        Assert.Equal(["a n=two"], await PropertiesAsync("a"));
        await PatchAsync("a", 413, ("k", "y"), ("large", new string('x', 100_000)));
        await PatchAsync("a", 413, [.. Enumerable.Range(0, 300).Select(i => ($"p{i}", (string?)"v"))]);
        Assert.Equal(["a n=two"], await PropertiesAsync("a"));
        Assert.Equal(412, (await _catalog.PutAsync(_catalog.ActiveToken, "/keepfs/v1/properties", Patch("a", "d41d8cd98f00b204e9800998ecf8427e+0", ("n", "late")))).Status);
    }

    [Fact]
    public async Task Patch_of_a_locked_resource_needs_the_token()
    {
        await LockAsync("a", 200);
        await PatchAsync("a", 423, ("n", "x"));
        Assert.Equal("l", await StateAsync());
    }

    [Fact]
    public async Task Long_lists_come_in_pages_that_cut_no_resource_in_two()
    {
        var names = Enumerable.Range(0, 1125).Select(i => $"f{i:0000}").ToArray();
        _uuid = await CreateAsync(names);
        foreach (var name in names)
        {
            await PatchAsync(name, 200, ("m", "1"), ("n", "2"), ("o", "3"), ("p", "4"));
        }

        var (found, pages, after) = (new List<string>(), 0, "");
        while (true)
        {
            var page = await _catalog.GetAsync(_catalog.ActiveToken, $"/keepfs/v1/properties?uuid={_uuid}&path=&depth=1{after}");
            var items = page.Json["items"]!.AsArray();
            found.AddRange(items.Select(item => (string)item!["path"]!));
            pages++;
            if (page.Json["more"]?.GetValue<bool>() != true)
            {
                break;
            }

            Assert.Equal((string)items[^1]!["path"]!, (string)items[^2]!["path"]!);
            after = "&after=" + Uri.EscapeDataString("/" + found[^1]);
        }

        Assert.Equal(names.SelectMany(name => Enumerable.Repeat(name, 4)), found);
        Assert.Equal(2, pages);
    }

    [Fact]
    public async Task Copies_between_collections_need_a_readable_source_and_come_with_the_save()
    {
        await PatchAsync("b", 200, ("n", "of b"));
        await PatchAsync("b/c", 200, ("n", "of c"));
        var source = _uuid;
        var copies = new JsonArray(new JsonObject { ["from_uuid"] = source, ["from_path"] = "b", ["to_path"] = "x", ["recursive"] = true });
        var dav = new JsonObject { ["copies"] = copies };
        _uuid = await CreateAsync("x/c");
        await UpdateAsync(200, new JsonObject { ["keepfs_dav"] = dav.DeepClone() });
        Assert.Equal(["x n=of b", "x/c n=of c"], await PropertiesAsync(""));
        var answer = await _catalog.PostAsync(_catalog.SpectatorToken, "collections", new JsonObject { ["collection"] = new JsonObject(), ["keepfs_dav"] = dav.DeepClone() });
        Assert.Equal(404, answer.Status);
    }

    [Fact]
    public async Task Replaced_collection_goes_to_the_trash_with_the_change_that_takes_its_name_or_not_at_all()
    {
        var old = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["collection"] = new JsonObject { ["name"] = "taken" } });
        var wrong = await _catalog.PostAsync(_catalog.ActiveToken, "collections", Replacing(old, "zzzzz-j7d0g-nonexistent0000"));
        Assert.InRange(wrong.Status, 400, 499);
        Assert.False((bool)(await _catalog.GetAsync(_catalog.ActiveToken, "collections/" + old)).Json["is_trashed"]!);
        var made = await _catalog.PostAsync(_catalog.ActiveToken, "collections", Replacing(old, _catalog.ActiveUser));
        Assert.True(made.Status == 200, made.Text);
        Assert.Equal("taken", made.Text_("name"));
        Assert.Equal(404, (await _catalog.GetAsync(_catalog.ActiveToken, "collections/" + old)).Status);
        Assert.True((bool)(await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{old}?include_trash=true")).Json["is_trashed"]!);
        Assert.Equal(404, (await _catalog.PostAsync(_catalog.SpectatorToken, "collections", Replacing(made.Text_("uuid"), _catalog.SpectatorUser))).Status);

        static JsonObject Replacing(string uuid, string owner) => new()
        {
            ["collection"] = new JsonObject { ["name"] = "taken", ["owner_uuid"] = owner },
            ["keepfs_dav"] = new JsonObject { ["replaces"] = uuid },
        };
    }

    [Fact]
    public async Task Others_can_neither_read_nor_lock_and_readers_cannot_lock()
    {
        var token = (await LockAsync("a", 200)).Text_("token");
        await PatchAsync("a", 200, [("lock", token)], token);
        foreach (var path in new[] { "locks", "properties" })
        {
            Assert.Equal(404, (await _catalog.GetAsync(_catalog.SpectatorToken, $"/keepfs/v1/{path}?uuid={_uuid}&path=")).Status);
            Assert.Equal(401, (await _catalog.GetAsync("nobody", $"/keepfs/v1/{path}?uuid={_uuid}&path=")).Status);
        }

        await _catalog.CreateAsync(_catalog.AdminToken, "links", new JsonObject
        {
            ["link"] = new JsonObject { ["link_class"] = "permission", ["name"] = "can_read", ["tail_uuid"] = _catalog.SpectatorUser, ["head_uuid"] = _uuid },
        });
        Assert.Equal(200, (await _catalog.GetAsync(_catalog.SpectatorToken, $"/keepfs/v1/locks?uuid={_uuid}")).Status);
        Assert.Equal(403, (await PostLockAsync(_catalog.SpectatorToken, "b")).Status);
        Assert.Equal(403, (await _catalog.PutAsync(_catalog.SpectatorToken, "/keepfs/v1/properties", Patch("a", await HashAsync(), ("n", "x")))).Status);
        await ReleaseAsync(_catalog.SpectatorToken, token, "a", 403);
        await ReleaseAsync(_catalog.AdminToken, token, "a", 200);
    }

    [Fact]
    public async Task Scopes_of_a_token_count_as_for_the_collection_itself()
    {
        var created = await _catalog.PostAsync(_catalog.ActiveToken, "api_client_authorizations", new JsonObject
        {
            ["api_client_authorization"] = new JsonObject { ["scopes"] = new JsonArray($"GET /arvados/v1/collections/{_uuid}") },
        });
        var scoped = $"v2/{created.Text_("uuid")}/{created.Text_("api_token")}";
        Assert.Equal(200, (await _catalog.GetAsync(scoped, $"/keepfs/v1/properties?uuid={_uuid}&path=")).Status);
        Assert.Equal(403, (await PostLockAsync(scoped, "a")).Status);
        Assert.Equal(403, (await _catalog.GetAsync(scoped, $"/keepfs/v1/locks?owner_uuid={_catalog.ActiveUser}")).Status);
    }

    [Fact]
    public async Task Lists_by_owner_hold_whole_collections_that_the_caller_sees()
    {
        await PatchAsync("", 200, ("n", "root"));
        await PatchAsync("a", 200, ("n", "inside"));
        await LockAsync("", 200);
        await LockAsync("b/c", 200);
        var properties = (await _catalog.GetAsync(_catalog.ActiveToken, $"/keepfs/v1/properties?owner_uuid={_catalog.ActiveUser}")).Json["items"]!.AsArray();
        Assert.Equal((_uuid, "root"), ((string)Assert.Single(properties)!["uuid"]!, (string)properties[0]!["value"]!));
        var locks = (await _catalog.GetAsync(_catalog.ActiveToken, $"/keepfs/v1/locks?owner_uuid={_catalog.ActiveUser}")).Json["items"]!.AsArray();
        Assert.Equal("", (string)Assert.Single(locks)!["path"]!);
        Assert.Empty((await _catalog.GetAsync(_catalog.SpectatorToken, $"/keepfs/v1/locks?owner_uuid={_catalog.ActiveUser}")).Json["items"]!.AsArray());
    }

    [Fact]
    public async Task State_is_told_only_to_those_who_ask()
    {
        Assert.Equal("", await StateAsync());
        await PatchAsync("a", 200, ("n", "x"));
        Assert.Equal("p", await StateAsync());
        Assert.False((await _catalog.GetAsync(_catalog.ActiveToken, "collections/" + _uuid)).Json.AsObject().ContainsKey("keepfs_dav"));
    }

    [Theory]
    [InlineData("""{"uuid":"X"}""")]
    [InlineData("""{"lock":5}""")]
    [InlineData("""{"lock":{"uuid":"UUID","path":"../x"}}""")]
    [InlineData("""{"lock":{"uuid":"UUID"}}""")]
    public async Task Malformed_lock_is_refused(string body)
    {
        var answer = await _catalog.PostAsync(_catalog.ActiveToken, "/keepfs/v1/locks", JsonNode.Parse(body.Replace("UUID", _uuid, StringComparison.Ordinal))!.AsObject());
        Assert.Equal(400, answer.Status);
    }

    private Task<string> CreateAsync(params string[] files)
    {
        var block = _catalog.Signed("x", _catalog.ActiveToken);
        var streams = files.GroupBy(file => file.Contains('/', StringComparison.Ordinal) ? "./" + file[..file.LastIndexOf('/')] : ".");
        var manifest = string.Concat(streams.OrderBy(stream => stream.Key, StringComparer.Ordinal).Select(stream =>
            $"{stream.Key} {block} {string.Join(' ', stream.Select(file => $"0:1:{file[(file.LastIndexOf('/') + 1)..]}"))}\n"));
        return _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["collection"] = new JsonObject { ["manifest_text"] = manifest } });
    }

    private async Task<Answer> LockAsync(string path, int status, bool shared = false, bool infinite = false, long seconds = 600)
    {
        var answer = await PostLockAsync(_catalog.ActiveToken, path, shared, infinite, seconds);
        Assert.True(answer.Status == status, answer.Text);
        return answer;
    }

    private Task<Answer> PostLockAsync(string token, string path, bool shared = false, bool infinite = false, long seconds = 600) =>
        _catalog.PostAsync(token, "/keepfs/v1/locks", new JsonObject
        {
            ["lock"] = new JsonObject { ["uuid"] = _uuid, ["path"] = path, ["shared"] = shared, ["infinite"] = infinite, ["seconds"] = seconds },
        });

    private async Task RefreshAsync(string token, string path, long seconds, int status) =>
        Assert.Equal(status, (await _catalog.PutAsync(_catalog.ActiveToken, $"/keepfs/v1/locks/{token}?uuid={_uuid}&path={path}&seconds={seconds}", [])).Status);

    private async Task ReleaseAsync(string user, string token, string path, int status) =>
        Assert.Equal(status, (await _catalog.DeleteAsync(user, $"/keepfs/v1/locks/{token}?uuid={_uuid}&path={path}")).Status);

    private async Task<JsonArray> LocksAsync() => (await _catalog.GetAsync(_catalog.ActiveToken, $"/keepfs/v1/locks?uuid={_uuid}")).Json["items"]!.AsArray();

    private async Task<IEnumerable<string>> LockedAsync() => (await LocksAsync()).Select(item => (string)item!["path"]!);

    private async Task PatchAsync(string path, int status, params (string Name, string? Value)[] changes) => await PatchAsync(path, status, changes, []);

    private async Task PatchAsync(string path, int status, (string Name, string? Value)[] changes, params string[] tokens)
    {
        var patch = Patch(path, await HashAsync(), changes);
        patch["tokens"] = new JsonArray([.. tokens.Select(token => (JsonNode)token)]);
        var answer = await _catalog.PutAsync(_catalog.ActiveToken, "/keepfs/v1/properties", patch);
        Assert.True(answer.Status == status, answer.Text);
    }

    private JsonObject Patch(string path, string hash, params (string Name, string? Value)[] changes) => new()
    {
        ["uuid"] = _uuid,
        ["path"] = path,
        ["if_portable_data_hash"] = hash,
        ["changes"] = new JsonArray([.. changes.Select(change => new JsonObject { ["namespace"] = "urn:x", ["name"] = change.Name, ["value"] = change.Value })]),
    };

    private async Task<string[]> PropertiesAsync(string path) =>
    [
        .. (await _catalog.GetAsync(_catalog.ActiveToken, $"/keepfs/v1/properties?uuid={_uuid}&path={path}&depth=infinity")).Json["items"]!.AsArray()
            .Select(item => $"{item!["path"]} {item["name"]}={item["value"]}"),
    ];

    private async Task<string> HashAsync() => (await _catalog.GetAsync(_catalog.ActiveToken, "collections/" + _uuid)).Text_("portable_data_hash");

    private async Task<string> ManifestAsync() => (await _catalog.GetAsync(_catalog.ActiveToken, "collections/" + _uuid)).Text_("manifest_text");

    private async Task<string> StateAsync() => (await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{_uuid}?keepfs_dav=true&select=[\"uuid\"]")).Text_("keepfs_dav");

    private static JsonObject Write(string path, params string[] tokens) => new()
    {
        ["path"] = path,
        ["recursive"] = true,
        ["membership"] = true,
        ["tokens"] = new JsonArray([.. tokens.Select(token => (JsonNode)token)]),
    };

    private Task SaveAsync(int status, Dictionary<string, string> changes, JsonObject? write)
    {
        var body = new JsonObject { ["replace_files"] = new JsonObject(changes.Select(change => KeyValuePair.Create(change.Key, (JsonNode?)change.Value))) };
        if (write is not null)
        {
            body["keepfs_dav"] = new JsonObject { ["writes"] = new JsonArray(write) };
        }

        return UpdateAsync(status, body);
    }

    private async Task UpdateAsync(int status, JsonObject body)
    {
        var answer = await _catalog.PutAsync(_catalog.ActiveToken, "collections/" + _uuid, body);
        Assert.True(answer.Status == status, answer.Text);
    }
}
