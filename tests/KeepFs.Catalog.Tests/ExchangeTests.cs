using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Catalog.Exchange;

namespace KeepFs.Catalog.Tests;

/// <summary>Export, import and backup (docs/catalog-export.md, docs/decisions/0035-catalog-export.md).</summary>
public abstract class ExchangeTests(DatabaseKind database) : IAsyncLifetime
{
    private const string User = "zzzzz-tpzed-importedimporte";
    private const string Group = "zzzzz-j7d0g-importedimporte";
    private const string Collection = "zzzzz-4zz18-importedimporte";
    private const string Token = "importedsecretimportedsecret";

    /// <summary>A user with a token who reads, through a role, a project with a collection.</summary>
    internal static readonly string Sample = string.Join('\n',
    [
        $$"""{"kind":"arvados#user","uuid":"{{User}}","username":"imported","first_name":"Im","last_name":"Ported","is_active":true,"created_at":"2014-02-03T17:22:54.5Z","etag":"ignored","can_write":true}""",
        """{"kind":"arvados#group","uuid":"zzzzz-j7d0g-rolerolerolerol","name":"readers","group_class":"role"}""",
        $$"""{"kind":"arvados#group","uuid":"{{Group}}","owner_uuid":"{{TestCatalog.SystemUser}}","name":"project","group_class":"project"}""",
        $$"""{"kind":"arvados#link","uuid":"zzzzz-o0j2j-memberofrolexxx","link_class":"permission","name":"can_read","tail_uuid":"{{User}}","head_uuid":"zzzzz-j7d0g-rolerolerolerol"}""",
        $$"""{"kind":"arvados#link","uuid":"zzzzz-o0j2j-rolereadsprojec","link_class":"permission","name":"can_read","tail_uuid":"zzzzz-j7d0g-rolerolerolerol","head_uuid":"{{Group}}"}""",
        $$"""{"kind":"arvados#collection","uuid":"{{Collection}}","owner_uuid":"{{Group}}","name":"data","manifest_text":". 37b51d194a7513e45b56f6524f2d51f2+3 0:3:bar\n","properties":{"b":1,"a":"ü"} }""",
        $$"""{"kind":"arvados#apiClientAuthorization","uuid":"zzzzz-gj3su-importedimporte","owner_uuid":"{{User}}","api_token":"{{Token}}"}""",
    ]) + "\n";

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Export_import_export_is_byte_identical(int seed)
    {
        await new RandomRecords(_catalog, new Random(seed)).MakeAsync();
        await ForgetSecretAsync();
        var first = await _catalog.ExportAsync(_catalog.AdminToken);
        await using var other = await TestCatalog.StartAsync(database);

        var imported = await other.ImportAsync(other.AdminToken, first);

        Assert.True(imported.Status == 200, imported.Text);
        Assert.Empty(imported.Json["warnings"]!.AsArray());
        var second = await other.ExportAsync(other.AdminToken);
        Assert.Equal(first.Split('\n'), second.Split('\n'));
        Assert.True(first.Split('\n').Length > 100, first);
        foreach (var kind in ExchangeKinds.All)
        {
            Assert.Contains($"{{\"kind\":\"{kind.Kind}\"", first, StringComparison.Ordinal);
        }

        // The same people see the same things.
        foreach (var token in new[] { _catalog.ActiveToken, _catalog.SpectatorToken })
        {
            const string Lists = "groups?order=uuid&limit=1000&include_trash=true|collections?order=uuid&limit=1000&include_trash=true&include_old_versions=true|links?order=uuid&limit=1000";
            foreach (var list in Lists.Split('|'))
            {
                Assert.Equal((await _catalog.GetAsync(token, list)).ItemTexts("uuid"), (await other.GetAsync(token, list)).ItemTexts("uuid"));
            }
        }
    }

