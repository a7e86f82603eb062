using System.Globalization;
using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Storage.Sqlite;

/// <summary>Runs <see cref="Migrations"/> in one transaction each; <c>PRAGMA user_version</c> says how far a file is.</summary>
internal static class SqliteMigrations
{
    /// <exception cref="InvalidOperationException">The file is of a newer version than this program knows.</exception>
    public static void Run(SqliteConnection connection, string path)
    {
        var steps = Migrations.Steps(SqliteDialect.Instance);
        var version = Convert.ToInt32(Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);
        Migrations.RequireKnown(version, path);
        for (; version < steps.Count; version++)
        {
            using var transaction = connection.BeginTransaction();
            Scalar(connection, steps[version]);
            Scalar(connection, $"PRAGMA user_version = {version + 1}");
            transaction.Commit();
        }
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this assembly.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
