using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>The request sequences of the official clients (python-clients.md 7), as they stand on the wire.</summary>
public abstract class PythonClientTests(DatabaseKind database) : IAsyncLifetime
{
    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Discovery_has_what_clients_cannot_do_without()
    {
        var answer = await _catalog.SendAsync(_catalog.ActiveToken, HttpMethod.Get, "/discovery/v1/apis/arvados/v1/rest", null);

        Assert.Equal(200, answer.Status);
        Assert.Equal("public, max-age=86400", answer.Headers["Cache-Control"]);
        Assert.Equal(_catalog.Server.Addresses[0].ToString(), answer.Text_("rootUrl"));
        Assert.Equal("arvados/v1/", answer.Text_("servicePath"));
        Assert.Equal("zzzzz", answer.Text_("uuidPrefix"));
        var schemas = answer.Json["schemas"]!.AsObject();
        foreach (var (_, resource) in answer.Json["resources"]!.AsObject())
        {
            foreach (var (_, method) in resource!["methods"]!.AsObject())
            {
                Assert.NotNull(method!["id"]);
                Assert.NotNull(method["path"]);
                Assert.NotNull(method["httpMethod"]);
                Assert.NotNull(method["parameters"]);
                var response = method["response"]!["$ref"]?.GetValue<string>();
                Assert.True(response is null || schemas.ContainsKey(response), response);
            }
        }

        var create = answer.Json["resources"]!["collections"]!["methods"]!["create"]!;
        Assert.Equal("boolean", create["parameters"]!["ensure_unique_name"]!["type"]!.GetValue<string>());
        Assert.NotNull(create["request"]!["properties"]!["collection"]);
        Assert.NotNull(answer.Json["resources"]!["configs"]!["methods"]!["get"]);
        Assert.NotNull(answer.Json["resources"]!["groups"]!["methods"]!["shared"]);
    }