    [Fact]
    public async Task Imported_records_are_found_by_their_users_at_once()
    {
        var answer = await _catalog.ImportAsync(_catalog.AdminToken, Sample);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(2, answer.Json["imported"]!["groups"]!.GetValue<int>());
        Assert.Equal(User, (await _catalog.GetAsync(Token, "users/current")).Text_("uuid"));
        var collection = await _catalog.GetAsync($"v2/zzzzz-gj3su-importedimporte/{Token}", $"collections/{Collection}");
        Assert.Equal("37b51d194a7513e45b56f6524f2d51f2", collection.Text_("manifest_text").Split(' ')[1][..32]);
        Assert.Equal(1, collection.Json["file_count"]!.GetValue<int>());
        Assert.Equal("2014-02-03T17:22:54.500000000Z", (await _catalog.GetAsync(_catalog.AdminToken, $"users/{User}")).Text_("created_at"));
        Assert.Equal(404, (await _catalog.GetAsync(_catalog.SpectatorToken, $"collections/{Collection}")).Status);
        // What the start had made is made again: the administrator goes on, and so do the others.
        Assert.Equal(200, (await _catalog.GetAsync(_catalog.ActiveToken, "users/current")).Status);
        Assert.Equal(_catalog.ActiveUser, (await _catalog.GetAsync(_catalog.ActiveToken, "users/current")).Text_("uuid"));
        Assert.Equal(2, (await _catalog.GetAsync(_catalog.AdminToken, "keep_services/accessible")).Items.Count);
    }

    [Theory]
    [InlineData("2014-02-03T17:22:54Z", "2014-02-03T17:22:54.000000000Z")]
    [InlineData("2014-02-03 17:22:54", "2014-02-03T17:22:54.000000000Z")]
    [InlineData("2014-02-03 17:22:54 UTC", "2014-02-03T17:22:54.000000000Z")]
    [InlineData("2014-02-03 17:22:54.123456", "2014-02-03T17:22:54.123456000Z")]
    [InlineData("2014-02-03 17:22:54.123456+02", "2014-02-03T15:22:54.123456000Z")]
    [InlineData("2014-02-03T17:22:54.123456789-05:00", "2014-02-03T22:22:54.123456000Z")]
    public async Task Times_come_in_the_forms_in_which_databases_write_them(string written, string shown)
    {
        var line = new JsonObject { ["kind"] = "arvados#user", ["uuid"] = User, ["created_at"] = written };
        var answer = await _catalog.ImportAsync(_catalog.AdminToken, line.ToJsonString());
        Assert.True(answer.Status == 200, answer.Text);
        var user = await _catalog.GetAsync(_catalog.AdminToken, $"users/{User}");
        Assert.Equal((shown, shown), (user.Text_("created_at"), user.Text_("modified_at")));
    }

