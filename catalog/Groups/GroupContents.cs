using System.Text.Json;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Groups;

/// <summary>The calls <c>groups/contents</c> and <c>groups/shared</c> (catalog-api.md 10): lists of more than one type.</summary>
internal sealed class GroupContents(CatalogContext catalog)
{
    // In the order in which their items follow each other. Container requests and workflows are not kept here.
    private static readonly RecordType[] Types = [RecordTypes.Groups, RecordTypes.Collections];

    private const string Inside = """
        WITH RECURSIVE inside(uuid) AS (
            SELECT {0}
            UNION
            SELECT g.uuid FROM inside i JOIN groups g ON g.owner_uuid = i.uuid WHERE g.group_class = 'project'
        )
        SELECT uuid FROM inside
        """;

    /// <summary>What a project or a user's home holds; without a place, everything readable.</summary>
    public MixedPage Contents(CatalogSession session, RequestParameters parameters, Caller caller, string? place)
    {
        var includeTrash = parameters.Flag("include_trash");
        var restrictions = new List<Action<SqlText>>();
        var extra = new List<JsonElement>();
        if (place is not null)
        {
            var row = FindPlace(session, caller, place, includeTrash);
            if (row.Type == RecordTypes.Groups && row.Text("group_class") == "filter")
            {
                extra.AddRange(FiltersOf(row));
            }
            else if (parameters.Flag("recursive"))
            {
                restrictions.Add(sql => sql.Append(" AND t.owner_uuid IN (").Append(Inside.Replace("{0}", sql.Dialect.TextOf(sql.Parameter(place)), StringComparison.Ordinal)).Append(")"));
            }
            else
            {
                restrictions.Add(sql => sql.Append(" AND t.owner_uuid = ").Value(place));
            }
        }

        if (parameters.Flag("exclude_home_project"))
        {
            restrictions.Add(sql => sql.Append(" AND t.owner_uuid <> ").Value(caller.UserUuid));
        }

        return Page(session, parameters, caller, restrictions, extra);
    }

    /// <summary>Groups that others have shared: readable, but not reached by ownership from the caller.</summary>
    public MixedPage Shared(CatalogSession session, RequestParameters parameters, Caller caller)
    {
        var request = ListRequest.From(parameters, RecordTypes.Groups, catalog.Config.API.MaxItemsPerResponse);
        var page = ListQuery.Run(session, request, caller, catalog.Config.API.MaxIndexDatabaseRead, sql =>
        {
            sql.Append(" AND t.owner_uuid <> ").Value(caller.UserUuid).Append(" AND (substr(t.owner_uuid, 7, 5) = 'tpzed' OR NOT EXISTS (SELECT 1 FROM (SELECT * FROM groups o WHERE o.uuid = t.owner_uuid AND o.group_class = 'project') AS t WHERE ");
            Access.AppendVisible(sql, RecordTypes.Groups, caller, request.IncludeTrash, session.NowText);
            sql.Append("))");
        });
        return new MixedPage(page.Rows, page.Available, page.Limit, request.Offset, Included(session, parameters, caller, page.Rows), _ => request.Projection);
    }

    private MixedPage Page(CatalogSession session, RequestParameters parameters, Caller caller, List<Action<SqlText>> restrictions, List<JsonElement> extra)
    {
        var filters = FilterList(parameters.Json("filters"));
        var select = parameters.Names("select");
        CheckSelect(select);
        var items = new List<Row>();
        var requests = Types.ToDictionary(type => type, type => ListRequest.From(parameters, type, catalog.Config.API.MaxItemsPerResponse, mixed: true));
        var first = requests[RecordTypes.Groups];
        var (limit, offset, available) = (first.Limit, first.Offset, 0L);
        foreach (var type in Types)
        {
            if (Applying(type, [.. filters, .. extra]) is not { } applying || !ExtraConcerns(type, extra))
            {
                continue;
            }

            void Restrict(SqlText sql) => AppendRestrictions(sql, type, restrictions, applying);
            var request = requests[type] with { Filters = null, Limit = limit - items.Count, Offset = offset, CountsAll = false };
            var count = first.CountsAll || offset > 0 ? ListQuery.Count(session, request, caller, Restrict) : 0;
            available += count;
            var rows = request.Limit > 0 ? ListQuery.Run(session, request, caller, catalog.Config.API.MaxIndexDatabaseRead, Restrict).Rows : [];
            items.AddRange(rows);
            offset = Math.Max(0, offset - count);
        }

        return new MixedPage(
            items, first.CountsAll ? available : null, limit, first.Offset, Included(session, parameters, caller, items), type => requests[type].Projection);
    }

