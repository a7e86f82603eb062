using System.Text.Json;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// Lists of collections that begin with what the caller may read, owner by owner, instead of with all collections in their order: who reads a small part of a
/// large catalogue would wait while the rest is looked at and passed over. Both ways give the same rows.
/// </summary>
internal static class ReadableCollections
{
    /// <summary>Going by order reads rows until a page is full, and each costs some times what one costs that is found in an index by its owner.</summary>
    private const double OrderCost = 3;

    /// <summary>With a filter of which nothing is known, going by order may read everything.</summary>
    private const double FilteredShare = 0.25;

    // Databases find these by themselves, and then look who may read them.
    private static readonly HashSet<string> Found = new(StringComparer.Ordinal) { "uuid", "owner_uuid", "portable_data_hash", "current_version_uuid", "name" };

    /// <summary>Whether the list is faster owner by owner.</summary>
    public static bool AreFewFor(CatalogSession session, ListRequest request, Caller caller)
    {
        if (!MayBeCountedByOwner(request, caller))
        {
            return false;
        }

        var sql = session.Sql("SELECT coalesce(sum(u.collections), 0) FROM reachable r CROSS JOIN owner_usage u WHERE u.owner_uuid = r.target_uuid AND r.owned_level >= 1 AND ");
        double readable = session.Count(sql.Append(sql.Dialect.In("r.user_uuid", sql.Parameter(caller.ReadsAsList))));
        double all = session.Count(session.Sql("SELECT coalesce(max(id), 0) FROM collections"));
        return IsRange(request) ? readable * readable < OrderCost * (request.Offset + request.Limit) * all : readable < FilteredShare * all;
    }

    /// <summary>Whether counting is: it reads all that is readable in any case.</summary>
    public static bool MayBeCountedByOwner(ListRequest request, Caller caller) =>
        request is { Projection.Type: var type, IncludeTrash: false, IncludeOldVersions: false, Distinct: false, Where: null }
        && type == RecordTypes.Collections && !caller.SeesAll && !FindsByItself(request.Filters);

    /// <summary>Appends a table <c>t</c> of the UUIDs of the collections, with the columns that they are ordered by.</summary>
    /// <param name="sql">After FROM.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="now">The time of the session.</param>
    /// <param name="conditions">Appends the filters.</param>
    public static void Append(SqlText sql, ListRequest request, Caller caller, string now, Action<SqlText, ListRequest> conditions)
    {
        var columns = string.Join(", ", ListQuery.OrderColumns(sql.Dialect, request).Append("uuid").Distinct().Select(column => "t." + column));
        var (users, at) = (sql.Parameter(caller.ReadsAsList), sql.Parameter(now));
        var mine = sql.Dialect.In("r.user_uuid", users);
        var owners = $"SELECT r.target_uuid FROM reachable r WHERE {mine} AND r.owned_level >= 1 AND NOT EXISTS (SELECT 1 FROM trashed_groups d WHERE d.group_uuid = r.target_uuid AND d.trash_at <= {at})";
        var shared = $"SELECT r.target_uuid FROM reachable r WHERE {mine} AND r.level >= 1 AND substr(r.target_uuid, 7, 5) = '4zz18'";
        sql.Append($"(SELECT {columns} FROM collections t{sql.Dialect.Choose(" INDEXED BY collections_readable", "")} WHERE {sql.Dialect.InQuery("t.owner_uuid", owners)}");
        AppendRest();
        sql.Append($" UNION ALL SELECT {columns} FROM collections t WHERE {sql.Dialect.InQuery("t.uuid", shared)}")
            .Append($" AND NOT EXISTS (SELECT 1 FROM reachable r WHERE {mine} AND r.target_uuid = t.owner_uuid AND r.owned_level >= 1)")
            .Append($" AND NOT EXISTS (SELECT 1 FROM trashed_groups d WHERE d.group_uuid = t.owner_uuid AND d.trash_at <= {at})");
        AppendRest();
        sql.Append(") t");

        void AppendRest()
        {
            sql.Append($" AND {sql.Dialect.IsCurrent("t.")} AND (t.trash_at IS NULL OR t.trash_at > {at})");
            conditions(sql, request);
        }
    }

    private static bool FindsByItself(JsonElement? filters) => filters is { ValueKind: JsonValueKind.Array } list && list.EnumerateArray().Any(filter =>
        Parts(filter) is var (attribute, op, operand)
        && ((op is "=" or "in" && (Found.Contains(attribute) || attribute.StartsWith("properties.", StringComparison.Ordinal)))
            || (op == "like" && attribute == "name" && operand.ValueKind == JsonValueKind.String && FilterOperators.LiteralPrefix(operand.GetString()!).Length > 1)));

    // Going by order of time with a limit in time passes over nothing.
    private static bool IsRange(ListRequest request) => request.Order is [] or [['m', 'o', 'd', 'i', 'f', 'i', 'e', 'd', '_', 'a', 't', ..], ..]
        && (request.Filters is not { ValueKind: JsonValueKind.Array } list || list.EnumerateArray().All(filter => Parts(filter) is ("modified_at", "<" or "<=" or ">" or ">=", _)));

    private static (string Attribute, string Op, JsonElement Operand)? Parts(JsonElement filter) =>
        filter.ValueKind == JsonValueKind.Array && filter.GetArrayLength() == 3 && filter[0].ValueKind == JsonValueKind.String && filter[1].ValueKind == JsonValueKind.String
            ? (filter[0].GetString()!, filter[1].GetString()!.ToLowerInvariant(), filter[2])
            : null;
}
