using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// Keeps the tables <c>reachable</c>, <c>trashed_groups</c> and <c>frozen_groups</c> equal to what users, groups and permission links
/// say (catalog-api.md 12). Every change of those records calls it inside its own transaction.
/// </summary>
internal static class PermissionGraph
{
    // What the target owns is reached through groups, and through users that are managed.
    private const string OwnedLevel = "max(CASE WHEN substr(node, 7, 5) = 'j7d0g' OR (substr(node, 7, 5) = 'tpzed' AND last = 3) THEN level ELSE 0 END)";

    // Follows WalkPermissions.
    private const string Reach = $"""

        INSERT INTO reachable (user_uuid, target_uuid, level, owned_level)
        SELECT @p0, node, max(level), {OwnedLevel}
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
        session.Execute(session.Dialect.WalkPermissions(3, "w.node = @p0") + Reach, userUuid);
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

    /// <summary>There is a new permission link: whoever passes through its tail reaches what lies behind its head as well. Only those rows are touched.</summary>
    /// <param name="session">The transaction, in which the link is written already.</param>
    /// <param name="tail">A user or role.</param>
    /// <param name="head">Anything.</param>
    /// <param name="level">Of the link, 1 to 3.</param>
    public static void AddLink(WriteSession session, string tail, string head, int level)
    {
        var sql = session.Dialect;
        session.Execute(
            $"""
            {sql.WalkPermissions(level, "false")}
            INSERT INTO reachable (user_uuid, target_uuid, level, owned_level)
            SELECT r.user_uuid, d.node, {sql.Least("r.level", "d.level")}, {sql.Least("r.level", "d.owned_level")}
            FROM (SELECT node, max(level) AS level, {OwnedLevel} AS owned_level FROM walk WHERE node IS NOT NULL GROUP BY node) d
            CROSS JOIN reachable r WHERE r.target_uuid = @p1{(Uuids.IsUser(tail) ? " AND r.user_uuid = @p1" : "")}
            {Raise(sql)}
            """,
            head, tail);
    }

    /// <summary>
    /// A permission link is gone or has another level: what lies behind its head is found anew for whoever passes through its tail, from all edges that lead
    /// there. Only those rows are touched.
    /// </summary>
    /// <param name="session">The transaction, in which the links are as they shall be.</param>
    /// <param name="tail">A user or role.</param>
    /// <param name="head">Anything.</param>
    public static void ChangeLink(WriteSession session, string tail, string head)
    {
        var sql = session.Dialect;
        var users = SqlList.Of(Uuids.IsUser(tail) ? [tail] : UsersThrough(session, tail));
        var nodes = SqlList.Of(session.Strings($"{sql.WalkPermissions(3, "false")} SELECT DISTINCT node FROM walk WHERE node IS NOT NULL", head));
        session.Execute($"DELETE FROM reachable WHERE {sql.In("target_uuid", "@p0")} AND {sql.In("user_uuid", "@p1")} AND user_uuid <> target_uuid", nodes, users);
        session.Execute(
            $"""
            WITH RECURSIVE edges(tail, head, level) AS MATERIALIZED (
                SELECT owner_uuid, uuid, 3 FROM groups WHERE {sql.In("uuid", "@p0")}
                UNION ALL
                SELECT tail_uuid, head_uuid, CASE name WHEN 'can_manage' THEN 3 WHEN 'can_write' THEN 2 ELSE 1 END
                FROM links WHERE link_class = 'permission' AND {sql.In("head_uuid", "@p0")}
            ), walk(user_uuid, node, level, last) AS (
                SELECT r.user_uuid, e.head, {sql.Least("r.level", "e.level")}, e.level
                FROM edges e JOIN reachable r ON r.target_uuid = e.tail
                WHERE {sql.In("r.user_uuid", "@p1")} AND (r.target_uuid = r.user_uuid OR substr(r.target_uuid, 7, 5) = 'j7d0g')
                UNION
                SELECT w.user_uuid, e.head, {sql.Least("w.level", "e.level")}, e.level
                FROM walk w JOIN edges e ON e.tail = w.node WHERE substr(w.node, 7, 5) = 'j7d0g'
            )
            INSERT INTO reachable (user_uuid, target_uuid, level, owned_level)
            SELECT user_uuid, node, max(level), {OwnedLevel} FROM walk WHERE true GROUP BY user_uuid, node
            {Raise(sql)}
            """,
            nodes, users);
    }

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

    private static string Raise(SqlDialect sql) => $"""
        ON CONFLICT (user_uuid, target_uuid) DO UPDATE
            SET level = {sql.Greatest("reachable.level", "excluded.level")}, owned_level = {sql.Greatest("reachable.owned_level", "excluded.owned_level")}
            WHERE excluded.level > reachable.level OR excluded.owned_level > reachable.owned_level
        """;
}
