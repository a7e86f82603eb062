using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>Manifests, signatures, conditional saves, versions and trash (catalog-api.md 4 to 6).</summary>
public abstract class CollectionTests(DatabaseKind database) : IAsyncLifetime
{
    private TestCatalog _catalog = null!;

    private string Token => _catalog.ActiveToken;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Theory]
    [InlineData(". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo", "Invalid manifest: does not end with newline")]
    [InlineData("foo acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n", "Manifest invalid for stream 1: missing or invalid stream name")]
    [InlineData(". 0:0:foo\n", "Manifest invalid for stream 1: missing or invalid locator")]
    [InlineData(". acbd18db4cc2f85cedef654fccc4a4d8+3 2:3:foo\n", "Manifest invalid")]
    public async Task Invalid_manifest_is_422(string manifest, string message)
    {
        var answer = await _catalog.PostAsync(_catalog.AdminToken, "collections", new JsonObject { ["manifest_text"] = manifest });

        Assert.Equal(422, answer.Status);
        Assert.StartsWith(message, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unsigned_expired_and_foreign_signatures_are_403()
    {
        foreach (var locator in new[]
        {
            "acbd18db4cc2f85cedef654fccc4a4d8+3",
            _catalog.Signed("foo", Token, TimeSpan.FromSeconds(-10)),
            _catalog.Signed("foo", _catalog.SpectatorToken),
            _catalog.Signed("foo", Token.Split('/')[2]),
            "acbd18db4cc2f85cedef654fccc4a4d8+3+Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@7fffffff",
        })
        {
            var answer = await _catalog.PostAsync(Token, "collections", new JsonObject { ["manifest_text"] = $". {locator} 0:3:foo\n" });
            Assert.True(answer.Status == 403, locator + answer.Text);
            Assert.DoesNotContain("+A", answer.Text, StringComparison.Ordinal);
        }

        Assert.Equal(200, (await _catalog.PostAsync(_catalog.AdminToken, "collections", new JsonObject { ["manifest_text"] = ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n" })).Status);
        Assert.Equal(200, (await _catalog.PostAsync(Token, "collections", new JsonObject { ["manifest_text"] = ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:foo\n" })).Status);
    }

    [Fact]
    public async Task Bare_secret_signs_and_verifies_for_itself()
    {
        var secret = Token.Split('/')[2];
        var answer = await _catalog.PostAsync(secret, "collections", new JsonObject { ["manifest_text"] = _catalog.OneFile("foo", "foo", secret) });

        Assert.Equal(200, answer.Status);
        Assert.Equal("Valid", _catalog.Signer.Verify(answer.Text_("manifest_text").Split(' ')[1], secret, _catalog.Clock.GetUtcNow()).ToString());
    }

    [Fact]
    public async Task Stored_manifest_keeps_other_hints_and_loses_signatures()
    {
        var locator = _catalog.Signed("foo", Token);
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["manifest_text"] = $". {locator}+Zfoo 0:3:foo\n" });

        var answer = await _catalog.GetAsync(Token, $"collections/{uuid}?select=%5B%22unsigned_manifest_text%22%5D");

        Assert.Equal(". acbd18db4cc2f85cedef654fccc4a4d8+3+Zfoo 0:3:foo\n", answer.Text_("unsigned_manifest_text"));
        Assert.False(answer.Json.ContainsKey("manifest_text"));
        Assert.NotNull(answer.Json["etag"]);
        Assert.Equal("arvados#collection", answer.Text_("kind"));
    }

    [Fact]
    public async Task Unchanged_manifest_needs_no_fresh_signature()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["manifest_text"] = _catalog.OneFile("foo", "foo", Token) });

        var same = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["manifest_text"] = ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n" });
        var other = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["manifest_text"] = ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:bar\n" });

        Assert.Equal(200, same.Status);
        Assert.Equal(403, other.Status);
    }

    [Fact]
    public async Task Wrong_portable_data_hash_is_422_and_its_size_does_not_count()
    {
        var manifest = _catalog.OneFile("foo", "foo", Token);
        Assert.Equal(422, (await _catalog.PostAsync(Token, "collections", new JsonObject { ["manifest_text"] = manifest, ["portable_data_hash"] = "fa7aeb5140e2848d39b416daeef4ffc5+45" })).Status);
        var good = await _catalog.PostAsync(Token, "collections", new JsonObject { ["manifest_text"] = manifest, ["portable_data_hash"] = "1f4b0bc7583c2a7f9102c395f4ffc5e3+1" });
        Assert.Equal("1f4b0bc7583c2a7f9102c395f4ffc5e3+45", good.Text_("portable_data_hash"));
    }

    [Fact]
    public async Task Ensure_unique_name_changes_a_taken_name()
    {
        await _catalog.CreateAsync(Token, "collections", new JsonObject { ["name"] = "n" });

        var answer = await _catalog.PostAsync(Token, "collections?ensure_unique_name=true", new JsonObject { ["collection"] = new JsonObject { ["name"] = "n" } });

        Assert.Equal($"n ({answer.Text_("uuid")[^15..]})", answer.Text_("name"));
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    public async Task Bad_name_is_422(string name) =>
        Assert.Equal(422, (await _catalog.PostAsync(Token, "collections", new JsonObject { ["name"] = name })).Status);

    [Fact]
    public async Task Conditional_save_is_412_when_the_content_changed_and_changes_nothing()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["manifest_text"] = _catalog.OneFile("foo", "foo", Token), ["name"] = "c" });

        var refused = await _catalog.PutAsync(
            Token, $"collections/{uuid}?if_portable_data_hash=fa7aeb5140e2848d39b416daeef4ffc5%2B45", new JsonObject { ["manifest_text"] = "", ["name"] = "changed" });
        var after = await _catalog.GetAsync(Token, $"collections/{uuid}");
        var accepted = await _catalog.PutAsync(
            Token, $"collections/{uuid}", new JsonObject { ["if_portable_data_hash"] = "1f4b0bc7583c2a7f9102c395f4ffc5e3", ["manifest_text"] = "" });

        Assert.Equal(412, refused.Status);
        Assert.StartsWith("collection content changed: current portable_data_hash is 1f4b0bc7583c2a7f9102c395f4ffc5e3+45", refused.Error, StringComparison.Ordinal);
        Assert.Equal("c", after.Text_("name"));
        Assert.Equal(1, after.Json["version"]!.GetValue<int>());
        Assert.Equal("d41d8cd98f00b204e9800998ecf8427e+0", accepted.Text_("portable_data_hash"));
    }

    [Fact]
    public async Task Concurrent_conditional_saves_of_one_content_let_exactly_one_through()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["manifest_text"] = "" });

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => _catalog.PutAsync(
            Token, $"collections/{uuid}?if_portable_data_hash=d41d8cd98f00b204e9800998ecf8427e%2B0",
            new JsonObject { ["manifest_text"] = $". d41d8cd98f00b204e9800998ecf8427e+0 0:0:f{i}\n" })));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(15, answers.Count(answer => answer.Status == 412));
    }

    [Fact]
    public async Task New_block_clears_the_confirmed_replication_and_a_rename_keeps_it()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["manifest_text"] = _catalog.OneFile("foo", "foo", Token) });
        var confirm = new JsonObject { ["replication_confirmed"] = 2, ["replication_confirmed_at"] = "2026-01-01T00:00:00Z" };
        Assert.Equal(403, (await _catalog.PutAsync(Token, $"collections/{uuid}", JsonNode.Parse(confirm.ToJsonString())!.AsObject())).Status);
        Assert.Equal(200, (await _catalog.PutAsync(_catalog.AdminToken, $"collections/{uuid}", confirm)).Status);

        var renamed = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["manifest_text"] = _catalog.OneFile("bar", "foo", Token) });
        var replaced = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["manifest_text"] = _catalog.OneFile("bar", "new", Token) });

        Assert.Equal(2, renamed.Json["replication_confirmed"]!.GetValue<int>());
        Assert.Null(replaced.Json["replication_confirmed"]);
    }

    [Fact]
    public async Task Idle_collection_keeps_its_old_version()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["manifest_text"] = _catalog.OneFile("foo", "foo", Token), ["name"] = "v1" });
        var first = await _catalog.GetAsync(Token, $"collections/{uuid}");
        var quick = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["name"] = "v1b" });
        _catalog.Clock.Advance(TimeSpan.FromSeconds(11));

        var second = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["manifest_text"] = "", ["name"] = "v2" });
        var all = await _catalog.GetAsync(Token, $"collections?include_old_versions=true&order=version&filters={Uri.EscapeDataString($"[[\"current_version_uuid\",\"=\",\"{uuid}\"]]")}");
        var old = await _catalog.GetAsync(Token, $"collections/{all.ItemTexts("uuid").First()}");

        Assert.Equal(1, quick.Json["version"]!.GetValue<int>());
        Assert.Equal(2, second.Json["version"]!.GetValue<int>());
        Assert.Equal([1, 2], all.Items.Select(item => item!["version"]!.GetValue<int>()));
        Assert.Equal("v1b", old.Text_("name"));
        Assert.Equal(first.Text_("portable_data_hash"), old.Text_("portable_data_hash"));
        Assert.Equal(quick.Text_("modified_at"), old.Text_("modified_at"));
        Assert.Equal([uuid], (await _catalog.GetAsync(Token, "collections")).ItemTexts("uuid"));
        Assert.Equal(422, (await _catalog.PutAsync(Token, $"collections/{old.Text_("uuid")}", new JsonObject { ["name"] = "x" })).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Token, "collections/1f4b0bc7583c2a7f9102c395f4ffc5e3+45")).Status);

        await _catalog.DeleteAsync(Token, $"collections/{uuid}");
        Assert.Equal(404, (await _catalog.GetAsync(Token, $"collections/{old.Text_("uuid")}")).Status);
    }

    [Fact]
    public async Task Preserve_version_keeps_the_next_change_apart()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["name"] = "a" });
        var before = await _catalog.GetAsync(Token, $"collections/{uuid}");
        var marked = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["preserve_version"] = true });
        var ignored = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["preserve_version"] = false });
        var changed = await _catalog.PutAsync(Token, $"collections/{uuid}", new JsonObject { ["name"] = "b" });

        Assert.True(marked.Json["preserve_version"]!.GetValue<bool>());
        Assert.Equal(before.Text_("modified_at"), marked.Text_("modified_at"));
        Assert.True(ignored.Json["preserve_version"]!.GetValue<bool>());
        Assert.Equal(2, changed.Json["version"]!.GetValue<int>());
        Assert.False(changed.Json["preserve_version"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Trash_hides_untrash_returns_and_the_sweep_removes()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["name"] = "t", ["manifest_text"] = _catalog.OneFile("foo", "foo", Token) });

        var trashed = await _catalog.PostAsync(Token, $"collections/{uuid}/trash");
        Assert.True(trashed.Json["is_trashed"]!.GetValue<bool>());
        Assert.DoesNotContain("+A", trashed.Text_("manifest_text"), StringComparison.Ordinal);
        Assert.Equal(404, (await _catalog.GetAsync(Token, $"collections/{uuid}")).Status);
        Assert.Equal(404, (await _catalog.GetAsync(Token, "collections/1f4b0bc7583c2a7f9102c395f4ffc5e3+45")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Token, $"collections/{uuid}?include_trash=true")).Status);
        Assert.Empty((await _catalog.GetAsync(Token, "collections")).Items);
        Assert.Single((await _catalog.GetAsync(Token, "collections?include_trash=true")).Items);

        await _catalog.CreateAsync(Token, "collections", new JsonObject { ["name"] = "t" });
        Assert.Equal(422, (await _catalog.PostAsync(Token, $"collections/{uuid}/untrash")).Status);
        var back = await _catalog.PostAsync(Token, $"collections/{uuid}/untrash?ensure_unique_name=true");
        Assert.Equal($"t ({uuid[^15..]})", back.Text_("name"));
        Assert.Null(back.Json["trash_at"]);
        Assert.Equal(422, (await _catalog.PostAsync(Token, $"collections/{uuid}/untrash")).Status);

        Assert.Equal(200, (await _catalog.DeleteAsync(Token, $"collections/{uuid}")).Status);
        Assert.Equal(403, (await _catalog.PostAsync(Token, "/sys/trash_sweep")).Status);
        Assert.Equal(204, (await _catalog.PostAsync(_catalog.AdminToken, "/sys/trash_sweep")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(Token, $"collections/{uuid}?include_trash=true")).Status);
        _catalog.Clock.Advance(TimeSpan.FromHours(337));
        Assert.Equal(404, (await _catalog.GetAsync(Token, $"collections/{uuid}?include_trash=true")).Status);
        Assert.Equal(404, (await _catalog.PostAsync(_catalog.AdminToken, $"collections/{uuid}/untrash")).Status);
        Assert.Equal(204, (await _catalog.PostAsync(_catalog.AdminToken, "/sys/trash_sweep")).Status);
        Assert.Contains(uuid, (await _catalog.GetAsync(_catalog.AdminToken, "logs?filters=" + Uri.EscapeDataString("[[\"event_type\",\"=\",\"delete\"]]"))).ItemTexts("object_uuid"));
    }

    [Fact]
    public async Task Expiring_collection_is_signed_no_longer_than_it_lives()
    {
        var at = _catalog.Clock.GetUtcNow().AddMinutes(10);
        var answer = await _catalog.PostAsync(Token, "collections", new JsonObject { ["manifest_text"] = _catalog.OneFile("foo", "foo", Token), ["trash_at"] = at.ToString("O") });

        var expiry = Engine.Blocks.LocatorSigner.ExpiryOf(answer.Text_("manifest_text").Split(' ')[1])!.Value;

        Assert.Equal(at.ToUnixTimeSeconds(), expiry.ToUnixTimeSeconds());
        Assert.False(answer.Json["is_trashed"]!.GetValue<bool>());
        _catalog.Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(404, (await _catalog.GetAsync(Token, $"collections/{answer.Text_("uuid")}")).Status);
        var back = await _catalog.PutAsync(Token, $"collections/{answer.Text_("uuid")}?include_trash=true", new JsonObject { ["trash_at"] = null });
        Assert.Equal(200, back.Status);
        Assert.Null(back.Json["delete_at"]);
        Assert.Equal(422, (await _catalog.PutAsync(Token, $"collections/{answer.Text_("uuid")}", new JsonObject { ["delete_at"] = at.AddYears(1).ToString("O") })).Status);
    }

    [Fact]
    public async Task Large_manifest_goes_in_and_comes_out_whole()
    {
        var text = new System.Text.StringBuilder();
        for (var i = 0; i < 3000; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"./dir{i:d5} {_catalog.Signed("block" + i, Token)} 0:5:файл\\040{i}\n");
        }

        var created = await _catalog.PostAsync(Token, "collections", new JsonObject { ["manifest_text"] = text.ToString() });
        Assert.True(created.Status == 200, created.Text);
        var read = await _catalog.GetAsync(Token, $"collections/{created.Text_("uuid")}?select=%5B%22unsigned_manifest_text%22,%22manifest_text%22%5D");

        Assert.Equal(3000, created.Json["file_count"]!.GetValue<int>());
        Assert.Equal(System.Text.RegularExpressions.Regex.Replace(text.ToString(), @"\+A[^ ]*", ""), read.Text_("unsigned_manifest_text"));
        Assert.Equal(3000, read.Text_("manifest_text").Split("+A").Length - 1);
    }
}
