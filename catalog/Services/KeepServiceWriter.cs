using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Services;

/// <summary>Registers, changes and removes keep services; admins only (catalog-api.md 7). Safe for concurrent use.</summary>
internal sealed class KeepServiceWriter(CatalogContext catalog)
{
    public Task<string> CreateAsync(Caller caller, AttributeSet attributes, CancellationToken ct)
    {
        RequireAdmin(caller);
        var given = attributes.Decode(RecordTypes.KeepServices);
        return catalog.Database.WriteAsync(
            session =>
            {
                session.Execute("DELETE FROM keep_services WHERE from_config = 1");
                var uuid = (string?)given.GetValueOrDefault("uuid") ?? catalog.Uuids.Create(RecordTypes.KeepServices);
                if (Uuids.Infix(uuid) != RecordTypes.KeepServices.Infix || RecordStore.Exists(session, RecordTypes.KeepServices, uuid))
                {
                    throw ApiException.Invalid($"uuid {uuid} cannot be used for a new keep service");
                }

                var row = new Row(RecordTypes.KeepServices)
                {
                    ["uuid"] = uuid,
                    ["owner_uuid"] = given.GetValueOrDefault("owner_uuid") ?? caller.UserUuid,
                    ["created_at"] = session.NowText,
                    ["modified_at"] = session.NowText,
                    ["modified_by_user_uuid"] = caller.UserUuid,
                    ["service_host"] = given.GetValueOrDefault("service_host"),
                    ["service_port"] = given.GetValueOrDefault("service_port"),
                    ["service_ssl_flag"] = given.GetValueOrDefault("service_ssl_flag") ?? 0L,
                    ["service_type"] = given.GetValueOrDefault("service_type") ?? "disk",
                    ["read_only"] = given.GetValueOrDefault("read_only") ?? 0L,
                };
                RecordStore.Insert(session, row);
                AuditLog.Append(session, catalog.Uuids, caller, before: null, row);
                return uuid;
            },
            ct);
    }

    public Task<bool> UpdateAsync(Caller caller, string uuid, AttributeSet attributes, CancellationToken ct)
    {
        RequireAdmin(caller);
        var given = attributes.Decode(RecordTypes.KeepServices);
        return catalog.Database.WriteAsync(
            session =>
            {
                var before = Find(session, uuid);
                if (given.TryGetValue("uuid", out var other) && !Equals(other, uuid))
                {
                    throw ApiException.Invalid("uuid cannot be changed");
                }

                var after = before.Clone();
                foreach (var (name, value) in given)
                {
                    after[name] = name switch
                    {
                        "service_ssl_flag" or "read_only" => value ?? 0L,
                        "service_type" => value ?? "disk",
                        "owner_uuid" => value ?? before["owner_uuid"],
                        _ => value,
                    };
                }

                var changes = given.Keys.Where(name => !Equals(before[name], after[name])).ToDictionary(name => name, name => after[name], StringComparer.Ordinal);
                if (changes.Count > 0)
                {
                    changes["modified_at"] = after["modified_at"] = session.NowText;
                    changes["modified_by_user_uuid"] = after["modified_by_user_uuid"] = caller.UserUuid;
                    RecordStore.Update(session, RecordTypes.KeepServices, uuid, changes);
                    // What an admin has changed is registered from now on.
                    session.Execute("UPDATE keep_services SET from_config = 0 WHERE uuid = @p0", uuid);
                    AuditLog.Append(session, catalog.Uuids, caller, before, after);
                }

                return true;
            },
            ct);
    }

    public Task<bool> DeleteAsync(Caller caller, string uuid, CancellationToken ct)
    {
        RequireAdmin(caller);
        return catalog.Database.WriteAsync(
            session =>
            {
                var row = Find(session, uuid);
                RecordStore.Delete(session, RecordTypes.KeepServices, uuid);
                KeepServices.Synchronise(session, catalog.Config, catalog.Uuids);
                AuditLog.Append(session, catalog.Uuids, caller, row, after: null);
                return true;
            },
            ct);
    }

    private static Row Find(WriteSession session, string uuid) => RecordStore.Find(session, RecordTypes.KeepServices, uuid) ?? throw ApiException.NotFound();

    private static void RequireAdmin(Caller caller)
    {
        if (!caller.IsAdmin)
        {
            throw ApiException.Forbidden("only an admin may change keep services");
        }
    }
}
