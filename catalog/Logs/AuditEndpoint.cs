using System.Text.Json;
using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Logs;

/// <summary>
/// <c>GET /keepfs/v1/audit</c>: who changed what, when and from where, newest first, for admins. Parameters: <c>object_uuid</c>, <c>user_uuid</c>,
/// <c>since</c>, <c>before</c> (an <c>id</c>, for the next page), <c>limit</c>.
/// </summary>
internal sealed class AuditEndpoint(CatalogContext catalog)
{
    private const int DefaultLimit = 100;

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes) => api.Map(routes, "GET", "/keepfs/v1/audit", ListAsync);

    private async Task<ApiResult> ListAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin("only an admin may read who did what");

        var parameters = request.Parameters;
        var limit = Math.Clamp(parameters.Integer("limit") ?? DefaultLimit, 1, catalog.Config.API.MaxItemsPerResponse);
        var since = parameters.Text("since") is { } text ? Timestamp.FromClient(text) ?? throw ApiException.Invalid("since: must be a time") : null;
        var entries = await catalog.Database.ReadAsync(
            session =>
            {
                var sql = session.Sql("SELECT id, uuid, event_at, event_type, object_uuid, modified_by_user_uuid, origin FROM logs WHERE true");
                Add(sql, " AND object_uuid = ", parameters.Text("object_uuid"));
                Add(sql, " AND modified_by_user_uuid = ", parameters.Text("user_uuid"));
                Add(sql, " AND created_at >= ", since);
                Add(sql, " AND id < ", parameters.Integer("before"));
                return session.Rows(sql.Append(" ORDER BY id DESC LIMIT ").Value(limit), RecordTypes.Logs);
            },
            ct);
        return new ApiResult.Object(writer => Write(writer, entries));
    }

    private static void Add(SqlText sql, string condition, object? value)
    {
        if (value is not null)
        {
            sql.Append(condition).Value(value);
        }
    }

    private static void Write(Utf8JsonWriter writer, List<Row> entries)
    {
        writer.WriteStartArray("items");
        foreach (var entry in entries)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", entry.Integer("id") ?? 0);
            writer.WriteString("uuid", entry.Uuid);
            writer.WriteString("event_at", entry.Text("event_at"));
            writer.WriteString("event_type", entry.Text("event_type"));
            writer.WriteString("object_uuid", entry.Text("object_uuid"));
            writer.WriteString("user_uuid", entry.Text("modified_by_user_uuid"));
            using var origin = JsonDocument.Parse(entry.Text("origin") ?? "{}");
            foreach (var name in (string[])["address", "token_uuid", "request_id"])
            {
                writer.WriteString(name, origin.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
