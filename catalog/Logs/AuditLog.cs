using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Logs;

/// <summary>Writes create, update and delete records in the transaction of the change itself (catalog-api.md 15).</summary>
internal static class AuditLog
{
    /// <summary>Appends one record.</summary>
    /// <param name="session">The transaction of the change.</param>
    /// <param name="uuids">Makes the UUID.</param>
    /// <param name="userUuid">Who did it.</param>
    /// <param name="origin">From where (<see cref="Origin"/>); null for the server itself.</param>
    /// <param name="before">The record as it was; null for a new one.</param>
    /// <param name="after">The record as it is; null for a deleted one.</param>
    public static void Append(WriteSession session, Uuids uuids, string userUuid, string? origin, Row? before, Row? after)
    {
        var subject = after ?? before ?? throw new ArgumentException("A log record needs a record before or after.");
        var eventType = before is null ? "create" : after is null ? "delete" : "update";
        Insert(session, uuids, userUuid, origin, subject, eventType, Properties(before, after));
    }

    public static void Append(WriteSession session, Uuids uuids, Caller caller, Row? before, Row? after) =>
        Append(session, uuids, caller.UserUuid, Origin(caller), before, after);

    /// <summary>Appends a record of a change that is none of the object's attributes.</summary>
    public static void AppendEvent(WriteSession session, Uuids uuids, Caller caller, Row subject, string eventType, string properties) =>
        Insert(session, uuids, caller.UserUuid, Origin(caller), subject, eventType, properties);

    /// <summary>Address, token and request behind a change, for admins; null for what the server does by itself.</summary>
    public static string? Origin(Caller caller) => caller.RequestId is null ? null : new JsonObject
    {
        ["address"] = caller.Address,
        ["request_id"] = caller.RequestId,
        ["token_uuid"] = caller.TokenUuid,
    }.ToJsonString();

    /// <summary>The column for it.</summary>
    public static string Version4(SqlDialect sql) => $"ALTER TABLE logs ADD COLUMN origin {sql.Text}";

    private static void Insert(WriteSession session, Uuids uuids, string userUuid, string? origin, Row subject, string eventType, string properties) =>
        RecordStore.InsertLater(session, new Row(RecordTypes.Logs)
        {
            ["uuid"] = uuids.Create(RecordTypes.Logs),
            ["owner_uuid"] = userUuid,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = userUuid,
            ["object_uuid"] = subject.Uuid,
            ["object_owner_uuid"] = subject.Text("owner_uuid"),
            ["event_at"] = session.NowText,
            ["event_type"] = eventType,
            ["summary"] = $"{eventType} of {subject.Uuid}",
            ["properties"] = properties,
            ["origin"] = origin,
        });

    private static string Properties(Row? before, Row? after)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, RecordJson.WriterOptions))
        {
            writer.WriteStartObject();
            WriteAttributes(writer, "old", before);
            WriteAttributes(writer, "new", after);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    // Manifests stay out: a log of every version's text would outgrow the catalogue itself.
    private static void WriteAttributes(Utf8JsonWriter writer, string prefix, Row? row)
    {
        writer.WritePropertyName(prefix + "_attributes");
        if (row is null)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        foreach (var column in row.Type.StoredColumns.Where(column => !column.IsHidden && column.Kind != ColumnKind.Manifest && row.Has(column.Name)))
        {
            writer.WritePropertyName(column.Name);
            RecordJson.WriteValue(writer, column, row[column.Name]);
        }

        writer.WriteEndObject();
    }
}
