using KeepFs.Catalog.Collections;
using KeepFs.Catalog.Links;
using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Groups;

/// <summary>Creates and changes projects, filter groups and roles (catalog-api.md 10). Safe for concurrent use.</summary>
internal sealed class GroupWriter(CatalogContext catalog)
{
    public Task<string> CreateAsync(Caller caller, AttributeSet attributes, bool ensureUniqueName, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        var given = attributes.Decode(RecordTypes.Groups);
        return catalog.Database.WriteAsync(session => Insert(session, caller, given, ensureUniqueName), ct);
    }

    public Task<bool> UpdateAsync(Caller caller, string uuid, AttributeSet attributes, bool includeTrash, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        var given = attributes.Decode(RecordTypes.Groups);
        return catalog.Database.WriteAsync(
            session =>
            {
                var before = FindWritable(session, caller, uuid, includeTrash);
                var after = before.Clone();
                SetAttributes(session, caller, before, after, given);
                Save(session, caller, before, after, TrashState.Of(before).With(given, session.Now, catalog.Config.Collections), ensureUniqueName: false);
                return true;
            },
            ct);
    }

    public Task<bool> ChangeTrashAsync(Caller caller, string uuid, Func<TrashState, DateTimeOffset, TrashState> change, bool ensureUniqueName, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        if (catalog.Uuids.IsWellKnown(uuid))
        {
            throw ApiException.Forbidden($"{uuid} cannot be trashed or deleted");
        }

        return catalog.Database.WriteAsync(
            session =>
            {
                var before = FindWritable(session, caller, uuid, includeTrash: true);
                RequireNotFrozenItself(before);
                Save(session, caller, before, before.Clone(), change(TrashState.Of(before), session.Now), ensureUniqueName);
                return true;
            },
            ct);
    }

    private static Row FindWritable(WriteSession session, Caller caller, string uuid, bool includeTrash)
    {
        var row = RecordStore.FindVisible(session, Projection.Default(RecordTypes.Groups), uuid, caller, includeTrash) ?? throw ApiException.NotFound();
        Ownership.RequireLevel(session, caller, row, row.Text("group_class") == "role" ? AccessLevel.Manage : AccessLevel.Write);
        return row;
    }

    private static void RequireNotFrozenItself(Row group)
    {
        if (group.Text("frozen_by_uuid") is not null)
        {
            throw ApiException.Forbidden($"{group.Uuid} is frozen");
        }
    }

    private string Insert(WriteSession session, Caller caller, Dictionary<string, object?> given, bool ensureUniqueName)
    {
        var groupClass = (string?)given.GetValueOrDefault("group_class");
        if (groupClass is not ("project" or "filter" or "role"))
        {
            throw ApiException.Invalid("group_class must be 'project', 'filter' or 'role'");
        }

        var isRole = groupClass == "role";
        var owner = isRole ? catalog.Uuids.SystemUser : (string?)given.GetValueOrDefault("owner_uuid") ?? caller.UserUuid;
        if (!isRole)
        {
            Ownership.RequireWritableOwner(session, caller, owner);
        }

        if (given.GetValueOrDefault("frozen_by_uuid") is not null)
        {
            throw ApiException.Invalid("a project can be frozen only after it was created");
        }

        var uuid = NewUuid(session, caller, given);
        var name = (string?)given.GetValueOrDefault("name") ?? uuid;
        RequireValidName(groupClass, name);
        var row = new Row(RecordTypes.Groups)
        {
            ["uuid"] = uuid,
            ["owner_uuid"] = owner,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
            ["name"] = UniqueNames.Resolve(session, RecordTypes.Groups, uuid, owner, name, ensureUniqueName),
            ["group_class"] = groupClass,
            ["description"] = given.GetValueOrDefault("description"),
            ["properties"] = given.GetValueOrDefault("properties") ?? "{}",
        };
        Set(row, TrashState.None.With(given, session.Now, catalog.Config.Collections));
        RecordStore.Insert(session, row);
        PermissionGraph.AddGroup(session, uuid, owner);
        if (row.Text("trash_at") is not null)
        {
            PermissionGraph.RefreshTrashAndFrozen(session);
        }

        if (isRole && !caller.IsSystem)
        {
            PermissionLinks.Insert(session, catalog.Uuids, caller, caller.UserUuid, uuid, "can_manage", "{}");
        }

        AuditLog.Append(session, catalog.Uuids, caller, before: null, row);
        return uuid;
    }

    private string NewUuid(WriteSession session, Caller caller, Dictionary<string, object?> given)
    {
        if (given.GetValueOrDefault("uuid") is not string uuid)
        {
            return catalog.Uuids.Create(RecordTypes.Groups);
        }

        return caller.IsAdmin && Uuids.IsGroup(uuid) && !RecordStore.Exists(session, RecordTypes.Groups, uuid)
            ? uuid
            : throw ApiException.Invalid($"uuid {uuid} cannot be used for a new group");
    }

