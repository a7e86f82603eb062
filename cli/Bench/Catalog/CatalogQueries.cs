using System.Globalization;
using System.Text.Json.Nodes;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>Lists as people and programs ask for them, each for another user and with other operands.</summary>
internal sealed class CatalogQueries(CatalogData data, int seed)
{
    /// <summary>One kind of list.</summary>
    /// <param name="Name">For the table.</param>
    /// <param name="Query">Makes one: filters, and the other parameters.</param>
    private sealed record Kind(string Name, Func<CatalogQueries, int, (JsonArray Filters, string Others)> Query);

    private static readonly Kind[] Kinds =
    [
        new("newest 100", (_, _) => ([], "&limit=100&count=none")),
        new("newest 100, counted", (_, _) => ([], "&limit=100&count=exact")),
        new("of a project, by name", (q, reader) => ([Filter("owner_uuid", "=", q.Project(reader))], "&order=name&limit=100&count=none")),
        new("of a project, counted", (q, reader) => ([Filter("owner_uuid", "=", q.Project(reader))], "&limit=50&count=exact")),
        new("name like prefix", (q, _) => ([Filter("name", "like", $"sample-{q.Number() / 100:d5}%")], "&order=name&limit=50&count=none")),
        new("name ilike word", (q, _) => ([Filter("name", "ilike", $"%RUN r{q.Below(997)}%")], "&limit=20&count=none")),
        new("changed since, newest", (q, _) => ([Filter("modified_at", ">=", q.Time())], "&order=modified_at+desc&limit=100&count=none")),
        new("changed since, oldest", (q, _) => ([Filter("modified_at", ">", q.Time())], "&order=modified_at+asc,uuid+asc&limit=100&count=none")),
        new("property =", (q, _) => ([Filter("properties.batch", "=", CatalogData.Batch(q._random))], "&limit=100&count=none")),
        new("two properties, counted", (q, _) => ([Filter("properties.batch", "=", CatalogData.Batch(q._random)), Filter("properties.type", "=", CatalogData.Type(q._random))], "&limit=100&count=exact")),
        new("50 uuids", (q, _) => ([new JsonArray("uuid", "in", new JsonArray([.. Enumerable.Range(0, 50).Select(_ => (JsonNode)CatalogData.Collection(q.Number()))]))], "&limit=50&count=none")),
    ];

    private readonly Random _random = new(seed);

    /// <summary>So many of them, all kinds in turn, as ordinary users.</summary>
    public List<(string Kind, byte[] Request)> Make(int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        var reader = _random.Next(CatalogData.Readers);
        var kind = Kinds[i % Kinds.Length];
        var (filters, others) = kind.Query(this, reader);
        var path = $"/arvados/v1/collections?filters={Uri.EscapeDataString(filters.ToJsonString())}{others}";
        return (kind.Name, ApiConnection.Request("GET", path, CatalogData.Token(reader)));
    })];

    private static JsonArray Filter(string attribute, string op, string operand) => new(attribute, op, operand);

    private int Below(int limit) => _random.Next(limit);

    private int Number() => _random.Next(data.Collections);

    private string Project(int reader) => CatalogData.Project(data.ProjectOf(reader, _random.Next(9)));

    private string Time() => data.ModifiedAt(Number()).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
