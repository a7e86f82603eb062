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
        var version = Convert.ToInt32(Migrations.Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);
        Migrations.RequireKnown(version, steps.Count, path);
        for (; version < steps.Count; version++)
        {
            using var transaction = connection.BeginTransaction();
            Migrations.Scalar(connection, steps[version]);
            Migrations.Scalar(connection, $"PRAGMA user_version = {version + 1}");
            transaction.Commit();
        }
    }
}
