using System.IO.Pipelines;
using System.Text.Json;
using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Catalog.Tokens;

namespace KeepFs.Catalog.Exchange;

/// <summary>Writes every record, one JSON object a line, from one snapshot and with little memory (docs/catalog-export.md). Safe for concurrent use.</summary>
internal sealed class CatalogExport(CatalogContext catalog)
{
    private const int PageRows = 500;

    /// <summary>Bytes of manifests after which a page ends; one that is larger is alone in its page.</summary>
    private const long PageBytes = 1 << 20;

    private readonly TokenSeal _seal = new(catalog.Config.SystemRootToken);

    public async Task WriteAsync(PipeWriter to, CancellationToken ct)
    {
        using var snapshot = await catalog.Database.OpenSnapshotAsync(ct);
        await using var writer = new Utf8JsonWriter(to, RecordJson.WriterOptions);
        var count = 0L;
        writer.WriteStartObject();
        writer.WriteString("kind", ExchangeKinds.Head);
        writer.WriteNumber("version", ExchangeKinds.Version);
        writer.WriteString("cluster_id", catalog.Uuids.ClusterId);
        await EndLineAsync(writer, to, ct);
        foreach (var kind in ExchangeKinds.All)
        {
            for (var page = ReadPage(snapshot.Session, kind, last: null); page.Count > 0; page = ReadPage(snapshot.Session, kind, page[^1][kind.Order]))
            {
                foreach (var row in page)
                {
                    await WriteAsync(writer, to, kind, row, ct);
                    count++;
                }
            }
        }

        writer.WriteStartObject();
        writer.WriteString("kind", ExchangeKinds.End);
        writer.WriteNumber("records", count);
        await EndLineAsync(writer, to, ct);
    }

    private static List<Row> ReadPage(CatalogSession session, ExchangeKind kind, object? last)
    {
        var columns = kind.Columns.Select(column => column.Name).Append(kind.Order).Concat(kind == ExchangeKinds.Tokens ? ["secret_hash", "salted_hash", "sealed_secret"] : []).Distinct();
        var sql = session.Sql($"SELECT {string.Join(", ", columns)} FROM {kind.Table} WHERE {kind.Condition}");
        if (last is not null)
        {
            sql.Append($" AND {kind.Order} > ").Value(last);
        }

        var bytes = 0L;
        return session.Rows(sql.Append($" ORDER BY {kind.Order} LIMIT {PageRows}"), kind.Type, row => (bytes += row.Has("manifest_text") ? row.Bytes("manifest_text").Length : 0) < PageBytes);
    }

    private async Task WriteAsync(Utf8JsonWriter writer, PipeWriter to, ExchangeKind kind, Row row, CancellationToken ct)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", kind.Kind);
        foreach (var column in kind.Columns)
        {
            writer.WritePropertyName(column.Name);
            if (column.Kind == ColumnKind.Manifest)
            {
                await WriteManifestAsync(writer, to, row.Bytes(column.Name), ct);
            }
            else
            {
                RecordJson.WriteValue(writer, column, ExchangeKinds.IsPath(kind, column.Name) ? DavPath.Text(row.Bytes(column.Name)) : row[column.Name]);
            }
        }

        if (kind == ExchangeKinds.Tokens)
        {
            WriteSecret(writer, row);
        }

        await EndLineAsync(writer, to, ct);
    }

    // Of a token whose secret was not kept, or sealed under another root token, the hashes: they are enough for it to work.
    private void WriteSecret(Utf8JsonWriter writer, Row row)
    {
        if (_seal.Open(row.Uuid, row.Text("sealed_secret")) is { } secret)
        {
            writer.WriteString("api_token", secret);
            return;
        }

        writer.WriteString("secret_hash", row.Text("secret_hash"));
        writer.WriteString("salted_hash", row.Text("salted_hash"));
    }

    private static async Task WriteManifestAsync(Utf8JsonWriter writer, PipeWriter to, ReadOnlyMemory<byte> manifest, CancellationToken ct)
    {
        if (manifest.Length <= RecordJson.SegmentBytes)
        {
            writer.WriteStringValue(manifest.Span);
            return;
        }

        for (var at = 0; at < manifest.Length; at += RecordJson.SegmentBytes)
        {
            var length = Math.Min(RecordJson.SegmentBytes, manifest.Length - at);
            writer.WriteStringValueSegment(manifest.Span.Slice(at, length), isFinalSegment: at + length == manifest.Length);
            await writer.FlushAsync(ct);
            await to.FlushAsync(ct);
        }
    }

    private static async ValueTask EndLineAsync(Utf8JsonWriter writer, PipeWriter to, CancellationToken ct)
    {
        writer.WriteEndObject();
        await writer.FlushAsync(ct);
        writer.Reset();
        to.GetSpan(1)[0] = (byte)'\n';
        to.Advance(1);
        if (!to.CanGetUnflushedBytes || to.UnflushedBytes >= RecordJson.SegmentBytes)
        {
            await to.FlushAsync(ct);
        }
    }
}
