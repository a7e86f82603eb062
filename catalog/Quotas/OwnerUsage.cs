using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Quotas;

/// <summary>
/// Keeps <c>owner_usage</c> equal to what collections say; every change of a collection's owner, size or trash flag calls it inside its own transaction.
/// Past versions and what is in the trash do not count.
/// </summary>
internal static class OwnerUsage
{
    /// <summary>Fills the empty table.</summary>
    public const string Fill = $"INSERT INTO owner_usage (owner_uuid, collections, bytes) SELECT owner_uuid, {Sums} FROM collections WHERE is_trashed = 0 AND uuid = current_version_uuid GROUP BY owner_uuid";

    // Sums of 64-bit integers are wider than that in some databases.
    private const string Sums = "CAST(count(*) AS BIGINT), CAST(coalesce(sum(file_size_total), 0) AS BIGINT)";

    /// <summary>Computes everything anew, after records came from elsewhere.</summary>
    public static void Rebuild(WriteSession session)
    {
        session.Execute("DELETE FROM owner_usage");
        session.Execute(Fill);
    }

    /// <summary>A current version that appears, changes or goes.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="before">As it was; null for a new one.</param>
    /// <param name="after">As it is; null when it is gone.</param>
    public static void Changed(WriteSession session, Row? before, Row? after)
    {
        var (from, was) = Of(before);
        var (to, isNow) = Of(after);
        if (from == to)
        {
            Add(session, to, isNow.Collections - was.Collections, isNow.Bytes - was.Bytes);
            return;
        }

        Add(session, from, -was.Collections, -was.Bytes);
        Add(session, to, isNow.Collections, isNow.Bytes);
    }

    /// <summary>Those that are about to be marked as trashed, all at once: what is past its trash time and not marked yet.</summary>
    public static void Trashing(WriteSession session, string now)
    {
        foreach (var (owner, collections, bytes) in session.Read(
            $"SELECT owner_uuid, {Sums} FROM collections WHERE is_trashed = 0 AND trash_at < @p0 AND uuid = current_version_uuid GROUP BY owner_uuid",
            row => (row.GetString(0), row.GetInt64(1), row.GetInt64(2)), now))
        {
            Add(session, owner, -collections, -bytes);
        }
    }

    /// <summary>One collection that is about to be marked as trashed, and was not.</summary>
    public static void Trashing(WriteSession session, RecordType type, string uuid)
    {
        if (type == RecordTypes.Collections)
        {
            Changed(session, session.Rows(session.Sql("SELECT owner_uuid, is_trashed, file_size_total FROM collections WHERE uuid = ").Value(uuid), type).SingleOrDefault(), null);
        }
    }

    /// <summary>Everything inside a user or project, however deep.</summary>
    public static (long Collections, long Bytes) Inside(CatalogSession session, string uuid) => session.Read(
        $"""
        SELECT CAST(coalesce(sum(u.collections), 0) AS BIGINT), CAST(coalesce(sum(u.bytes), 0) AS BIGINT)
        FROM ({OwnerTree.Inside(session.Dialect, "@p0")}) p JOIN owner_usage u ON u.owner_uuid = p.uuid
        """,
        row => (row.GetInt64(0), row.GetInt64(1)), uuid).Single();

    private static (string? Owner, (long Collections, long Bytes) Counted) Of(Row? row) => row is null ? (null, (0, 0))
        : (row.Text("owner_uuid"), row.Flag("is_trashed") ? (0, 0) : (1, row.Integer("file_size_total") ?? 0));

    private static void Add(WriteSession session, string? owner, long collections, long bytes)
    {
        if (owner is not null && (collections != 0 || bytes != 0))
        {
            session.Later(
                """
                INSERT INTO owner_usage (owner_uuid, collections, bytes) VALUES (@p0, @p1, @p2)
                ON CONFLICT (owner_uuid) DO UPDATE SET collections = owner_usage.collections + excluded.collections, bytes = owner_usage.bytes + excluded.bytes
                """,
                owner, collections, bytes);
        }
    }
}
