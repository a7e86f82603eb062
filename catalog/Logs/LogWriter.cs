using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Logs;

/// <summary>Records that clients write themselves, such as keep-web's downloads (catalog-api.md 15). Safe for concurrent use.</summary>
internal sealed class LogWriter(CatalogContext catalog)
{
    /// <summary>Writes records in one transaction: all, or none when one of them is wrong. Returns their UUIDs.</summary>
    public Task<string[]> CreateAsync(Caller caller, IReadOnlyList<AttributeSet> records, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        var given = records.Select(record => record.Decode(RecordTypes.Logs)).ToList();
        return catalog.Database.WriteAsync(session => given.Select(record => Insert(session, caller, record)).ToArray(), ct);
    }

    private string Insert(WriteSession session, Caller caller, Dictionary<string, object?> given)
    {
        var subject = (string?)given.GetValueOrDefault("object_uuid");
        var row = new Row(RecordTypes.Logs)
        {
            ["uuid"] = catalog.Uuids.Create(RecordTypes.Logs),
            ["owner_uuid"] = caller.IsAdmin ? given.GetValueOrDefault("owner_uuid") ?? caller.UserUuid : caller.UserUuid,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
            ["object_uuid"] = subject,
            ["object_owner_uuid"] = OwnerOf(session, subject),
            ["event_at"] = given.GetValueOrDefault("event_at") ?? session.NowText,
            ["event_type"] = given.GetValueOrDefault("event_type"),
            ["summary"] = given.GetValueOrDefault("summary"),
            ["properties"] = given.GetValueOrDefault("properties") ?? "{}",
            ["origin"] = AuditLog.Origin(caller),
        };
        RecordStore.Insert(session, row);
        return row.Uuid;
    }

    // Looked up, not taken from the client: it decides who may read the record.
    private static object? OwnerOf(WriteSession session, string? uuid) =>
        RecordTypes.OfUuid(uuid) is { } type ? session.Scalar($"SELECT owner_uuid FROM {type.Table} WHERE uuid = @p0", uuid) : null;
}
