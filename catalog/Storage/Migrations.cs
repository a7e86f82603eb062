using System.Globalization;
using KeepFs.Catalog.Dav;
using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// Numbered changes of the schema, run at start in one transaction each; <c>PRAGMA user_version</c> says how far a file is. A migration
/// that has been released never changes.
/// </summary>
internal static class Migrations
{
    private static readonly string[] Steps = [Schema.Version1, DavSchema.Version2, Schema.SealedTokenSecrets];

    /// <exception cref="InvalidOperationException">The file is of a newer version than this program knows.</exception>
    public static void Run(SqliteConnection connection, string path)
    {
        var version = Convert.ToInt32(Scalar(connection, "PRAGMA user_version"), CultureInfo.InvariantCulture);
        if (version > Steps.Length)
        {
            throw new InvalidOperationException(
                $"The catalogue database {path} has schema version {version}; this program knows {Steps.Length}. Use the program that wrote it, or a newer one.");
        }

        for (; version < Steps.Length; version++)
        {
            using var transaction = connection.BeginTransaction();
            Scalar(connection, Steps[version]);
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
