using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests.Fuzz;

/// <summary>Hostile text at every place of a request where text may stand: it is data, or refused as any other unknown text is, and changes nothing.</summary>
public abstract class InjectionTests(DatabaseKind database) : IAsyncLifetime
{
    private static readonly string[] Hostile =
    [
        "'", "''", "\"", "`", ";", "--", "/*", "\\", "\\'", "')", "'))", "%27", "' OR '1'='1", "' OR 1=1 --", "1 OR 1=1", "x'; DROP TABLE collections; --", "x\"; DROP TABLE users; --",
        "') UNION SELECT uuid, secret_hash FROM api_client_authorizations --", "(SELECT secret_hash FROM api_client_authorizations LIMIT 1)", "1; DELETE FROM users", "uuid; DELETE FROM users",
        "name FROM users; --", "t.uuid", "uuid DESC; DROP TABLE logs", "CASE WHEN 1=1 THEN uuid ELSE name END", "pg_sleep(10)", "'; SELECT pg_sleep(10); --", "@p0", "@p99", "$1", ":p0", "?",
        "{0}", "%s", "sqlite_master", "keepfs.users", "E'\\x27'", "U&'\\0027'", "$$; DROP TABLE users; $$", "\u02bc OR 1=1", "a,b", "a\nb", "properties'->'x", "x' || (SELECT 1) || '", "); COMMIT; DROP TABLE users; --",
        "name COLLATE nocase", "load_extension('x')", "ATTACH DATABASE 'x' AS y", "' ESCAPE ''", "%' ESCAPE '%",
    ];

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync()
    {
        _catalog = await TestCatalog.StartAsync(database);
        await new RandomRecords(_catalog, new Random(5)).MakeAsync();
    }

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Reading_with_hostile_text_finds_nothing_more_and_changes_nothing()
    {
        var before = await ContentAsync();
        var all = (await _catalog.GetAsync(_catalog.ActiveToken, "collections?limit=1000")).Items.Count;
        foreach (var text in Hostile)
        {
            string Q(JsonNode node) => Uri.EscapeDataString(node.ToJsonString());
            var raw = Uri.EscapeDataString(text);
            // Names of attributes and operators that do not exist.
            foreach (var filter in new JsonNode[]
            {
                new JsonArray(text, "=", "x"), new JsonArray("name", text, "x"), new JsonArray("name" + text, "=", "x"), new JsonArray("collections." + text, "=", "x"),
                new JsonArray(new JsonArray("name", text), "=", "x"), $"(version {text} file_count)", $"({text} = version)", new JsonArray($"(version = {text})", "=", true), new JsonArray("uuid", "=" + text, "x"),
                new JsonArray("replication_desired", "=", text), new JsonArray("created_at", "<", text), new JsonArray("is_trashed", "=", text),
            })
            {
                await RefusedAsync($"collections?filters={Q(new JsonArray(filter))}", text);
            }

            await RefusedAsync($"collections?select={Q(new JsonArray(text))}", text);
            await RefusedAsync($"collections?count={raw}", text);
            await RefusedAsync($"collections?where={Q(new JsonObject { [text] = "x" })}", text);

            // Values that nobody has.
            foreach (var filter in new JsonNode[]
            {
                new JsonArray("uuid", "=", text), new JsonArray("owner_uuid", "in", new JsonArray(text, "x")), new JsonArray("properties." + text, "=", text), new JsonArray("properties." + text, "exists", true),
                new JsonArray("properties." + text, "contains", text), new JsonArray("properties", "exists", text), new JsonArray("properties", "contains", new JsonArray(text)), new JsonArray("properties." + text, ">", text),
                new JsonArray("properties." + text, "like", text), new JsonArray("uuid", "is_a", text), new JsonArray("storage_classes_desired", "contains", text), new JsonArray("any", "=", text),
                new JsonArray("uuid", "like", "\u0002" + text), new JsonArray("uuid", "ilike", text + "\\%"), new JsonArray("any", "ilike", $"%\u0002{text}%"), new JsonArray("properties." + text, "in", new JsonArray(text, 1, null)),
            })
            {
                var answer = await _catalog.GetAsync(_catalog.ActiveToken, $"collections?filters={Q(new JsonArray(filter))}");
                Assert.True(answer.Status == 200 && answer.Items.Count == 0, $"{filter.ToJsonString()}: {answer.Status} {answer.Text}");
            }

            // Unknown orders are dropped.
            foreach (var order in new[] { Q(new JsonArray(text)), Q(new JsonArray("name " + text)), raw, Uri.EscapeDataString("name," + text), Q(new JsonArray("collections." + text)) })
            {
                var answer = await _catalog.GetAsync(_catalog.ActiveToken, $"collections?limit=1000&order={order}");
                // What begins like JSON must be JSON.
                Assert.True((answer.Status == 200 && answer.Items.Count == all) || (answer.Status is 400 or 422 && text[0] is '"' or '[' or '{'), $"order={order}: {answer.Status} {answer.Text}");
            }

            foreach (var path in new[] { $"collections/{raw}", $"groups/{raw}", $"users/{raw}", $"links/{raw}", $"groups/{raw}/contents", $"permissions/{raw}", $"collections/zzzzz-4zz18-{raw}", $"/keepfs/v1/blocks/{raw}", $"/keepfs/v1/storage/{raw}", $"keep_services/{raw}" })
            {
                var answer = await _catalog.GetAsync(_catalog.ActiveToken, path);
                Assert.True(answer.Status is 401 or 403 or 404 or 405 or 422 or 400, $"{path}: {answer.Status} {answer.Text}");
            }

            foreach (var token in new[] { text, $"v2/{text}/x", $"v2/zzzzz-gj3su-adminadminadmin/{text}", $"v2/zzzzz-gj3su-{text}/adminsecretadminsecretadminsecret" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"/arvados/v1/users/current?api_token={Uri.EscapeDataString(token)}");
                Assert.Equal(401, (await _catalog.SendAsync(request)).Status);
            }

            foreach (var query in new[] { $"reader_tokens={Q(new JsonArray(text))}", $"cluster_id={raw}", $"include={raw}", $"distinct={raw}&select=uuid", $"include_trash={raw}", $"limit={raw}", $"offset={raw}" })
            {
                var answer = await _catalog.GetAsync(_catalog.ActiveToken, $"groups/contents?{query}");
                Assert.True(answer.Status < 500, $"{query}: {answer.Status} {answer.Text}");
                Assert.True(answer.Status != 200 || !answer.Text.Contains("secret", StringComparison.Ordinal), answer.Text);
            }

            var changes = await _catalog.GetAsync(_catalog.AdminToken, $"/keepfs/v1/references/changes?cursor={raw}.{raw}");
            Assert.True(changes.Status < 500, changes.Text);
            var audit = await _catalog.GetAsync(_catalog.AdminToken, $"/keepfs/v1/audit?object_uuid={raw}&user_uuid={raw}");
            Assert.True(audit.Status < 500, audit.Text);
        }

        Assert.Equal(before, await ContentAsync());
    }

