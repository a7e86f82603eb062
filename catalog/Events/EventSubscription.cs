using System.Text.Json;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Events;

/// <summary>What one subscribe message asks for, and how far its listener has been told. For one thread at a time.</summary>
internal sealed class EventSubscription
{
    private static readonly Projection Projection = Projection.Of(RecordTypes.Logs, null, inList: true);

    private readonly JsonElement? _filters;
    private long? _lastId;
    private long? _nextId;

    private EventSubscription(JsonElement? filters, long? lastId) => (_filters, _lastId) = (filters, lastId);

    /// <summary>Attributes of an event.</summary>
    public static IEnumerable<Column> Shown => Projection.Shown;

    /// <summary>Reads <c>{"method":"subscribe"|"unsubscribe","filters":[...],"last_log_id":N}</c>.</summary>
    /// <exception cref="ApiException">It is something else.</exception>
    public static (string Method, EventSubscription Subscription) Parse(ReadOnlySpan<byte> message)
    {
        try
        {
            using var document = TextJson.Parse(message.ToArray());
            var root = document.RootElement;
            var method = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("method", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
            if (method is not ("subscribe" or "unsubscribe"))
            {
                throw ApiException.BadRequest("the message must be an object whose method is subscribe or unsubscribe");
            }

            var filters = root.TryGetProperty("filters", out var given) && given.ValueKind != JsonValueKind.Null ? given.Clone() : (JsonElement?)null;
            var lastId = root.TryGetProperty("last_log_id", out var last) && last.ValueKind == JsonValueKind.Number && last.TryGetInt64(out var id) ? id : (long?)null;
            return (method, new EventSubscription(filters, lastId));
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest("the message is not JSON: " + e.Message);
        }
    }

    public bool HasFiltersOf(EventSubscription other) =>
        _filters is { } mine && other._filters is { } theirs ? JsonElement.DeepEquals(mine, theirs) : _filters is null && other._filters is null;

    /// <summary>Begins with what comes after now, unless the listener said after what.</summary>
    /// <exception cref="ApiException">The filters are wrong.</exception>
    public bool Start(CatalogSession session, Caller caller)
    {
        _lastId ??= Newest(session);
        return ListQuery.Run(session, Request(0) with { CountsAll = true }, caller, 0, After).Available >= 0;
    }

    /// <summary>What was read last is told.</summary>
    public void Advance() => _lastId = _nextId ?? _lastId;

    /// <summary>Adds records that were not told yet, by id; true when there may be more of them. They come again until <see cref="Advance"/>.</summary>
    public bool ReadInto(SortedDictionary<long, Row> found, CatalogSession session, Caller caller, int most)
    {
        // Records that were told may be gone: swept, or by a reset.
        var newest = Newest(session);
        _lastId = Math.Min(newest, _lastId ?? newest);
        var rows = newest > _lastId ? ListQuery.Run(session, Request(most), caller, 0, After).Rows : [];
        foreach (var row in rows)
        {
            found[Id(row)] = row;
        }

        var isFull = rows.Count == most;
        _nextId = isFull ? Id(rows[^1]) : newest;
        return isFull;
    }

    private static long Newest(CatalogSession session) => session.Count(session.Sql("SELECT coalesce(max(id), 0) FROM logs"));

    private static long Id(Row row) => Convert.ToInt64(row["id"], System.Globalization.CultureInfo.InvariantCulture);

    private ListRequest Request(int limit) => new() { Projection = Projection, Filters = _filters, Order = ["id asc"], Limit = limit, CountsAll = false };

    private void After(SqlText sql) => sql.Append(" AND t.id > ").Value(_lastId ?? 0);
}