    private static void AppendRestrictions(SqlText sql, RecordType type, List<Action<SqlText>> restrictions, List<JsonElement> filters)
    {
        if (type == RecordTypes.Groups)
        {
            sql.Append(" AND t.group_class IN ('project', 'filter')");
        }

        foreach (var restrict in restrictions)
        {
            restrict(sql);
        }

        foreach (var filter in filters)
        {
            sql.Append(" AND (");
            FilterCompiler.AppendOne(sql, type, filter);
            sql.Append(")");
        }
    }

    /// <summary>The filters that concern a type; null when one of them excludes the type.</summary>
    private static List<JsonElement>? Applying(RecordType type, IReadOnlyList<JsonElement> filters)
    {
        var applying = new List<JsonElement>();
        foreach (var filter in filters)
        {
            switch (FilterCompiler.ScopeOf(type, Types, filter))
            {
                case FilterCompiler.Scope.Applies:
                    applying.Add(filter);
                    break;
                case FilterCompiler.Scope.Impossible:
                    return null;
                default:
                    break;
            }
        }

        return applying;
    }

    // A filter group whose filters all name other types holds nothing of this one.
    private static bool ExtraConcerns(RecordType type, List<JsonElement> extra) =>
        extra.Count == 0 || extra.Any(filter => FilterCompiler.ScopeOf(type, Types, filter) == FilterCompiler.Scope.Applies);

    private static Row FindPlace(CatalogSession session, Caller caller, string place, bool includeTrash)
    {
        var type = Uuids.IsUser(place) ? RecordTypes.Users : RecordTypes.Groups;
        return RecordStore.FindVisible(session, Projection.Default(type), place, caller, includeTrash) ?? throw ApiException.NotFound();
    }

    private static List<JsonElement> FiltersOf(Row group)
    {
        using var properties = JsonDocument.Parse(group.Text("properties")!);
        return properties.RootElement.TryGetProperty("filters", out var filters) && filters.ValueKind == JsonValueKind.Array
            ? [.. filters.EnumerateArray().Select(filter => filter.Clone())]
            : throw ApiException.Invalid($"filter group {group.Uuid} has no properties.filters array");
    }

    private static List<JsonElement> FilterList(JsonElement? filters) => filters switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray()],
        _ => throw ApiException.Invalid("filters: must be an array"),
    };

    private static void CheckSelect(IReadOnlyList<string>? select)
    {
        foreach (var name in select ?? [])
        {
            var attribute = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
            if (attribute is not ("kind" or "etag") && !Types.Any(type => type.Find(attribute) is { IsHidden: false }))
            {
                throw ApiException.Invalid($"select: attribute '{name}' is not known");
            }
        }
    }

    /// <summary>The owners of the items, if they were asked for and are readable; null when not asked for.</summary>
    private static List<Row>? Included(CatalogSession session, RequestParameters parameters, Caller caller, IReadOnlyList<Row> items)
    {
        if (parameters.Names("include") is not { Count: > 0 } include)
        {
            return null;
        }

        if (include.FirstOrDefault(name => name is not ("owner_uuid" or "container_uuid")) is { } unknown)
        {
            throw ApiException.Invalid($"include: '{unknown}' is not supported");
        }

        return !include.Contains("owner_uuid")
            ? []
            : [.. items.Where(item => item.Has("owner_uuid")).Select(item => item.Text("owner_uuid")!).Distinct(StringComparer.Ordinal)
                .Select(owner => RecordStore.FindVisible(
                    session, Projection.Default(Uuids.IsUser(owner) ? RecordTypes.Users : RecordTypes.Groups), owner, caller, includeTrash: false))
                .OfType<Row>()];
    }
}
