using System.Text.Json;
using KeepFs.Catalog.Groups;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Catalog.Endpoints;

/// <summary>An answer; rows are complete (see <see cref="RecordPresenter"/>) before writing starts, so that writing cannot fail half way.</summary>
internal abstract record ApiResult
{
    private const int FlushBytes = 64 * 1024;

    public virtual int Status => 200;

    /// <summary>Writes the body.</summary>
    public abstract ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct);

    /// <summary>One record.</summary>
    public sealed record Record(Row Row, IReadOnlyList<Column> Shown) : ApiResult
    {
        public override ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct) => RecordJson.WriteAsync(writer, Row, Shown, ct);
    }

    /// <summary>A page of one type.</summary>
    public sealed record Page(RecordType Type, ListPage Items, Projection Projection, long Offset) : ApiResult
    {
        public override async ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct)
        {
            WriteHead(writer, Type.Kind + "List", Offset, Items.Limit);
            await WriteItemsAsync(writer, "items", Items.Rows, _ => Projection.Shown, ct);
            WriteTail(writer, Items.Available);
        }
    }

    /// <summary>A page of several types.</summary>
    public sealed record Mixed(MixedPage Items) : ApiResult
    {
        public override async ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct)
        {
            WriteHead(writer, "arvados#objectList", Items.Offset, Items.Limit);
            await WriteItemsAsync(writer, "items", Items.Items, row => [.. Items.ProjectionOf(row.Type).Shown.Where(column => column.Kind != ColumnKind.Manifest)], ct);
            if (Items.Included is not null)
            {
                await WriteItemsAsync(writer, "included", Items.Included, row => Projection.Default(row.Type).Shown, ct);
            }

            WriteTail(writer, Items.Available);
        }
    }

    /// <summary>Nothing but a status.</summary>
    public sealed record Empty : ApiResult
    {
        public override int Status => 204;

        public override ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct) => throw new InvalidOperationException("An empty answer has no body.");
    }

    /// <summary>A body that is no JSON document. What fails once it has begun breaks off the connection, so that nobody takes a part for the whole.</summary>
    public sealed record Stream(string ContentType, Func<HttpResponse, CancellationToken, Task> CopyAsync) : ApiResult
    {
        public override ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct) => throw new InvalidOperationException("It writes itself.");
    }

    /// <summary>Any JSON object.</summary>
    public sealed record Object(Action<Utf8JsonWriter> Write) : ApiResult
    {
        public override ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct)
        {
            writer.WriteStartObject();
            Write(writer);
            writer.WriteEndObject();
            return ValueTask.CompletedTask;
        }
    }

    private static void WriteHead(Utf8JsonWriter writer, string kind, long offset, int limit)
    {
        writer.WriteStartObject();
        writer.WriteString("kind", kind);
        writer.WriteString("etag", "");
        writer.WriteString("self_link", "");
        writer.WriteNumber("offset", offset);
        writer.WriteNumber("limit", limit);
    }

    private static void WriteTail(Utf8JsonWriter writer, long? available)
    {
        if (available is { } count)
        {
            writer.WriteNumber("items_available", count);
        }

        writer.WriteEndObject();
    }

    private static async ValueTask WriteItemsAsync(
        Utf8JsonWriter writer, string name, IReadOnlyList<Row> rows, Func<Row, IReadOnlyList<Column>> shown, CancellationToken ct)
    {
        writer.WriteStartArray(name);
        foreach (var row in rows)
        {
            await RecordJson.WriteAsync(writer, row, shown(row), ct);
            if (writer.BytesPending > FlushBytes)
            {
                await writer.FlushAsync(ct);
            }
        }

        writer.WriteEndArray();
    }
}
