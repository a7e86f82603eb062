using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Collections;

/// <summary>Names are unique per owner (catalog-api.md 4.7, 10). Used inside the transaction that writes the name.</summary>
internal static class UniqueNames
{
    private const int KeptLength = 237;

    /// <summary>Rules for the name itself.</summary>
    public static void RequireValid(string? name, string forwardSlashSubstitution)
    {
        if (name is "." or "..")
        {
            throw ApiException.Invalid("name must not be '.' or '..'");
        }

        if (name is not null && forwardSlashSubstitution.Length == 0 && name.Contains('/', StringComparison.Ordinal))
        {
            throw ApiException.Invalid("name must not contain '/'");
        }
    }

    /// <summary>
    /// The name under which the record can be saved: the given one, or with <paramref name="ensureUnique"/> one made from it and the UUID.
    /// 422 when it is taken.
    /// </summary>
    public static string? Resolve(WriteSession session, RecordType type, string uuid, string owner, string? name, bool ensureUnique)
    {
        if (name is null || !IsTaken(session, type, uuid, owner, name))
        {
            return name;
        }

        var unique = $"{(name.Length > KeptLength ? name[..KeptLength] : name)} ({uuid[^15..]})";
        return ensureUnique && !IsTaken(session, type, uuid, owner, unique)
            ? unique
            : throw ApiException.Invalid($"duplicate key value violates unique constraint: a {type.Singular} named '{name}' already exists in {owner}");
    }

    private static bool IsTaken(WriteSession session, RecordType type, string uuid, string owner, string name)
    {
        // What has expired but was not swept yet does not hold its name.
        var isCurrent = type == RecordTypes.Collections ? " AND uuid = current_version_uuid" : "";
        var holder = session.Rows(
            session.Sql($"SELECT uuid, trash_at FROM {type.Table} WHERE owner_uuid = ").Value(owner).Append(" AND name = ").Value(name)
                .Append($" AND is_trashed = 0{isCurrent} AND uuid <> ").Value(uuid),
            type).SingleOrDefault();
        if (holder is null)
        {
            return false;
        }

        if (holder.Time("trash_at") > session.Now || holder.Text("trash_at") is null)
        {
            return true;
        }

        OwnerUsage.Trashing(session, type, holder.Uuid);
        session.Execute($"UPDATE {type.Table} SET is_trashed = 1, revision = revision + 1 WHERE uuid = @p0", holder.Uuid);
        return false;
    }
}
