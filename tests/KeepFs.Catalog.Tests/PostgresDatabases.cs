using KeepFs.Catalog.Storage;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing;
using Npgsql;

namespace KeepFs.Catalog.Tests;

/// <summary>One server for all tests of this assembly; each test has a database of its own, copied from one whose schema is up to date.</summary>
internal static class PostgresDatabases
{
    private const string Template = "keepfs_template";

    private static readonly Lazy<Task<PostgresServer>> Server = new(StartAsync);

    /// <summary>An empty catalogue.</summary>
    public static async Task<PostgreSqlConfig> CreateAsync(string template = Template)
    {
        var server = await Server.Value;
        var name = "t" + Guid.NewGuid().ToString("N");
        await ExecuteAsync(server, $"CREATE DATABASE {name} TEMPLATE {template}");
        return Config(server, name);
    }

    public static async Task DropAsync(PostgreSqlConfig config) => await ExecuteAsync(await Server.Value, $"DROP DATABASE {config.Connection["dbname"]} WITH (FORCE)");

    public static PostgreSqlConfig Config(PostgresServer server, string name) =>
        new() { Connection = new Dictionary<string, string> { ["host"] = server.Host, ["user"] = "postgres", ["dbname"] = name } };

    public static NpgsqlConnection Connect(PostgreSqlConfig config) =>
        new($"Host={config.Connection["host"]};Username=postgres;Database={config.Connection["dbname"]};Search Path=keepfs;Pooling=false");

    private static async Task<PostgresServer> StartAsync()
    {
        var server = await PostgresServer.StartAsync(isDurable: false);
        await server.CreateDatabaseAsync(Template);
        await CatalogDatabase.Open(new ClusterConfig { ClusterId = TestCatalog.Cluster, PostgreSQL = Config(server, Template) }, TimeProvider.System).DisposeAsync();
        return server;
    }

    private static async Task ExecuteAsync(PostgresServer server, string sql)
    {
        await using var connection = Connect(Config(server, "postgres"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
