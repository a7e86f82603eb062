using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Links;

/// <summary>Creates, changes and deletes links (catalog-api.md 11). Safe for concurrent use.</summary>
internal sealed class LinkWriter(CatalogContext catalog)
{
    public Task<string> CreateAsync(Caller caller, AttributeSet attributes, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        var given = attributes.Decode(RecordTypes.Links);
        if (given.GetValueOrDefault("link_class") is not string linkClass)
        {
            throw ApiException.Invalid("link_class must be given");
        }

        if (linkClass == "name")
        {
            throw ApiException.Invalid("links of class 'name' are obsolete");
        }

        return catalog.Database.WriteAsync(
            session => linkClass == "permission" ? CreatePermission(session, caller, given) : CreateOther(session, caller, given), ct);
    }

    public Task<bool> UpdateAsync(Caller caller, string uuid, AttributeSet attributes, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        var given = attributes.Decode(RecordTypes.Links);
        return catalog.Database.WriteAsync(
            session =>
            {
                Update(session, caller, FindWritable(session, caller, uuid), given);
                return true;
            },
            ct);
    }

    public Task<bool> DeleteAsync(Caller caller, string uuid, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        return catalog.Database.WriteAsync(
            session =>
            {
                var link = FindWritable(session, caller, uuid);
                RecordStore.Delete(session, RecordTypes.Links, uuid);
                if (link.Text("link_class") == "permission")
                {
                    PermissionGraph.ChangeLink(session, link.Text("tail_uuid")!, link.Text("head_uuid")!);
                }

                AuditLog.Append(session, catalog.Uuids, caller, link, after: null);
                return true;
            },
            ct);
    }

    /// <summary>The object at the head, if the caller sees it and may manage it; 403 otherwise.</summary>
    public static Row RequireManagedHead(CatalogSession session, Caller caller, string? head)
    {
        var type = RecordTypes.OfUuid(head);
        var row = type is null ? null : RecordStore.FindVisible(session, Projection.Default(type, inList: true), head!, caller, includeTrash: true);
        if (row is null)
        {
            throw ApiException.Forbidden($"{head} does not exist or is not readable");
        }

        Ownership.RequireLevel(session, caller, row, AccessLevel.Manage);
        return row;
    }

    private string CreatePermission(WriteSession session, Caller caller, Dictionary<string, object?> given)
    {
        var (tail, head) = ((string?)given.GetValueOrDefault("tail_uuid"), (string?)given.GetValueOrDefault("head_uuid"));
        var name = RequirePermissionName(given.GetValueOrDefault("name"));
        var headRow = RequireManagedHead(session, caller, head);
        if (headRow.Type == RecordTypes.Collections && headRow.Text("current_version_uuid") != head)
        {
            throw ApiException.Invalid("a past version of a collection cannot be shared");
        }

        RequireTail(session, caller, tail);
        return PermissionLinks.Insert(session, catalog.Uuids, caller, tail!, head!, name, (string?)given.GetValueOrDefault("properties") ?? "{}");
    }

    private static void RequireTail(WriteSession session, Caller caller, string? tail)
    {
        var type = Uuids.IsUser(tail) ? RecordTypes.Users : Uuids.IsGroup(tail) ? RecordTypes.Groups : throw ApiException.Invalid("tail_uuid must be a user or a role");
        var row = tail == caller.UserUuid
            ? RecordStore.Find(session, type, tail!)
            : RecordStore.FindVisible(session, Projection.Default(type, inList: true), tail!, caller, includeTrash: false);
        if (row is null)
        {
            throw ApiException.Invalid($"tail_uuid {tail} does not exist or is not readable");
        }

        if (type == RecordTypes.Groups && row.Text("group_class") != "role")
        {
            throw ApiException.Invalid("tail_uuid must be a user or a role");
        }
    }

    private static string RequirePermissionName(object? name) => name is string given && (PermissionLinks.IsLevel(given) || given == "can_login")
        ? given
        : throw ApiException.Invalid("name of a permission link must be can_read, can_write, can_manage or can_login");

    private string CreateOther(WriteSession session, Caller caller, Dictionary<string, object?> given)
    {
        var owner = (string?)given.GetValueOrDefault("owner_uuid") ?? caller.UserUuid;
        Ownership.RequireWritableOwner(session, caller, owner);
        var row = new Row(RecordTypes.Links)
        {
            ["uuid"] = catalog.Uuids.Create(RecordTypes.Links),
            ["owner_uuid"] = owner,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
            ["tail_uuid"] = given.GetValueOrDefault("tail_uuid"),
            ["head_uuid"] = given.GetValueOrDefault("head_uuid"),
            ["link_class"] = given["link_class"],
            ["name"] = given.GetValueOrDefault("name"),
            ["properties"] = given.GetValueOrDefault("properties") ?? "{}",
        };
        RecordStore.Insert(session, row);
        AuditLog.Append(session, catalog.Uuids, caller, before: null, row);
        return row.Uuid;
    }

    private static Row FindWritable(WriteSession session, Caller caller, string uuid)
    {
        var link = RecordStore.FindVisible(session, Projection.Default(RecordTypes.Links), uuid, caller, includeTrash: false) ?? throw ApiException.NotFound();
        if (link.Text("link_class") == "permission")
        {
            RequireManagedHead(session, caller, link.Text("head_uuid"));
        }
        else
        {
            Ownership.RequireLevel(session, caller, link, AccessLevel.Write);
        }

        return link;
    }

    private void Update(WriteSession session, Caller caller, Row before, Dictionary<string, object?> given)
    {
        if (before.Text("link_class") == "permission")
        {
            if (given.FirstOrDefault(pair => pair.Key != "name" && !Equals(pair.Value, before[pair.Key])).Key is { } other)
            {
                throw ApiException.Invalid($"only the name of a permission link can be changed, not {other}");
            }

            if (given.TryGetValue("name", out var level) && RequirePermissionName(level) != before.Text("name"))
            {
                PermissionLinks.Rename(session, catalog.Uuids, caller, before, (string)level!);
            }

            return;
        }

        if (given.GetValueOrDefault("link_class") is "permission" or "name" || (given.TryGetValue("uuid", out var uuid) && !Equals(uuid, before.Uuid)))
        {
            throw ApiException.Invalid("link_class and uuid cannot be changed to that");
        }

        var after = before.Clone();
        foreach (var (name, value) in given)
        {
            after[name] = name == "properties" ? value ?? "{}" : name is "owner_uuid" or "link_class" ? value ?? before[name] : value;
        }

        if (!Equals(before["owner_uuid"], after["owner_uuid"]))
        {
            Ownership.RequireWritableOwner(session, caller, after.Text("owner_uuid")!);
        }

        var changes = given.Keys.Where(name => !Equals(before[name], after[name])).ToDictionary(name => name, name => after[name], StringComparer.Ordinal);
        if (changes.Count > 0)
        {
            changes["modified_at"] = after["modified_at"] = session.NowText;
            changes["modified_by_user_uuid"] = after["modified_by_user_uuid"] = caller.UserUuid;
            RecordStore.Update(session, RecordTypes.Links, before.Uuid, changes);
            AuditLog.Append(session, catalog.Uuids, caller, before, after);
        }
    }
}
