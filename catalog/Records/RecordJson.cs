using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace KeepFs.Catalog.Records;

/// <summary>Writes records as the API shows them. Large manifests go out in pieces; nothing is copied into strings.</summary>
internal static class RecordJson
{
    // The answers are JSON documents, never parts of HTML.
    public static JsonWriterOptions WriterOptions { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Largest piece of a manifest that is written at once.</summary>
    public const int SegmentBytes = 64 * 1024;

    /// <summary>Writes one record as an object; flushes on the way when it is large.</summary>
    public static async ValueTask WriteAsync(Utf8JsonWriter writer, Row row, IEnumerable<Column> shown, CancellationToken ct)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", row.Type.Kind);
        writer.WriteString("etag", Etag(row));
        foreach (var column in shown)
        {
            writer.WritePropertyName(column.Name);
            if (column.Kind == ColumnKind.Manifest)
            {
                await WriteManifestAsync(writer, row.Has(column.Name) ? row.Bytes(column.Name) : [], ct);
            }
            else
            {
                // A list of distinct rows reads nothing from which the derived attributes could come.
                WriteValue(writer, column, row.Has(column.Name) ? row[column.Name] : null);
            }
        }

        if (row.Type.Find("writable_by") is { } writableBy && row.Has("writable_by") && !shown.Contains(writableBy))
        {
            writer.WritePropertyName("writable_by");
            WriteValue(writer, writableBy, row["writable_by"]);
        }

        writer.WriteEndObject();
    }

    /// <summary>Writes a value in stored form.</summary>
    public static void WriteValue(Utf8JsonWriter writer, Column column, object? value)
    {
        switch (column.Kind, value)
        {
            case (ColumnKind.Object, null):
                writer.WriteStartObject();
                writer.WriteEndObject();
                break;
            case (ColumnKind.Array, null):
                writer.WriteStartArray();
                writer.WriteEndArray();
                break;
            case (ColumnKind.Boolean, _):
                writer.WriteBooleanValue(value is long and not 0);
                break;
            case (_, null) when column.EmptyForNull:
                writer.WriteStringValue("");
                break;
            case (_, null):
                writer.WriteNullValue();
                break;
            case (ColumnKind.Integer, _):
                writer.WriteNumberValue((long)value);
                break;
            case (ColumnKind.Time, _):
                writer.WriteStringValue(Timestamp.ToApi((string)value));
                break;
            case (ColumnKind.Object or ColumnKind.Array, _):
                writer.WriteRawValue((string)value);
                break;
            default:
                writer.WriteStringValue((string)value);
                break;
        }
    }

    /// <summary>Opaque; changes with every change of the stored record.</summary>
    public static string Etag(Row row) => !row.Has(Row.Revision) || !row.Has("uuid") ? "" : Convert.ToHexStringLower(
        MD5.HashData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{row["uuid"]}:{row[Row.Revision]}"))))[..25];

    private static async ValueTask WriteManifestAsync(Utf8JsonWriter writer, ReadOnlyMemory<byte> manifest, CancellationToken ct)
    {
        if (manifest.Length <= SegmentBytes)
        {
            writer.WriteStringValue(manifest.Span);
            return;
        }

        for (var at = 0; at < manifest.Length; at += SegmentBytes)
        {
            var length = Math.Min(SegmentBytes, manifest.Length - at);
            writer.WriteStringValueSegment(manifest.Span.Slice(at, length), isFinalSegment: at + length == manifest.Length);
            await writer.FlushAsync(ct);
        }
    }
}