    [Fact]
    public async Task Hostile_text_that_is_stored_comes_back_as_it_was_and_is_found()
    {
        var users = await CountAsync("users");
        foreach (var text in Hostile)
        {
            var name = text.Replace('/', '_');
            var uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject
            {
                ["name"] = name,
                ["description"] = text,
                ["properties"] = new JsonObject { [text] = text, ["list"] = new JsonArray(text) },
                ["storage_classes_desired"] = new JsonArray(text),
            });
            await _catalog.PutAsync(_catalog.ActiveToken, $"collections/{uuid}", new JsonObject { ["description"] = text + text, ["preserve_version"] = true });
            var stored = await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{uuid}");
            Assert.Equal((name, text + text, text), (stored.Text_("name"), stored.Text_("description"), stored.Json["properties"]![text]!.GetValue<string>()));
            var filters = new JsonArray(
                new JsonArray("name", "=", name), new JsonArray("description", "in", new JsonArray(text + text)), new JsonArray("properties." + text, "=", text), new JsonArray("properties.list", "contains", text),
                new JsonArray("properties", "exists", text), new JsonArray("storage_classes_desired", "contains", text));
            var found = await _catalog.GetAsync(_catalog.ActiveToken, $"collections?filters={Uri.EscapeDataString(filters.ToJsonString())}");
            Assert.True(found.Status == 200 && found.ItemTexts("uuid").Single() == uuid, $"{filters.ToJsonString()}: {found.Text}");

            // Writes that name what does not exist.
            foreach (var body in new[] { new JsonObject { [text] = "x" }, new JsonObject { ["owner_uuid"] = text }, new JsonObject { ["collection"] = new JsonObject { [text] = text } }, new JsonObject { ["replication_desired"] = text } })
            {
                var refused = await _catalog.PostAsync(_catalog.ActiveToken, "collections", body);
                Assert.True(refused.Status is 400 or 403 or 404 or 422, $"{body.ToJsonString()}: {refused.Status} {refused.Text}");
            }

            await _catalog.CreateAsync(_catalog.ActiveToken, "links", new JsonObject { ["link_class"] = text, ["name"] = text, ["head_uuid"] = uuid, ["properties"] = new JsonObject { [text] = text } });
            await _catalog.CreateAsync(_catalog.ActiveToken, "logs", new JsonObject { ["event_type"] = text, ["summary"] = text, ["object_uuid"] = uuid });
            using var form = new HttpRequestMessage(HttpMethod.Post, "/arvados/v1/collections") { Content = new StringContent($"collection={Uri.EscapeDataString(new JsonObject { ["name"] = "form " + name }.ToJsonString())}&{Uri.EscapeDataString(text)}=x", Encoding.UTF8, "application/x-www-form-urlencoded") };
            form.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _catalog.ActiveToken);
            var made = await _catalog.SendAsync(form);
            Assert.True(made.Status == 200, made.Text);
        }

        Assert.Equal(users, await CountAsync("users"));
        Assert.Equal(204, (await _catalog.PostAsync(_catalog.AdminToken, "/sys/trash_sweep")).Status);
    }

    private async Task RefusedAsync(string path, string text)
    {
        var answer = await _catalog.GetAsync(_catalog.ActiveToken, path);
        Assert.True(answer.Status is 422 or 400, $"{text}: {path}: {answer.Status} {answer.Text}");
    }

    /// <summary>Every row of every table but logs of reading.</summary>
    private async Task<string> ContentAsync() => string.Join('\n', (await _catalog.ExportAsync(_catalog.AdminToken)).Split('\n').Where(line => !line.Contains("keepfs#catalogExportEnd", StringComparison.Ordinal)));

    private Task<long> CountAsync(string table) => _catalog.Server.Database.ReadAsync(session => session.Count(session.Sql($"SELECT count(*) FROM {table}")), default);
}
