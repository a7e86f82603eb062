using System.Globalization;
using System.Text.Json;
using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Blocks;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.References;

/// <summary>
/// Who uses a block, what a collection or project really takes, and which collections changed since a point
/// (docs/decisions/0039-block-references.md).
/// </summary>
internal sealed class ReferenceEndpoints(CatalogContext catalog)
{
    private const int MaxShown = 1000;

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", "/keepfs/v1/blocks/{hash}", WhyAsync);
        api.Map(routes, "GET", "/keepfs/v1/storage/{uuid}", StorageAsync);
        api.Map(routes, "GET", "/keepfs/v1/references/changes", ChangesAsync);
    }

    private async Task<ApiResult> WhyAsync(ApiRequest request, CancellationToken ct)
    {
        var text = ((string)request.Http.Request.RouteValues["hash"]!).Split('+')[0].ToLowerInvariant();
        if (!BlockHash.TryParse(text, out var hash))
        {
            throw ApiException.Invalid($"'{text}' is no block: name 32 hexadecimal digits, or a locator");
        }

        var (high, low) = BlockReferences.Halves(hash);
        var (size, users) = await catalog.Database.ReadAsync(
            session =>
            {
                var sql = session.Sql("""
                    SELECT t.uuid, t.name, t.owner_uuid, t.is_trashed, t.trash_at, t.version, r.since AS since, r.until AS until
                    FROM blocks b JOIN block_refs r ON r.block = b.id JOIN collections t ON t.id = r.family WHERE b.high = 
                    """).Value(high).Append(" AND b.low = ").Value(low).Append(" AND ");
                Access.AppendVisible(sql, RecordTypes.Collections, request.Caller, includeTrash: true, session.NowText);
                return (session.Scalar("SELECT size FROM blocks WHERE high = @p0 AND low = @p1", high, low) as long?,
                    session.Rows(sql.Append($" ORDER BY t.uuid, r.since LIMIT {MaxShown + 1}"), RecordTypes.Collections));
            },
            ct);
        if (users.Count == 0)
        {
            // The same for a block that others use: whether it exists is theirs to know.
            throw ApiException.NotFound($"no collection that you may read uses the block {hash}");
        }

        return new ApiResult.Object(writer =>
        {
            writer.WriteString("hash", hash.ToString());
            writer.WriteNumber("size", size ?? 0);
            writer.WriteBoolean("more", users.Count > MaxShown);
            writer.WriteStartArray("items");
            foreach (var user in users.Take(MaxShown))
            {
                writer.WriteStartObject();
                writer.WriteString("uuid", user.Uuid);
                writer.WriteString("name", user.Text("name") ?? "");
                writer.WriteString("owner_uuid", user.Text("owner_uuid"));
                writer.WriteBoolean("is_trashed", user.Flag("is_trashed"));
                writer.WriteNumber("first_version", user.Integer("since") ?? 0);
                writer.WriteNumber("last_version", user.Integer("until") ?? user.Integer("version") ?? 0);
                writer.WriteBoolean("is_current", user.Integer("until") is null);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
    }

    private async Task<ApiResult> StorageAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = request.Uuid;
        var type = RecordTypes.OfUuid(uuid) is { } found && (found == RecordTypes.Collections || found == RecordTypes.Groups) ? found : throw ApiException.NotFound();
        var figures = await catalog.Database.ReadAsync(
            session =>
            {
                var row = RecordStore.FindVisible(session, Projection.Default(type, inList: true), uuid, request.Caller, includeTrash: true) ?? throw ApiException.NotFound();
                var main = type == RecordTypes.Collections ? row.Text("current_version_uuid")! : uuid;
                var families = type == RecordTypes.Collections
                    ? "SELECT id FROM collections WHERE uuid = @p0"
                    : $"""
                       SELECT c.id FROM ({OwnerTree.Inside(session.Dialect, "@p0")}) p
                       JOIN collections c ON c.owner_uuid = p.uuid WHERE c.uuid = c.current_version_uuid
                       """;
                return session.Read(
                    $"""
                    WITH families AS ({families}),
                    used AS (SELECT r.block, max(CASE WHEN r.until IS NULL THEN 1 ELSE 0 END) AS is_current FROM families f JOIN block_refs r ON r.family = f.id GROUP BY r.block)
                    SELECT
                        (SELECT CAST(coalesce(sum(c.file_size_total), 0) AS BIGINT) FROM families f JOIN collections c ON c.id = f.id),
                        CAST(coalesce(sum(u.is_current), 0) AS BIGINT), CAST(coalesce(sum(CASE WHEN u.is_current = 1 THEN b.size ELSE 0 END), 0) AS BIGINT),
                        CAST(count(*) AS BIGINT), CAST(coalesce(sum(b.size), 0) AS BIGINT)
                    FROM used u JOIN blocks b ON b.id = u.block
                    """,
                    read => new[] { read.GetInt64(0), read.GetInt64(1), read.GetInt64(2), read.GetInt64(3), read.GetInt64(4) }, main).Single();
            },
            ct);
        return new ApiResult.Object(writer =>
        {
            writer.WriteString("uuid", uuid);
            writer.WriteNumber("file_bytes", figures[0]);
            writer.WriteNumber("blocks", figures[1]);
            writer.WriteNumber("block_bytes", figures[2]);
            writer.WriteNumber("blocks_with_versions", figures[3]);
            writer.WriteNumber("block_bytes_with_versions", figures[4]);
        });
    }

    /// <summary>
    /// Collections whose record changed since the cursor, by UUID; those that are gone as such. The records of changes that the audit log keeps are the list:
    /// a cursor older than those, or from before an import, is answered with <c>expired</c>, and the caller reads everything.
    /// </summary>
    private async Task<ApiResult> ChangesAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin("only an admin may follow all changes");

        var (epoch, after) = request.Parameters.Text("cursor")?.Split('.') is [var first, var second] && long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (first, id) : ("", 0);
        var (now, newest, isExpired, changed) = await catalog.Database.ReadAsync(
            session =>
            {
                const string Changes = "FROM logs WHERE event_type IN ('create', 'update', 'delete')";
                var now = (string)session.Scalar("SELECT epoch FROM reference_state")!;
                var newest = (long)session.Scalar("SELECT coalesce(max(id), 0) FROM logs")!;
                var oldest = session.Scalar($"SELECT min(id) {Changes}") as long?;

                // Gaps before the oldest may be records that were swept.
                var isExpired = epoch != now || after > newest || (oldest ?? newest + 1) > after + 1;
                var rows = isExpired ? [] : session.Read(
                    $"""
                    SELECT object_uuid, max(CASE WHEN event_type = 'delete' THEN 1 ELSE 0 END) {Changes} AND id > @p0 AND substr(object_uuid, 7, 5) = '4zz18'
                    GROUP BY object_uuid ORDER BY max(id) LIMIT {MaxShown * 100}
                    """,
                    row => (row.GetString(0), Convert.ToInt64(row.GetValue(1), CultureInfo.InvariantCulture) == 1), after);

                // More than that is not worth following one by one.
                return (now, newest, isExpired || rows.Count == MaxShown * 100, rows);
            },
            ct);
        return new ApiResult.Object(writer => Write(writer, $"{now}.{newest}", isExpired, changed));
    }

    private static void Write(Utf8JsonWriter writer, string cursor, bool isExpired, List<(string Uuid, bool IsGone)> changed)
    {
        writer.WriteString("cursor", cursor);
        writer.WriteBoolean("expired", isExpired);
        writer.WriteStartArray("items");
        foreach (var (uuid, isGone) in isExpired ? [] : changed)
        {
            writer.WriteStartObject();
            writer.WriteString("uuid", uuid);
            writer.WriteBoolean("is_gone", isGone);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