    [Fact]
    public async Task Config_is_public_and_holds_no_secret()
    {
        var answer = await _catalog.SendAsync(null, HttpMethod.Get, "config?alt=json", null);

        Assert.Equal(200, answer.Status);
        Assert.True(answer.Json["StorageClasses"]!["default"]!["Default"]!.GetValue<bool>());
        Assert.Equal("336h0m0s", answer.Json["Collections"]!["BlobSigningTTL"]!.GetValue<string>());
        Assert.DoesNotContain(TestCatalog.SigningKey, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(TestCatalog.RootToken, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("25107", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arv_put_creates_a_collection_and_arv_get_reads_it()
    {
        var token = _catalog.ActiveToken;
        Assert.Equal(_catalog.ActiveUser, (await _catalog.GetAsync(token, "users/current?alt=json")).Text_("uuid"));
        var services = await _catalog.SendAsync(null, HttpMethod.Get, "keep_services/accessible?alt=json", null);
        Assert.Equal(2, services.Items.Count);
        Assert.All(services.ItemTexts("uuid"), uuid => Assert.Equal(27, uuid.Length));
        Assert.Contains("zzzzz-bi6l4-aaaaabbbbbccccc", services.ItemTexts("uuid"));

        var manifest = _catalog.OneFile("foo", "foo", token);
        var created = await _catalog.PostAsync(token, "collections?ensure_unique_name=true&alt=json", new JsonObject
        {
            ["manifest_text"] = manifest,
            ["name"] = "Saved at 2026 by user@host",
            ["replication_desired"] = null,
            ["owner_uuid"] = _catalog.ActiveUser,
            ["storage_classes_desired"] = new JsonArray("fast", "archive"),
            ["trash_at"] = "2036-11-11T11:11:11.111111Z",
        });

        Assert.Equal(200, created.Status);
        Assert.Equal("1f4b0bc7583c2a7f9102c395f4ffc5e3+45", created.Text_("portable_data_hash"));
        Assert.Equal("2036-11-11T11:11:11.111111000Z", created.Text_("trash_at"));
        Assert.Equal(["fast", "archive"], created.Json["storage_classes_desired"]!.AsArray().Select(name => name!.GetValue<string>()));
        Assert.Equal(1, created.Json["file_count"]!.GetValue<int>());
        Assert.Equal(3, created.Json["file_size_total"]!.GetValue<int>());

        var read = await _catalog.GetAsync(token, $"collections/{created.Text_("uuid")}?alt=json");
        var locator = read.Text_("manifest_text").Split(' ')[1];
        Assert.Equal(SignatureCheckValid, _catalog.Signer.Verify(locator, token, _catalog.Clock.GetUtcNow()).ToString());

        var byHash = await _catalog.GetAsync(token, "collections/1f4b0bc7583c2a7f9102c395f4ffc5e3%2B45?alt=json");
        Assert.Equal(200, byHash.Status);
        Assert.Equal("1f4b0bc7583c2a7f9102c395f4ffc5e3+45", byHash.Text_("uuid"));
        Assert.False(byHash.Json.ContainsKey("name"));
        Assert.Equal(404, (await _catalog.GetAsync(_catalog.SpectatorToken, "collections/1f4b0bc7583c2a7f9102c395f4ffc5e3%2B45")).Status);
    }

    private const string SignatureCheckValid = "Valid";

    [Fact]
    public async Task Arv_put_update_collection_merges_and_accepts_a_no_op()
    {
        var token = _catalog.ActiveToken;
        var uuid = await _catalog.CreateAsync(token, "collections", new JsonObject { ["manifest_text"] = _catalog.OneFile("foo", "foo", token), ["name"] = "c" });
        var before = await _catalog.GetAsync(token, $"collections/{uuid}");

        var same = await _catalog.PutAsync(token, $"collections/{uuid}?alt=json", new JsonObject { ["storage_classes_desired"] = new JsonArray("default") });
        var changed = await _catalog.PutAsync(token, $"collections/{uuid}", new JsonObject
        {
            ["storage_classes_desired"] = new JsonArray("default"),
            ["manifest_text"] = before.Text_("manifest_text") + $"./d {_catalog.Signed("bar", token)} 0:3:bar\n",
        });

        Assert.Equal(200, same.Status);
        Assert.Equal(before.Text_("modified_at"), same.Text_("modified_at"));
        Assert.Equal(200, changed.Status);
        Assert.Equal(2, changed.Json["file_count"]!.GetValue<int>());
        Assert.NotEqual(before.Text_("etag"), changed.Text_("etag"));
    }

    [Fact]
    public async Task Arv_mount_home_listing_pages_until_an_empty_page()
    {
        var token = _catalog.ActiveToken;
        var expected = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            expected.Add(await _catalog.CreateAsync(token, "groups", new JsonObject { ["name"] = $"p{i}", ["group_class"] = "project" }));
            await _catalog.CreateAsync(token, "collections", new JsonObject { ["name"] = $"c{i}", ["manifest_text"] = "" });
        }

        foreach (var (kind, extra) in new[] { ("arvados#group", "[\"groups.group_class\", \"in\", [\"project\", \"filter\"]], "), ("arvados#collection", "") })
        {
            var seen = new List<string>();
            var page = await ContentsAsync($"[{extra}[\"uuid\", \"is_a\", \"{kind}\"]]");
            while (page.Count > 0)
            {
                seen.AddRange(page.Select(item => item!["uuid"]!.GetValue<string>()).Except(seen));
                var last = seen[^1];
                var conditions = page.Count > 1 ? $"[\"uuid\", \">=\", \"{last}\"], [\"uuid\", \"!=\", \"{last}\"]" : $"[\"uuid\", \">\", \"{last}\"]";
                Assert.Empty(await ContentsAsync($"[[\"uuid\", \"=\", \"{last}\"], [\"uuid\", \">\", \"{last}\"], [\"uuid\", \"is_a\", \"{kind}\"]]"));
                page = await ContentsAsync($"[{conditions}, {extra}[\"uuid\", \"is_a\", \"{kind}\"]]");
            }

            Assert.Equal(5, seen.Count);
            Assert.Equal(seen.Order(StringComparer.Ordinal), seen);
            if (kind == "arvados#group")
            {
                Assert.Equal(expected.Order(StringComparer.Ordinal), seen);
            }
        }

        async Task<JsonArray> ContentsAsync(string filters)
        {
            var answer = await _catalog.GetAsync(
                token, $"groups/contents?uuid={_catalog.ActiveUser}&filters={Uri.EscapeDataString(filters)}&limit=2&count=none&order=%5B%22uuid+asc%22%2C+%22uuid+asc%22%5D&alt=json");
            Assert.True(answer.Status == 200, answer.Text);
            Assert.False(answer.Json.ContainsKey("items_available"));
            Assert.All(answer.Items, item => Assert.True(item!["kind"]!.GetValue<string>() == "arvados#group" || item["current_version_uuid"]!.GetValue<string>() == item["uuid"]!.GetValue<string>()));
            return answer.Items;
        }
    }

    [Fact]
    public async Task Arv_mount_looks_up_names_and_a_clash_is_an_error()
    {
        var token = _catalog.ActiveToken;
        var body = new JsonObject { ["owner_uuid"] = _catalog.ActiveUser, ["name"] = "dir", ["manifest_text"] = "" };
        var uuid = await _catalog.CreateAsync(token, "collections", body);

        var filters = Uri.EscapeDataString($"[[\"owner_uuid\", \"=\", \"{_catalog.ActiveUser}\"], [\"name\", \"=\", \"dir\"]]");
        Assert.Equal([uuid], (await _catalog.GetAsync(token, $"collections?filters={filters}&limit=2")).ItemTexts("uuid"));
        Assert.Empty((await _catalog.GetAsync(token, $"groups?filters={filters}&limit=2")).Items);
        var clash = await _catalog.PostAsync(token, "collections", JsonNode.Parse(body.ToJsonString())!.AsObject());
        Assert.Equal(422, clash.Status);
        Assert.Contains("duplicate key", clash.Error, StringComparison.Ordinal);

        Assert.Equal(200, (await _catalog.DeleteAsync(token, $"collections/{uuid}")).Status);
        Assert.Equal(404, (await _catalog.PutAsync(token, $"collections/{uuid}", new JsonObject { ["storage_classes_desired"] = new JsonArray("default") })).Status);
        Assert.Equal(200, (await _catalog.PostAsync(token, "collections", JsonNode.Parse(body.ToJsonString())!.AsObject())).Status);
    }

    [Fact]
    public async Task Arv_mount_project_by_uuid_counts_its_items()
    {
        var uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "groups", new JsonObject { ["name"] = "p", ["group_class"] = "project" });

        var filters = Uri.EscapeDataString($"[[\"group_class\", \"in\", [\"project\", \"filter\"]], [\"uuid\", \"=\", \"{uuid}\"]]");
        var answer = await _catalog.GetAsync(_catalog.ActiveToken, $"groups?filters={filters}");

        Assert.Equal(1, answer.Json["items_available"]!.GetValue<int>());
        Assert.True(answer.Items[0]!["can_write"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Arv_mount_shared_lists_projects_of_others_with_their_owners()
    {
        var project = await _catalog.CreateAsync(_catalog.ActiveToken, "groups", new JsonObject { ["name"] = "shared one", ["group_class"] = "project" });
        await _catalog.CreateAsync(_catalog.ActiveToken, "groups", new JsonObject { ["name"] = "inner", ["group_class"] = "project", ["owner_uuid"] = project });
        await _catalog.CreateAsync(_catalog.ActiveToken, "links", new JsonObject
        {
            ["link_class"] = "permission",
            ["name"] = "can_read",
            ["tail_uuid"] = TestCatalog.AllUsers,
            ["head_uuid"] = project,
        });

        const string Classes = "[\"group_class\", \"in\", [\"project\", \"filter\"]]";
        var first = await SharedAsync($"[{Classes}]");
        Assert.Equal([project], first.ItemTexts("uuid").Where(uuid => uuid.StartsWith("zzzzz-j7d0g-", StringComparison.Ordinal) && uuid != "zzzzz-j7d0g-publicfavorites"));
        Assert.NotNull(first.Json["included"]);
        Assert.False(first.Items[0]!["can_write"]!.GetValue<bool>());
        Assert.Empty((await SharedAsync($"[[\"uuid\", \">\", \"{first.ItemTexts("uuid").Last()}\"], {Classes}]")).Items);

        async Task<Answer> SharedAsync(string filters)
        {
            var answer = await _catalog.GetAsync(
                _catalog.SpectatorToken, $"groups/shared?filters={Uri.EscapeDataString(filters)}&order=uuid&limit=10000&count=none&include=owner_uuid");
            Assert.True(answer.Status == 200, answer.Text);
            return answer;
        }
    }

    [Fact]
    public async Task Arv_mount_by_tag_finds_names_and_heads()
    {
        var token = _catalog.ActiveToken;
        var uuid = await _catalog.CreateAsync(token, "collections", new JsonObject { ["manifest_text"] = "" });
        foreach (var name in new[] { "tag", "tag", "other" })
        {
            await _catalog.CreateAsync(token, "links", new JsonObject { ["link_class"] = "tag", ["name"] = name, ["head_uuid"] = uuid });
        }

        var names = await _catalog.GetAsync(token, $"links?filters={Uri.EscapeDataString("[[\"link_class\", \"=\", \"tag\"], [\"name\", \"!=\", \"\"]]")}&select=%5B%22name%22%5D&distinct=true&limit=1000");
        var heads = await _catalog.GetAsync(
            token, $"links?filters={Uri.EscapeDataString("[[\"link_class\", \"=\", \"tag\"], [\"name\", \"=\", \"tag\"], [\"head_uuid\", \"is_a\", \"arvados#collection\"]]")}&select=%5B%22head_uuid%22%5D");

        Assert.Equal(["other", "tag"], names.ItemTexts("name").Order(StringComparer.Ordinal));
        Assert.Equal(2, names.Json["items_available"]!.GetValue<int>());
        Assert.Equal([uuid, uuid], heads.ItemTexts("head_uuid"));
    }

    [Fact]
    public async Task Arv_mount_polling_sees_changes_in_the_log()
    {
        var token = _catalog.ActiveToken;
        const string Types = "[\"event_type\", \"in\", [\"create\", \"update\", \"delete\"]]";
        var since = _catalog.Clock.GetUtcNow().AddHours(-2).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var start = await _catalog.GetAsync(token, $"logs?order=id+desc&limit=1&filters={Uri.EscapeDataString($"[{Types}, [\"created_at\", \">=\", \"{since}\"]]")}");
        var last = start.Items.Count > 0 ? start.Items[0]!["id"]!.GetValue<long>() : 0;

        var uuid = await _catalog.CreateAsync(token, "collections", new JsonObject { ["manifest_text"] = "" });
        var events = await _catalog.GetAsync(token, $"logs?order=id+asc&filters={Uri.EscapeDataString($"[{Types}, [\"id\", \">\", \"{last}\"]]")}");

        Assert.Equal(1, events.Json["items_available"]!.GetValue<int>());
        Assert.Equal(uuid, events.Items[0]!["object_uuid"]!.GetValue<string>());
        Assert.Equal("create", events.Items[0]!["event_type"]!.GetValue<string>());
        Assert.Equal("", events.Items[0]!["properties"]!["new_attributes"]!["name"]!.GetValue<string>());
        Assert.Empty((await _catalog.GetAsync(_catalog.SpectatorToken, $"logs?filters={Uri.EscapeDataString($"[[\"object_uuid\", \"=\", \"{uuid}\"]]")}")).Items);
    }

    [Fact]
    public async Task Long_get_arrives_as_a_form_post_with_override()
    {
        var uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["manifest_text"] = "" });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/arvados/v1/collections");
        request.Headers.Add("Authorization", $"Bearer {_catalog.ActiveToken}");
        request.Headers.Add("x-http-method-override", "GET");
        request.Content = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["alt"] = "json",
            ["filters"] = $"[[\"uuid\", \"in\", [\"{uuid}\", {string.Join(", ", Enumerable.Range(0, 5000).Select(i => $"\"zzzzz-4zz18-{i:d15}\""))}]]]",
            ["count"] = "none",
        });

        var answer = await _catalog.SendAsync(request);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal([uuid], answer.ItemTexts("uuid"));
    }
}