    [Fact]
    public async Task Import_adds_to_what_is_there_and_overwrites_only_when_asked()
    {
        var mine = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["name"] = "mine", ["manifest_text"] = "" });
        Assert.Equal(200, (await _catalog.ImportAsync(_catalog.AdminToken, Sample)).Status);
        Assert.Equal(200, (await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{mine}")).Status);
        var etag = (await _catalog.GetAsync(_catalog.AdminToken, $"collections/{Collection}")).Text_("etag");
        var changed = Sample.Replace("\"data\"", "\"other\"", StringComparison.Ordinal);

        var refused = await _catalog.ImportAsync(_catalog.AdminToken, changed);

        Assert.Equal(422, refused.Status);
        Assert.StartsWith($"line 1: {User} is in the catalogue already", refused.Error, StringComparison.Ordinal);
        _catalog.Clock.Advance(TimeSpan.FromSeconds(1));
        var replaced = await _catalog.ImportAsync(_catalog.AdminToken, changed, "?replace=true");
        Assert.True(replaced.Status == 200, replaced.Text);
        Assert.Equal(1, replaced.Json["replaced"]!["collections"]!.GetValue<int>());
        var now = await _catalog.GetAsync(Token, $"collections/{Collection}");
        Assert.Equal("other", now.Text_("name"));
        Assert.NotEqual(etag, now.Text_("etag"));
        Assert.Equal(200, (await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{mine}")).Status);
    }

    [Theory]
    [InlineData("nonsense", "line 2 is not a JSON object")]
    [InlineData("[1]", "line 2: it must be a JSON object")]
    [InlineData("""{"uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa"}""", "line 2: it must be a JSON object with the attribute 'kind'")]
    [InlineData("""{"kind":"arvados#nothing"}""", "line 2: kind 'arvados#nothing' is not known")]
    [InlineData("""{"kind":"arvados#user","uuid":"zzzzz-4zz18-aaaaaaaaaaaaaaa"}""", "line 2: uuid 'zzzzz-4zz18-aaaaaaaaaaaaaaa' is not the UUID of a user")]
    [InlineData("""{"kind":"arvados#user"}""", "line 2: uuid '' is not the UUID of a user")]
    [InlineData("""{"kind":"arvados#user","uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa","colour":"red"}""", "line 2: arvados#user has no attribute 'colour'")]
    [InlineData("""{"kind":"arvados#user","uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa","is_active":"perhaps"}""", "line 2: is_active must be true or false")]
    [InlineData("""{"kind":"arvados#user","uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa","created_at":"yesterday"}""", "line 2: created_at: 'yesterday' is not a time")]
    [InlineData("""{"kind":"arvados#user","uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa","username":"first"}""", "line 2: another user has the same username")]
    [InlineData("""{"kind":"arvados#user","uuid":"zzzzz-tpzed-firstfirstfirst"}""", "line 2: another user has the same uuid")]
    [InlineData("""{"kind":"arvados#group","uuid":"zzzzz-j7d0g-aaaaaaaaaaaaaaa","group_class":"club"}""", "line 2: group_class 'club' must be")]
    [InlineData("""{"kind":"arvados#group","uuid":"zzzzz-j7d0g-aaaaaaaaaaaaaaa","group_class":"project","owner_uuid":"me"}""", "line 2: owner_uuid 'me' is not a UUID")]
    [InlineData("""{"kind":"arvados#collection","uuid":"zzzzz-4zz18-aaaaaaaaaaaaaaa","manifest_text":"x"}""", "line 2: Invalid manifest")]
    [InlineData("""{"kind":"arvados#collection","uuid":"zzzzz-4zz18-aaaaaaaaaaaaaaa","portable_data_hash":"37b51d194a7513e45b56f6524f2d51f2+3"}""", "line 2: portable_data_hash 37b51d194a7513e45b56f6524f2d51f2+3 does not match")]
    [InlineData("""{"kind":"arvados#collection","uuid":"zzzzz-4zz18-aaaaaaaaaaaaaaa","trash_at":"2020-01-01T00:00:00Z"}""", "line 2: trash_at and delete_at")]
    [InlineData("""{"kind":"arvados#link","uuid":"zzzzz-o0j2j-aaaaaaaaaaaaaaa"}""", "line 2: link_class must be given")]
    [InlineData("""{"kind":"arvados#link","uuid":"zzzzz-o0j2j-aaaaaaaaaaaaaaa","link_class":"permission","name":"can_fly"}""", "line 2: name 'can_fly' of a permission link")]
    [InlineData("""{"kind":"arvados#link","uuid":"zzzzz-o0j2j-aaaaaaaaaaaaaaa","link_class":"permission","name":"can_read","tail_uuid":"zzzzz-tpzed-firstfirstfirst"}""", "line 2: a permission link needs")]
    [InlineData("""{"kind":"arvados#apiClientAuthorization","uuid":"zzzzz-gj3su-aaaaaaaaaaaaaaa","owner_uuid":"zzzzz-tpzed-firstfirstfirst"}""", "line 2: a token needs its secret")]
    [InlineData("""{"kind":"arvados#apiClientAuthorization","uuid":"zzzzz-gj3su-aaaaaaaaaaaaaaa","owner_uuid":"zzzzz-j7d0g-aaaaaaaaaaaaaaa","api_token":"x"}""", "line 2: owner_uuid 'zzzzz-j7d0g-aaaaaaaaaaaaaaa' of a token must be a user")]
    [InlineData("""{"kind":"keepfs#davProperty","uuid":"zzzzz-4zz18-aaaaaaaaaaaaaaa","path":"a","namespace":"","value":"<x/>"}""", "line 2: keepfs#davProperty: name must be given")]
    [InlineData("""{"kind":"keepfs#catalogExport","version":1}""", "line 2: keepfs#catalogExport may only be the first line")]
    public async Task Wrong_line_is_named_and_nothing_is_imported(string line, string error)
    {
        var before = await _catalog.ExportAsync(_catalog.AdminToken);
        var good = """{"kind":"arvados#user","uuid":"zzzzz-tpzed-firstfirstfirst","username":"first"}""";

        var answer = await _catalog.ImportAsync(_catalog.AdminToken, $"{good}\n{line}\n");

        Assert.Equal(422, answer.Status);
        Assert.StartsWith(error, answer.Error, StringComparison.Ordinal);
        Assert.Equal(before, await _catalog.ExportAsync(_catalog.AdminToken));
        Assert.Equal(
            database == DatabaseKind.Sqlite ? ["catalog.sqlite"] : [],
            Directory.GetFiles(Path.GetDirectoryName(_catalog.DatabasePath)!).Select(Path.GetFileName).Where(name => !name!.EndsWith("-wal", StringComparison.Ordinal) && !name.EndsWith("-shm", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Clash_with_a_record_of_the_catalogue_is_named_and_nothing_is_imported()
    {
        await _catalog.CreateAsync(_catalog.ActiveToken, "groups", new JsonObject { ["name"] = "mine", ["group_class"] = "project" });
        var before = await _catalog.ExportAsync(_catalog.AdminToken);
        var good = """{"kind":"arvados#user","uuid":"zzzzz-tpzed-firstfirstfirst","username":"first"}""";
        foreach (var (line, error) in new[]
        {
            ("""{"kind":"arvados#user","uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa","username":"active"}""", "line 2: zzzzz-tpzed-aaaaaaaaaaaaaaa: another user has the same username"),
            ($$"""{"kind":"arvados#group","uuid":"{{Group}}","group_class":"project","name":"mine","owner_uuid":"{{_catalog.ActiveUser}}"}""", $"line 2: {Group}: another group has the same owner_uuid, name"),
            ("""{"kind":"arvados#apiClientAuthorization","uuid":"zzzzz-gj3su-aaaaaaaaaaaaaaa","owner_uuid":"zzzzz-tpzed-firstfirstfirst","api_token":"activesecretactivesecretactive"}""", "line 2: zzzzz-gj3su-aaaaaaaaaaaaaaa: another api_client_authorization has the same secret_hash"),
        })
        {
            var answer = await _catalog.ImportAsync(_catalog.AdminToken, $"{good}\n{line}\n", "?replace=true");
            Assert.Equal(422, answer.Status);
            Assert.StartsWith(error, answer.Error, StringComparison.Ordinal);
            Assert.Equal(before, await _catalog.ExportAsync(_catalog.AdminToken));
        }
    }

    [Fact]
    public async Task File_that_was_cut_off_or_is_of_another_cluster_or_a_newer_form_is_refused()
    {
        var whole = await _catalog.ExportAsync(_catalog.AdminToken);
        var lines = whole.TrimEnd('\n').Split('\n');

        var cut = await _catalog.ImportAsync(_catalog.AdminToken, string.Join('\n', lines[..^1]));
        var dropped = await _catalog.ImportAsync(_catalog.AdminToken, string.Join('\n', lines.Where((_, index) => index != 3)));
        var foreign = await _catalog.ImportAsync(_catalog.AdminToken, whole.Replace("\"cluster_id\":\"zzzzz\"", "\"cluster_id\":\"aaaaa\"", StringComparison.Ordinal));
        var newer = await _catalog.ImportAsync(_catalog.AdminToken, whole.Replace("\"version\":1,\"cluster", "\"version\":2,\"cluster", StringComparison.Ordinal));

        Assert.Contains("part of it is missing", cut.Error, StringComparison.Ordinal);
        Assert.Contains("speaks of", dropped.Error, StringComparison.Ordinal);
        Assert.Contains("cluster aaaaa", foreign.Error, StringComparison.Ordinal);
        Assert.Contains("newer", newer.Error, StringComparison.Ordinal);
        Assert.Equal(whole, await _catalog.ExportAsync(_catalog.AdminToken));
    }

    [Fact]
    public async Task Records_that_this_catalogue_does_not_keep_are_left_out_and_counted()
    {
        var lines = Sample + """{"kind":"arvados#containerRequest","uuid":"zzzzz-xvhdp-aaaaaaaaaaaaaaa","state":"Final"}""" + "\n";
        var answer = await _catalog.ImportAsync(_catalog.AdminToken, lines);
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(1, answer.Json["skipped"]!["arvados#containerRequest"]!.GetValue<int>());

        var strange = """{"kind":"arvados#nothing"}""" + "\n" + """{"kind":"arvados#user","uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa","colour":"red","owner_uuid":"zzzzz-tpzed-000000000000000"}""" + "\n"
            + """{"kind":"arvados#collection","uuid":"zzzzz-4zz18-orphanorphanorp","owner_uuid":"zzzzz-tpzed-nobodynobodynob"}""";
        var lenient = await _catalog.ImportAsync(_catalog.AdminToken, strange, "?skip_unknown=true");
        Assert.True(lenient.Status == 200, lenient.Text);
        Assert.Contains("collections: 1 have an owner that does not exist, such as zzzzz-4zz18-orphanorphanorp", lenient.Json["warnings"]![0]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_admins_exchange_records()
    {
        await _catalog.ImportAsync(_catalog.AdminToken, Sample);
        using var export = new HttpRequestMessage(HttpMethod.Get, "/keepfs/v1/catalog/export");
        Assert.Equal(401, (await _catalog.SendAsync(export)).Status);
        foreach (var token in new[] { _catalog.ActiveToken, Token, TestCatalog.AnonymousToken })
        {
            Assert.Equal(403, (await _catalog.GetAsync(token, "/keepfs/v1/catalog/export")).Status);
            Assert.Equal(403, (await _catalog.GetAsync(token, "/keepfs/v1/catalog/backup")).Status);
            Assert.Equal(403, (await _catalog.ImportAsync(token, "")).Status);
        }

        Assert.Equal(400, (await _catalog.PostAsync(_catalog.AdminToken, "/keepfs/v1/catalog/import", new JsonObject())).Status);
        Assert.Equal(404, (await _catalog.PostAsync(_catalog.AdminToken, "/database/reset")).Status);
    }

    [Fact]
    public async Task Manifests_larger_than_every_buffer_come_back_whole()
    {
        var manifest = new StringBuilder(".");
        for (var i = 0; i < 60_000; i++)
        {
            manifest.Append(CultureInfo.InvariantCulture, $" {i:x32}+67108864");
        }

        manifest.Append(" 0:1:big\n");
        var line = new JsonObject { ["kind"] = "arvados#collection", ["uuid"] = Collection, ["manifest_text"] = manifest.ToString() }.ToJsonString();
        var answer = await _catalog.ImportAsync(_catalog.AdminToken, $"{Sample.Replace(Collection, "zzzzz-4zz18-otherotherother", StringComparison.Ordinal)}{line}\n");
        Assert.True(answer.Status == 200, answer.Text);

        var exported = (await _catalog.ExportAsync(_catalog.AdminToken)).Split('\n').Single(text => text.Contains(Collection, StringComparison.Ordinal));

        Assert.Equal(manifest.ToString(), JsonNode.Parse(exported)!["manifest_text"]!.GetValue<string>());
    }

    // As if it was made before secrets were kept.
    private async Task ForgetSecretAsync()
    {
        var token = await _catalog.PostAsync(_catalog.ActiveToken, "api_client_authorizations", new JsonObject());
        await using var connection = await _catalog.ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"UPDATE api_client_authorizations SET sealed_secret = NULL WHERE uuid = '{token.Text_("uuid")}'";
        Assert.Equal(1, await command.ExecuteNonQueryAsync());
    }
}
