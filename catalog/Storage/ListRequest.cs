using System.Text.Json;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;

namespace KeepFs.Catalog.Storage;

/// <summary>The parameters of a list (catalog-api.md 3), checked.</summary>
internal sealed record ListRequest
{
    private const int DefaultLimit = 100;

    public required Projection Projection { get; init; }

    public JsonElement? Filters { get; init; }

    public JsonElement? Where { get; init; }

    public IReadOnlyList<string> Order { get; init; } = [];

    public int Limit { get; init; } = DefaultLimit;

    public long Offset { get; init; }

    public bool Distinct { get; init; }

    public bool CountsAll { get; init; } = true;

    public bool IncludeTrash { get; init; }

    public bool IncludeOldVersions { get; init; }

    public static ListRequest From(RequestParameters parameters, RecordType type, int maxItems, bool mixed = false)
    {
        var limit = parameters.Integer("limit") ?? DefaultLimit;
        var offset = parameters.Integer("offset") ?? 0;
        if (limit < 0 || offset < 0)
        {
            throw ApiException.Invalid("limit and offset must not be negative");
        }

        var distinct = parameters.Flag("distinct");
        var select = parameters.Names("select");
        return new ListRequest
        {
            Projection = Projection.Of(type, select, inList: true, ignoreUnknown: mixed),
            Filters = parameters.Json("filters"),
            Where = parameters.Json("where"),
            Order = parameters.Names("order") ?? [],
            Limit = (int)Math.Min(limit, maxItems),
            Offset = offset,
            Distinct = distinct && select is { Count: > 0 },
            CountsAll = parameters.Text("count") switch
            {
                null or "exact" => true,
                "none" => false,
                var other => throw ApiException.Invalid($"count: '{other}' must be 'exact' or 'none'"),
            },
            IncludeTrash = parameters.Flag("include_trash"),
            IncludeOldVersions = parameters.Flag("include_old_versions"),
        };
    }
}
