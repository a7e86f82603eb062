using System.Globalization;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Quotas;

/// <summary>
/// Refuses saves that pass a limit (docs/decisions/0038-quotas.md). Runs after <see cref="OwnerUsage"/> in the transaction of the save, which then fails as a
/// whole. Admins are told nothing and refused nothing.
/// </summary>
internal static class QuotaCheck
{
    /// <summary>After a collection was created or changed.</summary>
    public static void Require(WriteSession session, CatalogContext catalog, Caller caller, Row? before, Row after)
    {
        if (caller.IsAdmin || after.Flag("is_trashed") || !AnyQuota(session))
        {
            return;
        }

        // Out of the trash counts like new.
        var isNew = before is null || before.Flag("is_trashed");
        var grows = after.Integer("file_size_total") ?? 0;
        Require(
            session, catalog, isNew ? null : before!.Text("owner_uuid"), after.Text("owner_uuid")!,
            moved: (1, grows), grown: (0, grows - (isNew ? 0 : before!.Integer("file_size_total") ?? 0)));
    }

    /// <summary>After a project was given to another owner.</summary>
    public static void RequireMove(WriteSession session, CatalogContext catalog, Caller caller, string project, string from, string to)
    {
        if (!caller.IsAdmin && AnyQuota(session))
        {
            Require(session, catalog, from, to, OwnerUsage.Inside(session, project), grown: (0, 0));
        }
    }

    /// <summary>The quotas of an owner and of everything around it, the nearest first.</summary>
    public static List<Quota> Around(CatalogSession session, string owner) => session.Read(
        $"""
        WITH RECURSIVE above(place, distance) AS (
            SELECT {session.Dialect.TextOf("@p0")}, 0
            UNION
            SELECT g.owner_uuid, a.distance + 1 FROM above a JOIN groups g ON g.uuid = a.place WHERE a.distance < 1000
        )
        SELECT {Quota.Columns} FROM above a JOIN quotas q ON q.uuid = a.place ORDER BY a.distance
        """,
        Quota.Read, owner);

    private static bool AnyQuota(CatalogSession session) => session.Scalar("SELECT 1 FROM quotas LIMIT 1") is not null;

    private static void Require(
        WriteSession session, CatalogContext catalog, string? from, string to, (long Collections, long Bytes) moved, (long Collections, long Bytes) grown)
    {
        var before = from is null || from == to ? [] : Around(session, from).Select(quota => quota.Uuid).ToHashSet();
        foreach (var quota in Around(session, to))
        {
            // What stays inside is not new to a quota around both places.
            var added = from == to || before.Contains(quota.Uuid) ? grown : moved;
            if (added.Bytes > 0 || added.Collections > 0)
            {
                Require(session, catalog, quota, OwnerUsage.Inside(session, quota.Uuid), added);
            }
        }
    }

    private static void Require(WriteSession session, CatalogContext catalog, Quota quota, (long Collections, long Bytes) used, (long Collections, long Bytes) added)
    {
        RequireBelow(quota, "bytes", used.Bytes, added.Bytes, quota.HardBytes);
        RequireBelow(quota, "collections", used.Collections, added.Collections, quota.HardCollections);
        if (!quota.IsOverSoft(used))
        {
            if (quota.SoftSince is not null)
            {
                session.Execute("UPDATE quotas SET soft_since = NULL WHERE uuid = @p0", quota.Uuid);
            }

            return;
        }

        var since = quota.SoftSince is { } text ? Timestamp.Parse(text) : session.Now;
        if (session.Now - since >= catalog.Config.KeepFs.QuotaGrace)
        {
            RequireBelow(quota, "bytes", used.Bytes, added.Bytes, quota.SoftBytes);
            RequireBelow(quota, "collections", used.Collections, added.Collections, quota.SoftCollections);
        }

        if (quota.SoftSince is null)
        {
            session.Execute("UPDATE quotas SET soft_since = @p1 WHERE uuid = @p0", quota.Uuid, session.NowText);
        }
    }

    private static void RequireBelow(Quota quota, string what, long used, long added, long? limit)
    {
        if (added > 0 && used > limit)
        {
            throw ApiException.QuotaExceeded(string.Create(
                CultureInfo.InvariantCulture,
                $"quota exceeded: {quota.Uuid} may hold {limit} {what} and holds {used - added}; this would add {added}. Move something to the trash, or ask an admin"));
        }
    }
}
