using KeepFs.Catalog.Links;
using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Users;

/// <summary>Creates and changes users (catalog-api.md 9). Admins do everything; users change their own preferences. Safe for concurrent use.</summary>
internal sealed class UserWriter(CatalogContext catalog)
{
    private static readonly HashSet<string> OwnAttributes = new(StringComparer.Ordinal) { "prefs", "first_name", "last_name" };

    public Task<string> CreateAsync(Caller caller, AttributeSet attributes, CancellationToken ct)
    {
        if (!caller.IsAdmin)
        {
            throw ApiException.Forbidden("only an admin may create users");
        }

        var given = attributes.Decode(RecordTypes.Users);
        return catalog.Database.WriteAsync(session => Insert(session, caller, given), ct);
    }

    public Task<bool> UpdateAsync(Caller caller, string uuid, AttributeSet attributes, CancellationToken ct)
    {
        var given = attributes.Decode(RecordTypes.Users);
        return catalog.Database.WriteAsync(
            session =>
            {
                var before = RecordStore.FindVisible(session, Projection.Default(RecordTypes.Users), uuid, caller, includeTrash: false) ?? throw ApiException.NotFound();
                Update(session, caller, before, given);
                return true;
            },
            ct);
    }

    public Task<bool> DeleteAsync(Caller caller, string uuid, CancellationToken ct)
    {
        if (!caller.IsAdmin || catalog.Uuids.IsWellKnown(uuid))
        {
            throw ApiException.Forbidden($"user {uuid} cannot be deleted");
        }

        return catalog.Database.WriteAsync(
            session =>
            {
                var user = RecordStore.Find(session, RecordTypes.Users, uuid) ?? throw ApiException.NotFound();
                if (session.Scalar("SELECT 1 FROM collections WHERE owner_uuid = @p0 UNION ALL SELECT 1 FROM groups WHERE owner_uuid = @p0 LIMIT 1", uuid) is not null)
                {
                    throw ApiException.Invalid($"user {uuid} still owns collections or projects; move or delete them first, or set is_active to false");
                }

                session.Execute("DELETE FROM api_client_authorizations WHERE owner_uuid = @p0", uuid);
                session.Execute("DELETE FROM links WHERE tail_uuid = @p0 OR head_uuid = @p0 OR owner_uuid = @p0", uuid);
                session.Execute("DELETE FROM reachable WHERE user_uuid = @p0 OR target_uuid = @p0", uuid);
                session.Execute("DELETE FROM quotas WHERE uuid = @p0", uuid);
                RecordStore.Delete(session, RecordTypes.Users, uuid);
                AuditLog.Append(session, catalog.Uuids, caller, user, after: null);
                return true;
            },
            ct);
    }

    /// <summary>Inserts a user, makes it a member of the all-users role when active, and returns its UUID.</summary>
    public string Insert(WriteSession session, Caller caller, Dictionary<string, object?> given)
    {
        var uuid = (string?)given.GetValueOrDefault("uuid") ?? catalog.Uuids.Create(RecordTypes.Users);
        if (!Uuids.IsUser(uuid) || RecordStore.Exists(session, RecordTypes.Users, uuid))
        {
            throw ApiException.Invalid($"uuid {uuid} cannot be used for a new user");
        }

        var row = new Row(RecordTypes.Users)
        {
            ["uuid"] = uuid,
            ["owner_uuid"] = catalog.Uuids.SystemUser,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
            ["email"] = given.GetValueOrDefault("email"),
            ["username"] = given.GetValueOrDefault("username"),
            ["first_name"] = given.GetValueOrDefault("first_name"),
            ["last_name"] = given.GetValueOrDefault("last_name"),
            ["identity_url"] = given.GetValueOrDefault("identity_url"),
            ["is_active"] = given.GetValueOrDefault("is_active") ?? 1L,
            ["is_admin"] = given.GetValueOrDefault("is_admin") ?? 0L,
            ["prefs"] = given.GetValueOrDefault("prefs") ?? "{}",
        };
        row["full_name"] = FullName(row);
        RequireFreeUsername(session, row);
        RecordStore.Insert(session, row);
        PermissionGraph.RefreshUser(session, uuid);
        SetMembership(session, caller, row);
        AuditLog.Append(session, catalog.Uuids, caller, before: null, row);
        return uuid;
    }

