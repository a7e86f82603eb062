using System.Text.Json;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>Runs a list: what the caller may see, filtered, ordered and paged (catalog-api.md 3).</summary>
internal static class ListQuery
{
    /// <param name="session">Where to read.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="maxLargeBytes">Rows are cut off once their manifests exceed this; at least one is returned.</param>
    /// <param name="restrict">Appends a further condition, starting with AND.</param>
    public static ListPage Run(CatalogSession session, ListRequest request, Caller caller, long maxLargeBytes, Action<SqlText>? restrict = null)
    {
        var available = request.CountsAll ? Count(session, request, caller, restrict) : (long?)null;
        if (request.Limit == 0)
        {
            return new ListPage([], available, 0);
        }

        var sql = session.Sql(request.Distinct ? "SELECT DISTINCT " : "SELECT ");
        if (request.Distinct)
        {
            request.Projection.AppendShownColumns(sql);
        }
        else
        {
            request.Projection.AppendColumns(sql, caller);
        }

        if (restrict is null && ReadableCollections.AreFewFor(session, request, caller))
        {
            sql.Append(" FROM collections t WHERE t.uuid IN (SELECT t.uuid FROM ");
            ReadableCollections.Append(sql, request, caller, session.NowText, Conditions);
            AppendPage(sql, request);
            sql.Append(")");
            AppendOrder(sql, request);
        }
        else
        {
            AppendFrom(sql, session, request, caller, restrict);
            AppendPage(sql, request);
        }

        var large = 0L;
        var isCut = false;
        var rows = session.Rows(sql, request.Projection.Type, row =>
        {
            large += row.Has("manifest_text") ? row.Bytes("manifest_text").Length : 0;
            isCut = large > maxLargeBytes;
            return !isCut;
        });
        if (isCut && rows.Count > 1)
        {
            rows.RemoveAt(rows.Count - 1);
        }

        return new ListPage(rows, available, isCut ? rows.Count : request.Limit);
    }

    /// <summary>Number of matches without regard to the page.</summary>
    public static long Count(CatalogSession session, ListRequest request, Caller caller, Action<SqlText>? restrict)
    {
        var sql = session.Sql("SELECT count(*)");
        if (restrict is null && ReadableCollections.MayBeCountedByOwner(request, caller))
        {
            ReadableCollections.Append(sql.Append(" FROM "), request, caller, session.NowText, Conditions);
            return session.Count(sql);
        }

        if (!request.Distinct)
        {
            AppendFrom(sql, session, request, caller, restrict);
            return session.Count(sql);
        }

        sql.Append(" FROM (SELECT DISTINCT ");
        request.Projection.AppendShownColumns(sql);
        AppendFrom(sql, session, request, caller, restrict);
        return session.Count(sql.Append(") AS d"));
    }

    private static void AppendFrom(SqlText sql, CatalogSession session, ListRequest request, Caller caller, Action<SqlText>? restrict)
    {
        var type = request.Projection.Type;
        sql.Append($" FROM {type.Table} t WHERE ");
        Access.AppendVisible(sql, type, caller, request.IncludeTrash, session.NowText);
        if (type == RecordTypes.Collections && !request.IncludeOldVersions)
        {
            sql.Append(" AND ").Append(sql.Dialect.IsCurrent("t."));
        }

        Conditions(sql, request);
        restrict?.Invoke(sql);
    }

    private static void Conditions(SqlText sql, ListRequest request)
    {
        FilterCompiler.AppendAll(sql, request.Projection.Type, request.Filters);
        AppendWhere(sql, request.Projection.Type, request.Where);
    }

    private static void AppendPage(SqlText sql, ListRequest request)
    {
        AppendOrder(sql, request);
        sql.Append(" LIMIT ").Value((long)request.Limit).Append(" OFFSET ").Value(request.Offset);
    }

    /// <summary>The legacy hash: equality, or membership where the value is an array.</summary>
    private static void AppendWhere(SqlText sql, RecordType type, JsonElement? where)
    {
        if (where is not { } hash)
        {
            return;
        }

        if (hash.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid("where: must be an object");
        }

        foreach (var property in hash.EnumerateObject())
        {
            if (type.Find(property.Name) is not { IsSearchable: true } column)
            {
                throw ApiException.Invalid($"where: attribute '{property.Name}' is not known or not searchable for {type.Table}");
            }

            sql.Append(" AND (");
            FilterOperators.Append(sql, column, property.Value.ValueKind == JsonValueKind.Array ? "in" : "=", property.Value);
            sql.Append(")");
        }
    }

    private static void AppendOrder(SqlText sql, ListRequest request)
    {
        if (OrderTerms(sql.Dialect, request) is { Count: > 0 } terms)
        {
            sql.Append(" ORDER BY ").Append(string.Join(", ", terms));
        }
    }

    /// <summary>Names of the columns that a list is ordered by.</summary>
    public static IEnumerable<string> OrderColumns(SqlDialect dialect, ListRequest request) => OrderTerms(dialect, request).Select(term => term.Split(' ')[0]["t.".Length..]);

    private static List<string> OrderTerms(SqlDialect dialect, ListRequest request)
    {
        var type = request.Projection.Type;
        var terms = new List<string>();
        var isUnique = false;
        foreach (var (column, direction) in request.Order.Select(entry => Parse(type, entry)).Concat([("modified_at", "DESC"), ("uuid", "DESC")]))
        {
            var isDefault = !request.Order.Any(entry => Parse(type, entry).Column == column);
            var isShown = request.Projection.Shown.Any(shown => shown.Name == column);
            if (column is null || isUnique || (!isShown && (request.Distinct || (request.Projection.IsSelected && !isDefault))))
            {
                continue;
            }

            terms.Add(dialect.Order("t." + column, isDescending: direction == "DESC"));
            isUnique = column is "uuid" or "id";
        }

        if (request.Distinct)
        {
            // Pages of rows in no order would overlap.
            terms.AddRange(request.Projection.Shown.Where(column => !column.IsDerived && !terms.Any(term => term.StartsWith($"t.{column.Name} ", StringComparison.Ordinal)))
                .Select(column => dialect.Order("t." + column.Name, isDescending: false)));
        }

        return terms;
    }

    /// <summary>Unknown and malformed entries are dropped silently.</summary>
    private static (string? Column, string Direction) Parse(RecordType type, string entry)
    {
        var parts = entry.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is < 1 or > 2 || (parts.Length == 2 && parts[1].ToLowerInvariant() is not ("asc" or "desc")))
        {
            return (null, "");
        }

        var name = parts[0].StartsWith(type.Table + ".", StringComparison.Ordinal) ? parts[0][(type.Table.Length + 1)..] : parts[0];
        return (type.Find(name) is { IsSearchable: true, IsHidden: false } column ? column.Name : null, parts is [_, var given] ? given.ToUpperInvariant() : "ASC");
    }
}
