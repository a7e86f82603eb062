using System.Globalization;
using Npgsql;

namespace KeepFs.Catalog.Storage.Postgres;

/// <summary>Runs <see cref="Migrations"/> in one transaction, one process at a time; the table <c>keepfs_version</c> says how far a database is.</summary>
internal static class PostgresMigrations
{
    /// <summary>One for all writers of a database. The number is "keepfs" in ASCII.</summary>
    public const string Lock = "SELECT pg_advisory_xact_lock(118074549593715)";

    /// <summary>The oldest that the tests have run on is 15; what is used exists since this one.</summary>
    private const int OldestServer = 13;

    private const string Foundation = """
        CREATE SCHEMA keepfs;
        CREATE TABLE keepfs_version (version BIGINT NOT NULL);
        INSERT INTO keepfs_version VALUES (0);
        -- Each process's last batch: tells after a lost connection whether it was committed.
        CREATE TABLE keepfs_writers (process TEXT PRIMARY KEY, batch BIGINT NOT NULL, seen_at TIMESTAMPTZ NOT NULL);
        """;

    /// <exception cref="InvalidOperationException">The database is of a newer version than this program knows, or cannot hold a catalogue.</exception>
    public static void Run(NpgsqlConnection connection, string name)
    {
        if (connection.PostgreSqlVersion.Major < OldestServer)
        {
            throw new InvalidOperationException($"The {name} is of version {connection.PostgreSqlVersion}; the catalogue needs PostgreSQL {OldestServer} or newer.");
        }

        if (Migrations.Scalar(connection, "SHOW server_encoding") is not "UTF8" and var encoding)
        {
            throw new InvalidOperationException($"The {name} has the encoding {encoding}; the catalogue needs UTF8 (createdb --encoding=UTF8 --template=template0).");
        }

        using var transaction = connection.BeginTransaction();
        Migrations.Scalar(connection, Lock);
        if (Migrations.Scalar(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'keepfs'") is null)
        {
            Migrations.Scalar(connection, Foundation);
        }
        else if (Migrations.Scalar(connection, "SELECT to_regclass('keepfs.keepfs_version')::text") is DBNull or null)
        {
            throw new InvalidOperationException($"The {name} has a schema named keepfs that is not a catalogue's. Use another database, or rename the schema.");
        }

        var steps = Migrations.Steps(PostgresDialect.Instance);
        var version = Convert.ToInt32(Migrations.Scalar(connection, "SELECT version FROM keepfs_version"), CultureInfo.InvariantCulture);
        Migrations.RequireKnown(version, steps.Count, $"in the {name}");
        for (; version < steps.Count; version++)
        {
            Migrations.Scalar(connection, steps[version]);
            Migrations.Scalar(connection, $"UPDATE keepfs_version SET version = {version + 1}");
        }

        transaction.Commit();
    }
}