    /// <summary>The user of that name, made if absent, and made active and admin if it is not.</summary>
    public string Ensure(WriteSession session, Caller system, string username, bool admin)
    {
        if (session.Scalar("SELECT uuid FROM users WHERE username = @p0", username) is not string uuid)
        {
            return Insert(session, system, new Dictionary<string, object?> { ["username"] = username, ["first_name"] = username, ["is_admin"] = admin ? 1L : 0L });
        }

        var given = new Dictionary<string, object?> { ["is_active"] = 1L };
        if (admin)
        {
            given["is_admin"] = 1L;
        }

        Update(session, system, RecordStore.Find(session, RecordTypes.Users, uuid)!, given);
        return uuid;
    }

    private void Update(WriteSession session, Caller caller, Row before, Dictionary<string, object?> given)
    {
        if (!caller.IsAdmin && (caller.UserUuid != before.Uuid || given.Any(pair => !OwnAttributes.Contains(pair.Key) && !Equals(pair.Value, before[pair.Key]))))
        {
            throw ApiException.Forbidden("only an admin may change that");
        }

        if (given.TryGetValue("uuid", out var uuid) && !Equals(uuid, before.Uuid))
        {
            throw ApiException.Invalid("uuid cannot be changed");
        }

        given.Remove("owner_uuid");
        var after = before.Clone();
        foreach (var (name, value) in given)
        {
            after[name] = name switch
            {
                "prefs" => value ?? "{}",
                "is_active" or "is_admin" => value ?? 0L,
                _ => value,
            };
        }

        after["full_name"] = FullName(after);
        RequireFreeUsername(session, after);
        var changes = given.Keys.Append("full_name").Where(name => !Equals(before[name], after[name])).ToDictionary(name => name, name => after[name], StringComparer.Ordinal);
        if (changes.Count == 0)
        {
            return;
        }

        changes["modified_at"] = after["modified_at"] = session.NowText;
        changes["modified_by_user_uuid"] = after["modified_by_user_uuid"] = caller.UserUuid;
        RecordStore.Update(session, RecordTypes.Users, before.Uuid, changes);
        if (changes.ContainsKey("is_active"))
        {
            SetMembership(session, caller, after);
        }

        AuditLog.Append(session, catalog.Uuids, caller, before, after);
    }

    // can_write, so that what is shared with all users at a level is theirs at that level; the role itself needs can_manage to change.
    private void SetMembership(WriteSession session, Caller caller, Row user)
    {
        if (user.Flag("is_active"))
        {
            PermissionLinks.Insert(session, catalog.Uuids, caller, user.Uuid, catalog.Uuids.AllUsersRole, "can_write", "{}");
            return;
        }

        session.Execute("DELETE FROM links WHERE link_class = 'permission' AND tail_uuid = @p0 AND head_uuid = @p1", user.Uuid, catalog.Uuids.AllUsersRole);
        PermissionGraph.RefreshUser(session, user.Uuid);
    }

    private static string FullName(Row row) => $"{row.Text("first_name")} {row.Text("last_name")}".Trim();

    private static void RequireFreeUsername(WriteSession session, Row user)
    {
        if (user.Text("username") is { } name && session.Scalar("SELECT 1 FROM users WHERE username = @p0 AND uuid <> @p1", name, user.Uuid) is not null)
        {
            throw ApiException.Invalid($"duplicate key value violates unique constraint: username '{name}' is taken");
        }
    }
}
