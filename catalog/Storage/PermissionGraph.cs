using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// Keeps the tables <c>reachable</c>, <c>trashed_groups</c> and <c>frozen_groups</c> equal to what users, groups and permission links
/// say (catalog-api.md 12). Every change of those records calls it inside its own transaction.
/// </summary>
internal static class PermissionGraph
{
    // Follows WalkPermissions.
    private const string Reach = """

        INSERT INTO reachable (user_uuid, target_uuid, level, owned_level)
        SELECT @p0, node, max(level),
               max(CASE WHEN substr(node, 7, 5) = 'j7d0g' OR (substr(node, 7, 5) = 'tpzed' AND last = 3) THEN level ELSE 0 END)
        FROM walk WHERE node IS NOT NULL GROUP BY node
        """;

    private const string Trashed = """
        WITH RECURSIVE inside(uuid, trash_at) AS (
            SELECT uuid, trash_at FROM groups WHERE trash_at IS NOT NULL
            UNION
            SELECT g.uuid, i.trash_at FROM inside i JOIN groups g ON g.owner_uuid = i.uuid
        )
        INSERT INTO trashed_groups SELECT uuid, min(trash_at) FROM inside GROUP BY uuid
        """;

    private const string Frozen = """
        WITH RECURSIVE inside(uuid) AS (
            SELECT uuid FROM groups WHERE frozen_by_uuid IS NOT NULL
            UNION
            SELECT g.uuid FROM inside i JOIN groups g ON g.owner_uuid = i.uuid
        )
        INSERT INTO frozen_groups SELECT uuid FROM inside
        """;

    /// <summary>Computes what one user reaches, anew.</summary>
    public static void RefreshUser(WriteSession session, string userUuid)
    {
        session.Execute("DELETE FROM reachable WHERE user_uuid = @p0", userUuid);
        session.Execute(session.Dialect.WalkPermissions + Reach, userUuid);
    }

    public static void RefreshUsers(WriteSession session, IEnumerable<string> userUuids)
    {
        foreach (var user in userUuids.Distinct(StringComparer.Ordinal))
        {
            RefreshUser(session, user);
        }
    }

    /// <summary>Computes everything anew, after records came from elsewhere.</summary>
    public static void Rebuild(WriteSession session)
    {
        session.Execute("DELETE FROM reachable");
        RefreshUsers(session, session.Strings("SELECT uuid FROM users"));
        RefreshTrashAndFrozen(session);
    }

    /// <summary>The users whose paths lead through a user or group.</summary>
    public static List<string> UsersThrough(CatalogSession session, string? uuid) => uuid is null
        ? []
        : session.Strings("SELECT user_uuid FROM reachable WHERE target_uuid = @p0", uuid);

    /// <summary>A new group inside an owner: whoever has what the owner owns gets it. No walk is needed.</summary>
    public static void AddGroup(WriteSession session, string groupUuid, string ownerUuid)
    {
        session.Execute(
            """
            INSERT INTO reachable (user_uuid, target_uuid, level, owned_level)
            SELECT user_uuid, @p0, owned_level, owned_level FROM reachable
            WHERE target_uuid = @p1 AND owned_level > 0 AND (target_uuid = user_uuid OR substr(target_uuid, 7, 5) = 'j7d0g')
            """,
            groupUuid, ownerUuid);
        if (Uuids.IsGroup(ownerUuid))
        {
            session.Execute("INSERT INTO trashed_groups SELECT @p0, trash_at FROM trashed_groups WHERE group_uuid = @p1", groupUuid, ownerUuid);
            session.Execute("INSERT INTO frozen_groups SELECT @p0 FROM frozen_groups WHERE group_uuid = @p1", groupUuid, ownerUuid);
        }
    }

    /// <summary>After a change of trash times, frozen marks or owners of groups.</summary>
    public static void RefreshTrashAndFrozen(WriteSession session)
    {
        session.Execute("DELETE FROM trashed_groups");
        session.Execute(Trashed);
        session.Execute("DELETE FROM frozen_groups");
        session.Execute(Frozen);
    }
}
