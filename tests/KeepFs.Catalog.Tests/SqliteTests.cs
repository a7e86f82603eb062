using System.Text.Json.Nodes;
using KeepFs.Catalog.Exchange;
using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Tests;

/// <summary>What holds for the catalogue in a file only.</summary>
public sealed class SqliteTests : IAsyncLifetime
{
    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(DatabaseKind.Sqlite);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Temporary_files_of_a_run_that_was_killed_are_removed_at_the_next_start()
    {
        var left = _catalog.DatabasePath + ".temporary-import-1";
        var other = _catalog.DatabasePath + ".mine";
        await File.WriteAllTextAsync(left, "secrets");
        await File.WriteAllTextAsync(other, "something else");

        await _catalog.RestartAsync();

        Assert.False(File.Exists(left));
        Assert.True(File.Exists(other));
    }

    [Fact]
    public void Database_is_for_its_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(_catalog.DatabasePath)!))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task Newer_database_is_refused()
    {
        await using var other = await TestCatalog.StartAsync(DatabaseKind.Sqlite);
        await using (var connection = new SqliteConnection($"Data Source={other.DatabasePath};Pooling=False"))
        {
            connection.Open();
            await using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 999";
            await command.ExecuteNonQueryAsync();
        }

        var error = Assert.Throws<InvalidOperationException>(() => Storage.CatalogDatabase.Open(other.DatabasePath, TimeProvider.System));
        Assert.Contains("999", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backup_is_whole_and_a_catalogue_starts_on_it()
    {
        await _catalog.ImportAsync(_catalog.AdminToken, ExchangeTests.Sample);
        var exported = await _catalog.ExportAsync(_catalog.AdminToken);
        var path = Path.GetTempFileName();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/keepfs/v1/catalog/backup");
            request.Headers.Authorization = new("Bearer", _catalog.AdminToken);
            using var response = await _catalog.Http.SendAsync(request);
            await File.WriteAllBytesAsync(path, await response.Content.ReadAsByteArrayAsync());
            CatalogBackup.Verify(path);
            Assert.Equal(response.Headers.GetValues(CatalogBackup.CountsHeader).Single(), CatalogBackup.Counts(path));
            Assert.Contains("collections=1,", CatalogBackup.Counts(path), StringComparison.Ordinal);
            await _catalog.CreateAsync(_catalog.AdminToken, "collections", new JsonObject { ["manifest_text"] = "" });

            await _catalog.RestartAsync(() =>
            {
                File.Delete(_catalog.DatabasePath + "-wal");
                File.Delete(_catalog.DatabasePath + "-shm");
                File.Copy(path, _catalog.DatabasePath, overwrite: true);
            });

            Assert.Equal(exported, await _catalog.ExportAsync(_catalog.AdminToken));
            Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_catalog.DatabasePath)!, "*backup*"));
            var damaged = await File.ReadAllBytesAsync(path);
            damaged.AsSpan(4096 * 3, 4096).Fill(0xA5);
            await File.WriteAllBytesAsync(path, damaged);
            Assert.Throws<InvalidDataException>(() => CatalogBackup.Verify(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Statement_that_nobody_waits_for_is_ended_and_its_connection_goes_on()
    {
        var folder = Directory.CreateTempSubdirectory("keepfs-catalog-");
        await using (var database = Storage.CatalogDatabase.Open(Path.Combine(folder.FullName, "db"), TimeProvider.System))
        {
            for (var i = 0; i < 3; i++)
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
                await Assert.ThrowsAsync<OperationCanceledException>(() => database.ReadAsync(
                    session => session.Scalar("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"), limit.Token));
                Assert.Equal(0L, await database.ReadAsync(session => session.Scalar("SELECT count(*) FROM users"), CancellationToken.None));
            }
        }

        folder.Delete(recursive: true);
    }
}
