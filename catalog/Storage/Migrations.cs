using System.Data.Common;
using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.References;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// Numbered changes of the schema, run at start; the database says how far it is. Their text is shared, but for what a <see cref="SqlDialect"/> says. A
/// migration that has been released never changes.
/// </summary>
internal static class Migrations
{
    /// <summary>The first makes version 1 from nothing, and so on.</summary>
    public static IReadOnlyList<string> Steps(SqlDialect dialect) =>
    [
        Schema.Version1(dialect), DavSchema.Version2(dialect), Schema.SealedTokenSecrets(dialect), AuditLog.Version4(dialect), QuotaSchema.Version5(dialect),
        ReferenceSchema.Version6(dialect), Schema.Version7(dialect), Schema.Version8(dialect),
    ];

    /// <param name="version">What the database says.</param>
    /// <param name="newest">How many steps there are.</param>
    /// <param name="name">The database, for the message.</param>
    /// <exception cref="InvalidOperationException">It is of a newer version than this program knows.</exception>
    public static void RequireKnown(int version, int newest, string name)
    {
        if (version > newest)
        {
            throw new InvalidOperationException(
                $"The catalogue database {name} has schema version {version}; this program knows {newest}. Use the program that wrote it, or a newer one.");
        }
    }

    /// <summary>Runs a constant statement before there is a session.</summary>
    public static object? Scalar(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this assembly.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
