using KeepFs.Catalog.Links;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Services;

namespace KeepFs.Catalog.Storage;

/// <summary>The records that every cluster has (catalog-api.md 2.1), made when they are absent.</summary>
internal static class Bootstrap
{
    /// <summary>The system user, for what the server does by itself.</summary>
    public static Caller SystemCaller(Uuids uuids) => new()
    {
        UserUuid = uuids.SystemUser,
        IsAdmin = true,
        IsActive = true,
        IsSystem = true,
        Token = "",
        TokenUuid = uuids.SystemToken,
        TokenSecret = "",
        ActsAs = [uuids.SystemUser],
    };

    public static void Run(WriteSession session, CatalogContext catalog)
    {
        var uuids = catalog.Uuids;
        EnsureUser(session, uuids, uuids.SystemUser, "root", "", isAdmin: true);
        EnsureUser(session, uuids, uuids.AnonymousUser, "Anonymous", "", isAdmin: false);
        EnsureGroup(session, uuids, uuids.SystemGroup, "System group", "role");
        EnsureGroup(session, uuids, uuids.AnonymousRole, "Anonymous users", "role");
        EnsureGroup(session, uuids, uuids.AllUsersRole, "All users", "role");
        EnsureGroup(session, uuids, uuids.PublicProject, "Public favorites", "project");
        var system = SystemCaller(uuids);
        PermissionLinks.Insert(session, uuids, system, uuids.AnonymousUser, uuids.AnonymousRole, "can_read", "{}");
        // Whoever is logged in sees at least what everybody sees.
        PermissionLinks.Insert(session, uuids, system, uuids.AllUsersRole, uuids.AnonymousRole, "can_read", "{}");
        KeepServices.Synchronise(session, catalog.Config, uuids);
    }

    private static void EnsureUser(WriteSession session, Uuids uuids, string uuid, string firstName, string lastName, bool isAdmin)
    {
        if (RecordStore.Exists(session, RecordTypes.Users, uuid))
        {
            return;
        }

        var row = Common(session, uuids, RecordTypes.Users, uuid);
        row["first_name"] = firstName;
        row["last_name"] = lastName;
        row["full_name"] = firstName;
        row["is_active"] = 1L;
        row["is_admin"] = isAdmin ? 1L : 0L;
        RecordStore.Insert(session, row);
        PermissionGraph.RefreshUser(session, uuid);
    }

    private static void EnsureGroup(WriteSession session, Uuids uuids, string uuid, string name, string groupClass)
    {
        if (RecordStore.Exists(session, RecordTypes.Groups, uuid))
        {
            return;
        }

        var row = Common(session, uuids, RecordTypes.Groups, uuid);
        row["name"] = name;
        row["group_class"] = groupClass;
        RecordStore.Insert(session, row);
        PermissionGraph.AddGroup(session, uuid, uuids.SystemUser);
    }

    private static Row Common(WriteSession session, Uuids uuids, RecordType type, string uuid) => new(type)
    {
        ["uuid"] = uuid,
        ["owner_uuid"] = uuids.SystemUser,
        ["created_at"] = session.NowText,
        ["modified_at"] = session.NowText,
        ["modified_by_user_uuid"] = uuids.SystemUser,
    };
}
