using System.Globalization;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>The permission rules of catalog-api.md 12 and the visibility rules of section 6 as SQL over the materialised tables.</summary>
internal static class Access
{
    /// <summary>Appends the condition under which the caller sees rows of <paramref name="type"/> (alias <c>t</c>).</summary>
    public static void AppendVisible(SqlText sql, RecordType type, Caller caller, bool includeTrash, string now)
    {
        sql.Append("(");
        AppendReadable(sql, type, caller);
        sql.Append(")");
        if (type.HasTrash)
        {
            AppendNotTrashed(sql, type, caller, includeTrash, now);
        }
    }

    /// <summary>The caller's level on an object, given the object's owner.</summary>
    public static AccessLevel Level(CatalogSession session, Caller caller, string uuid, string? ownerUuid) => caller.IsAdmin
        ? AccessLevel.Manage
        : (AccessLevel)Convert.ToInt32(
            session.Scalar(
                $"""
                SELECT coalesce(max(CASE WHEN target_uuid = @p1 THEN level ELSE owned_level END), 0) FROM reachable
                WHERE {session.Dialect.In("user_uuid", "@p0")} AND (target_uuid = @p1 OR (target_uuid = @p2 AND owned_level > 0))
                """,
                caller.ActsAsList, uuid, ownerUuid ?? ""),
            CultureInfo.InvariantCulture);

    /// <summary>An expression for the caller's level on the row <c>t</c>.</summary>
    public static void AppendLevel(SqlText sql, Caller caller)
    {
        if (caller.IsAdmin)
        {
            sql.Append("3");
            return;
        }

        sql.Append($"""
            (SELECT coalesce(max(CASE WHEN r.target_uuid = t.uuid THEN r.level ELSE r.owned_level END), 0) FROM reachable r
             WHERE {sql.Dialect.In("r.user_uuid", sql.Parameter(caller.ActsAsList))} AND (r.target_uuid = t.uuid OR (r.target_uuid = t.owner_uuid AND r.owned_level > 0)))
            """);
    }

    private static void AppendReadable(SqlText sql, RecordType type, Caller caller)
    {
        if (type == RecordTypes.KeepServices || (type == RecordTypes.Tokens ? caller.IsSystem : caller.SeesAll))
        {
            sql.Append("true");
            return;
        }

        if (type == RecordTypes.Tokens)
        {
            sql.Append("t.owner_uuid = ").Value(caller.UserUuid);
            return;
        }

        var users = sql.Parameter(caller.ReadsAsList);
        if (type == RecordTypes.Logs)
        {
            AppendReach(sql, users, "t.object_uuid", "level", 1);
            sql.Append(" OR ");
            AppendReach(sql, users, "t.object_owner_uuid", "owned_level", 1);
            sql.Append(" OR " + sql.Dialect.In("t.owner_uuid", users));
            return;
        }

        if (type == RecordTypes.Links)
        {
            sql.Append($"t.link_class = 'permission' AND ({sql.Dialect.In("t.tail_uuid", users)} OR {sql.Dialect.In("t.head_uuid", users)} OR ");
            AppendManagesHead(sql, users);
            sql.Append(") OR ((t.link_class <> 'permission' OR t.link_class IS NULL) AND (");
            AppendOwnRule(sql, users, "t.uuid");
            sql.Append("))");
            return;
        }

        AppendOwnRule(sql, users, type == RecordTypes.Collections ? "t.current_version_uuid" : "t.uuid");
        if (type == RecordTypes.Users && caller is { IsActive: true, IsAnonymous: false })
        {
            // Users.ActivatedUsersAreVisibleToOthers, whose default is true: one shares with people whose names one sees.
            sql.Append(" OR t.is_active = 1");
        }

        if (type == RecordTypes.Groups && caller.IsActive)
        {
            // Users.RoleGroupsVisibleToAll, whose default is true.
            sql.Append(" OR t.group_class = 'role'");
        }
    }

    private static void AppendOwnRule(SqlText sql, string users, string target)
    {
        AppendReach(sql, users, "t.owner_uuid", "owned_level", 1);
        sql.Append(" OR ");
        AppendReach(sql, users, target, "level", 1);
    }

    private static void AppendReach(SqlText sql, string users, string target, string level, int least) => sql.Append(
        $"EXISTS (SELECT 1 FROM reachable r WHERE {sql.Dialect.In("r.user_uuid", users)} AND r.target_uuid = {target} AND r.{level} >= {least})");

    private static void AppendManagesHead(SqlText sql, string users)
    {
        AppendReach(sql, users, "t.head_uuid", "level", 3);
        sql.Append(" OR ");
        AppendReach(sql, users, "(SELECT c.owner_uuid FROM collections c WHERE c.uuid = t.head_uuid)", "owned_level", 3);
    }

    private static void AppendNotTrashed(SqlText sql, RecordType type, Caller caller, bool includeTrash, string now)
    {
        var at = sql.Parameter(now);
        // A group's own entry covers the projects around it; anything else is covered by its owner's.
        var place = type == RecordTypes.Groups ? "t.uuid" : "t.owner_uuid";
        if (!includeTrash)
        {
            sql.Append($" AND (t.trash_at IS NULL OR t.trash_at > {at})")
                .Append($" AND NOT EXISTS (SELECT 1 FROM trashed_groups d WHERE d.group_uuid = {place} AND d.trash_at <= {at})");
            return;
        }

        sql.Append($" AND (t.delete_at IS NULL OR t.delete_at > {at})");
        if (!caller.IsAdmin)
        {
            sql.Append($" AND NOT (t.trash_at IS NOT NULL AND t.trash_at <= {at} AND EXISTS (SELECT 1 FROM frozen_groups f WHERE f.group_uuid = t.owner_uuid))");
        }
    }
}
