using System.IO.Pipelines;
using System.Text.Json;
using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Catalog.Tokens;

namespace KeepFs.Catalog.Exchange;

/// <summary>
/// Writes records as lines of an export (docs/catalog-export.md), page by page and with little memory: first <see cref="BeginAsync"/>, then any number of
/// kinds, then <see cref="EndAsync"/>. For one thread at a time.
/// </summary>
internal sealed class ExportLines(CatalogContext catalog, PipeWriter to) : IAsyncDisposable
{
    private const int PageRows = 500;

    /// <summary>Bytes of manifests after which a page ends; one that is larger is alone in its page.</summary>
    private const long PageBytes = 1 << 20;

    private readonly TokenSeal _seal = new(catalog.Config.SystemRootToken);
    private readonly Utf8JsonWriter _writer = new(to, RecordJson.WriterOptions);

    /// <summary>Records so far.</summary>
    public long Records { get; private set; }

    public ValueTask BeginAsync(CancellationToken ct)
    {
        _writer.WriteStartObject();
        _writer.WriteString("kind", ExchangeKinds.Head);
        _writer.WriteNumber("version", ExchangeKinds.Version);
        _writer.WriteString("cluster_id", catalog.Uuids.ClusterId);
        return EndLineAsync(ct);
    }

    /// <summary>Writes all rows of a kind that fulfil the condition, if there is one.</summary>
    public async Task WriteAsync(CatalogSession session, ExchangeKind kind, Action<SqlText>? condition, CancellationToken ct)
    {
        for (var page = ReadPage(session, kind, condition, last: null); page.Count > 0; page = ReadPage(session, kind, condition, page[^1][kind.Order]))
        {
            foreach (var row in page)
            {
                await WriteAsync(kind, row, ct);
                Records++;
            }
        }
    }

    /// <summary>Writes a line that stands for no row of a table.</summary>
    public ValueTask WriteAsync(string kind, string uuid, CancellationToken ct)
    {
        _writer.WriteStartObject();
        _writer.WriteString("kind", kind);
        _writer.WriteString("uuid", uuid);
        Records++;
        return EndLineAsync(ct);
    }

    public async ValueTask EndAsync(CancellationToken ct)
    {
        _writer.WriteStartObject();
        _writer.WriteString("kind", ExchangeKinds.End);
        _writer.WriteNumber("records", Records);
        await EndLineAsync(ct);
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    private static List<Row> ReadPage(CatalogSession session, ExchangeKind kind, Action<SqlText>? condition, object? last)
    {
        var columns = kind.Columns.Select(column => column.Name).Append(kind.Order).Concat(kind == ExchangeKinds.Tokens ? ["secret_hash", "salted_hash", "sealed_secret"] : []).Distinct();
        var sql = session.Sql($"SELECT {string.Join(", ", columns)} FROM {kind.Table} WHERE {kind.Condition}");
        if (condition is not null)
        {
            condition(sql.Append(" AND "));
        }

        if (last is not null)
        {
            sql.Append($" AND {kind.Order} > ").Value(last);
        }

        var bytes = 0L;
        return session.Rows(sql.Append($" ORDER BY {kind.Order} LIMIT {PageRows}"), kind.Type, row => (bytes += row.Has("manifest_text") ? row.Bytes("manifest_text").Length : 0) < PageBytes);
    }

    private async Task WriteAsync(ExchangeKind kind, Row row, CancellationToken ct)
    {
        _writer.WriteStartObject();
        _writer.WriteString("kind", kind.Kind);
        foreach (var column in kind.Columns)
        {
            _writer.WritePropertyName(column.Name);
            if (column.Kind == ColumnKind.Manifest)
            {
                await WriteManifestAsync(row.Bytes(column.Name), ct);
            }
            else
            {
                RecordJson.WriteValue(_writer, column, ExchangeKinds.IsPath(kind, column.Name) ? DavPath.Text(row.Bytes(column.Name)) : row[column.Name]);
            }
        }

        if (kind == ExchangeKinds.Tokens)
        {
            WriteSecret(row);
        }

        await EndLineAsync(ct);
    }

    // Of a token whose secret was not kept, or sealed under another root token, the hashes: they are enough for it to work.
    private void WriteSecret(Row row)
    {
        if (_seal.Open(row.Uuid, row.Text("sealed_secret")) is { } secret)
        {
            _writer.WriteString("api_token", secret);
            return;
        }

        _writer.WriteString("secret_hash", row.Text("secret_hash"));
        _writer.WriteString("salted_hash", row.Text("salted_hash"));
    }

    private async Task WriteManifestAsync(ReadOnlyMemory<byte> manifest, CancellationToken ct)
    {
        if (manifest.Length <= RecordJson.SegmentBytes)
        {
            _writer.WriteStringValue(manifest.Span);
            return;
        }

        for (var at = 0; at < manifest.Length; at += RecordJson.SegmentBytes)
        {
            var length = Math.Min(RecordJson.SegmentBytes, manifest.Length - at);
            _writer.WriteStringValueSegment(manifest.Span.Slice(at, length), isFinalSegment: at + length == manifest.Length);
            await _writer.FlushAsync(ct);
            await to.FlushAsync(ct);
        }
    }

    private async ValueTask EndLineAsync(CancellationToken ct)
    {
        _writer.WriteEndObject();
        await _writer.FlushAsync(ct);
        _writer.Reset();
        to.GetSpan(1)[0] = (byte)'\n';
        to.Advance(1);
        if (!to.CanGetUnflushedBytes || to.UnflushedBytes >= RecordJson.SegmentBytes)
        {
            await to.FlushAsync(ct);
        }
    }
}
