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
    /// <summary>The version that this program makes and knows.</summary>
    public const int Newest = 6;

    /// <summary>The first makes version 1 from nothing, and so on.</summary>
    public static IReadOnlyList<string> Steps(SqlDialect dialect) => [Schema.Version1(dialect), DavSchema.Version2(dialect), Schema.SealedTokenSecrets(dialect), AuditLog.Version4(dialect), QuotaSchema.Version5(dialect), ReferenceSchema.Version6(dialect)];

    /// <param name="version">What the database says.</param>
    /// <param name="name">The database, for the message.</param>
    /// <exception cref="InvalidOperationException">It is of a newer version than this program knows.</exception>
    public static void RequireKnown(int version, string name)
    {
        if (version > Newest)
        {
            throw new InvalidOperationException(
                $"The catalogue database {name} has schema version {version}; this program knows {Newest}. Use the program that wrote it, or a newer one.");
        }
    }
}
