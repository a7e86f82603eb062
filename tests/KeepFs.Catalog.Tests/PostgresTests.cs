using System.Text.Json.Nodes;
using KeepFs.Catalog.Storage;
using KeepFs.Catalog.Storage.Postgres;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Tests;

/// <summary>What holds for the catalogue on PostgreSQL only: several processes, and databases that are refused (decision 0037).</summary>
public sealed class PostgresTests : IAsyncLifetime
{
    private TestCatalog _catalog = null!;
    private TestCatalog _other = null!;

    private string Token => _catalog.ActiveToken;

    public async Task InitializeAsync()
    {
        _catalog = await TestCatalog.StartAsync(DatabaseKind.Postgres);
        _other = await _catalog.StartBesideAsync();
    }

    public async Task DisposeAsync()
    {
        await _other.DisposeAsync();
        await _catalog.DisposeAsync();
    }

    [Fact]
    public async Task Names_stay_unique_when_two_processes_create_at_once()
    {
        const int Each = 20;
        var answers = await Task.WhenAll(Enumerable.Range(0, 2 * Each).Select(i =>
            (i % 2 == 0 ? _catalog : _other).PostAsync(Token, "collections?ensure_unique_name=true", new JsonObject { ["name"] = "same", ["manifest_text"] = "" })));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        var listed = await _other.GetAsync(Token, "collections?limit=1000");
        Assert.Equal(2 * Each, listed.Items.Count);
        Assert.Equal(2 * Each, listed.ItemTexts("name").Distinct().Count());
        Assert.Equal(2 * Each, answers.Select(answer => answer.Text_("uuid")).Distinct().Count());
    }

    [Fact]
    public async Task Of_two_that_take_one_name_in_two_processes_one_gets_it()
    {
        for (var i = 0; i < 10; i++)
        {
            var body = new JsonObject { ["name"] = $"p{i}", ["group_class"] = "project" };
            var answers = await Task.WhenAll(_catalog.PostAsync(Token, "groups", body), _other.PostAsync(Token, "groups", (JsonObject)body.DeepClone()));
            Assert.Equal([200, 422], answers.Select(answer => answer.Status).Order());
        }
    }