    private void SetAttributes(WriteSession session, Caller caller, Row before, Row after, Dictionary<string, object?> given)
    {
        foreach (var fixedName in new[] { "uuid", "group_class" })
        {
            if (given.TryGetValue(fixedName, out var value) && !Equals(value, before[fixedName]))
            {
                throw ApiException.Invalid($"{fixedName} cannot be changed");
            }
        }

        if (given.TryGetValue("name", out var name))
        {
            after["name"] = name ?? before.Uuid;
            RequireValidName(before.Text("group_class")!, after.Text("name")!);
        }

        if (given.TryGetValue("description", out var description))
        {
            after["description"] = description;
        }

        if (given.TryGetValue("properties", out var properties))
        {
            after["properties"] = properties ?? "{}";
        }

        if (given.GetValueOrDefault("owner_uuid") is string owner && owner != before.Text("owner_uuid"))
        {
            if (before.Text("group_class") == "role")
            {
                throw ApiException.Invalid("the owner of a role cannot be changed");
            }

            Ownership.RequireWritableOwner(session, caller, owner);
            Ownership.RequireNoCycle(session, before.Uuid, owner);
            after["owner_uuid"] = owner;
        }

        if (given.TryGetValue("frozen_by_uuid", out var frozen) && !Equals(frozen, before["frozen_by_uuid"]))
        {
            SetFrozen(session, caller, before, after, (string?)frozen);
        }
    }

    private static void SetFrozen(WriteSession session, Caller caller, Row before, Row after, string? frozenBy)
    {
        if (before.Text("group_class") != "project" || (frozenBy is not null && frozenBy != caller.UserUuid))
        {
            throw ApiException.Invalid("frozen_by_uuid can only be set on a project, to the caller's own uuid, or cleared");
        }

        Ownership.RequireLevel(session, caller, before, AccessLevel.Manage);
        after["frozen_by_uuid"] = frozenBy;
    }

    private void Save(WriteSession session, Caller caller, Row before, Row after, TrashState trash, bool ensureUniqueName)
    {
        var isRole = before.Text("group_class") == "role";
        var wasTrashed = before.Flag("is_trashed");
        Set(after, isRole && trash.IsTrashed && !wasTrashed ? trash with { DeleteAt = trash.TrashAt } : trash);
        var isUnfrozen = before.Text("frozen_by_uuid") is not null && after.Text("frozen_by_uuid") is null;
        Ownership.RequireNotFrozen(session, before.Text("owner_uuid"));
        if (!trash.IsTrashed && (wasTrashed || !Equals(before["name"], after["name"]) || !Equals(before["owner_uuid"], after["owner_uuid"])))
        {
            after["name"] = UniqueNames.Resolve(session, RecordTypes.Groups, before.Uuid, after.Text("owner_uuid")!, after.Text("name"), ensureUniqueName);
        }

        var changes = after.Values
            .Where(pair => RecordTypes.Groups.Find(pair.Key) is { IsDerived: false } && !Row.SameValue(pair.Value, before[pair.Key]))
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        if (changes.Count == 0)
        {
            return;
        }

        if (before.Text("frozen_by_uuid") is not null && !isUnfrozen)
        {
            RequireNotFrozenItself(before);
        }

        changes["modified_at"] = after["modified_at"] = session.NowText;
        changes["modified_by_user_uuid"] = after["modified_by_user_uuid"] = caller.UserUuid;
        var through = PermissionGraph.UsersThrough(session, before.Uuid);
        RecordStore.Update(session, RecordTypes.Groups, before.Uuid, changes);
        RefreshGraph(session, before, after, changes, through, isRole && trash.IsTrashed && !wasTrashed);
        if (!Equals(before["owner_uuid"], after["owner_uuid"]))
        {
            QuotaCheck.RequireMove(session, catalog, caller, before.Uuid, before.Text("owner_uuid")!, after.Text("owner_uuid")!);
        }

        AuditLog.Append(session, catalog.Uuids, caller, before, after);
    }

    private static void RefreshGraph(WriteSession session, Row before, Row after, Dictionary<string, object?> changes, List<string> through, bool trashesRole)
    {
        if (trashesRole)
        {
            session.Execute("DELETE FROM links WHERE link_class = 'permission' AND tail_uuid = @p0", before.Uuid);
        }

        if (changes.ContainsKey("owner_uuid") || trashesRole)
        {
            PermissionGraph.RefreshUsers(session, [.. through, .. PermissionGraph.UsersThrough(session, after.Text("owner_uuid"))]);
        }

        if (changes.ContainsKey("owner_uuid") || changes.ContainsKey("trash_at") || changes.ContainsKey("frozen_by_uuid"))
        {
            PermissionGraph.RefreshTrashAndFrozen(session);
        }
    }

    private void RequireValidName(string groupClass, string name)
    {
        if (groupClass != "role")
        {
            UniqueNames.RequireValid(name, catalog.Config.Collections.ForwardSlashNameSubstitution);
        }
    }

    private static void Set(Row row, TrashState trash)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        trash.CopyTo(values);
        foreach (var (name, value) in values)
        {
            row[name] = value;
        }
    }
}