    [Fact]
    public async Task Changes_of_one_collection_in_two_processes_are_all_counted()
    {
        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["name"] = "c", ["preserve_version"] = true });
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            (i % 2 == 0 ? _catalog : _other).PutAsync(Token, $"collections/{uuid}", new JsonObject { ["description"] = $"d{i}", ["preserve_version"] = true })));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(21, (await _other.GetAsync(Token, $"collections/{uuid}")).Json["version"]!.GetValue<int>());
        var versions = await _catalog.GetAsync(Token, $"collections?include_old_versions=true&limit=100&filters={Uri.EscapeDataString($"[[\"current_version_uuid\",\"=\",\"{uuid}\"]]")}");
        Assert.Equal(Enumerable.Range(1, 21), versions.Items.Select(item => item!["version"]!.GetValue<int>()).Order());
    }

    [Fact]
    public async Task Permission_that_one_process_gives_or_takes_counts_at_once_in_the_other()
    {
        var project = await _catalog.CreateAsync(Token, "groups", new JsonObject { ["name"] = "p", ["group_class"] = "project" });
        var inner = await _other.CreateAsync(Token, "groups", new JsonObject { ["name"] = "inner", ["group_class"] = "project", ["owner_uuid"] = project });
        var collection = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["owner_uuid"] = inner });
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(404, (await _other.GetAsync(_catalog.SpectatorToken, $"collections/{collection}")).Status);
            var link = await _catalog.CreateAsync(Token, "links", new JsonObject { ["link_class"] = "permission", ["name"] = "can_read", ["tail_uuid"] = _catalog.SpectatorUser, ["head_uuid"] = project });
            Assert.Equal(200, (await _other.GetAsync(_catalog.SpectatorToken, $"collections/{collection}")).Status);
            await _other.DeleteAsync(Token, $"links/{link}");
            Assert.Equal(404, (await _catalog.GetAsync(_catalog.SpectatorToken, $"collections/{collection}")).Status);
        }
    }

    [Fact]
    public async Task Listener_of_one_process_hears_of_changes_in_the_other()
    {
        using var listener = await SocketListener.StartAsync(_other, Token);
        for (var i = 0; i < 5; i++)
        {
            var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["name"] = $"c{i}" });
            Assert.Equal(uuid, (string?)(await listener.ReceiveAsync())!["object_uuid"]);
        }
    }

    [Fact]
    public async Task Listener_of_one_process_is_cut_off_by_an_import_in_the_other()
    {
        using var listener = await SocketListener.StartAsync(_other, Token);
        Assert.Equal(200, (await _catalog.ImportAsync(_catalog.AdminToken, """{"kind":"arvados#collection","uuid":"zzzzz-4zz18-importimportimp","owner_uuid":"zzzzz-tpzed-000000000000000"}""" + "\n")).Status);
        while (await listener.ReceiveAsync() is not null)
        {
        }
    }

    [Fact]
    public async Task Listeners_are_served_on_when_their_connection_was_ended()
    {
        using var listener = await SocketListener.StartAsync(_other, Token);
        await using (var connection = await _catalog.ConnectAsync())
        {
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
            Assert.True((long)(await command.ExecuteScalarAsync())! >= 4);
        }

        var uuid = await _catalog.CreateAsync(Token, "collections", new JsonObject { ["name"] = "c" });
        Assert.Equal(uuid, (string?)(await listener.ReceiveAsync())!["object_uuid"]);
        Assert.Equal(200, (await _other.GetAsync(Token, $"collections/{uuid}")).Status);
    }

    [Fact]
    public async Task Backup_says_what_to_use_instead()
    {
        var answer = await _catalog.GetAsync(_catalog.AdminToken, "/keepfs/v1/catalog/backup");
        Assert.Equal(501, answer.Status);
        Assert.Contains("pg_dump --schema=keepfs", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Catalogue_moves_from_sqlite_to_postgresql_and_back_unchanged()
    {
        await using var file = await TestCatalog.StartAsync(DatabaseKind.Sqlite);
        await new RandomRecords(file, new Random(11)).MakeAsync();
        var exported = await file.ExportAsync(file.AdminToken);
        await using var server = await TestCatalog.StartAsync(DatabaseKind.Postgres);
        Assert.Equal(200, (await server.ImportAsync(server.AdminToken, exported)).Status);
        Assert.Equal(exported, await server.ExportAsync(server.AdminToken));
        await using var again = await TestCatalog.StartAsync(DatabaseKind.Sqlite);
        Assert.Equal(200, (await again.ImportAsync(again.AdminToken, await server.ExportAsync(server.AdminToken))).Status);
        Assert.Equal(exported, await again.ExportAsync(again.AdminToken));

        // The next record gets the same number in all of them.
        foreach (var catalog in new[] { file, server, again })
        {
            await catalog.CreateAsync(catalog.AdminToken, "logs", new JsonObject { ["object_uuid"] = catalog.ActiveUser, ["event_type"] = "moved" });
        }

        var ids = await Task.WhenAll(new[] { server, again }.Select(async catalog => (await catalog.GetAsync(catalog.AdminToken, "logs?limit=1&order=id+desc")).Items[0]!["id"]!.GetValue<long>()));
        Assert.Equal(ids[0], ids[1]);
    }

    [Fact]
    public async Task Newer_database_is_refused()
    {
        await ExecuteAsync("UPDATE keepfs_version SET version = 999");
        Assert.Contains("999", Refused(), StringComparison.Ordinal);
        await ExecuteAsync($"UPDATE keepfs_version SET version = {Migrations.Steps(PostgresDialect.Instance).Count}");
    }

    [Fact]
    public async Task Database_with_somebody_elses_schema_is_refused_and_left_alone()
    {
        await ExecuteAsync("DROP SCHEMA keepfs CASCADE; CREATE SCHEMA keepfs; CREATE TABLE keepfs.users (name TEXT)");
        Assert.Contains("schema named keepfs that is not a catalogue's", Refused(), StringComparison.Ordinal);
        await ExecuteAsync("INSERT INTO keepfs.users VALUES ('still mine')");
    }

    [Fact]
    public async Task Database_of_another_encoding_is_refused()
    {
        var name = "latin" + Guid.NewGuid().ToString("N");
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
        Assert.Contains("encoding LATIN1; the catalogue needs UTF8", Refused(new Dictionary<string, string>(_catalog.Postgres.Connection) { ["dbname"] = name }), StringComparison.Ordinal);
        await ExecuteAsync($"DROP DATABASE {name}");
    }

    [Theory]
    [InlineData("dbname", "nosuch", "nosuch")]
    [InlineData("host", "/nonexistent", "/nonexistent")]
    [InlineData("port", "badport", "PostgreSQL.Connection.port")]
    [InlineData("no such key", "1", "no such key")]
    [InlineData("host", "", "host and dbname must be set")]
    public void Connection_that_does_not_work_is_told_without_the_password(string key, string value, string expected)
    {
        var message = Refused(new Dictionary<string, string>(_catalog.Postgres.Connection) { ["password"] = "verysecret", [key] = value });
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain("verysecret", message, StringComparison.Ordinal);
    }

    private string Refused(IReadOnlyDictionary<string, string>? connection = null)
    {
        var config = new ClusterConfig { ClusterId = TestCatalog.Cluster, PostgreSQL = connection is null ? _catalog.Postgres : new PostgreSqlConfig { Connection = connection } };
        var error = Assert.ThrowsAny<Exception>(() => CatalogDatabase.Open(config, TimeProvider.System));
        Assert.True(error is InvalidOperationException or ConfigException, error.ToString());
        return error.ToString();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = await _catalog.ConnectAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
