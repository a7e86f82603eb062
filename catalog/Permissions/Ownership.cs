using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Permissions;

/// <summary>The rules about owners of catalog-api.md 2.3. Each method throws the answer when its rule is broken.</summary>
internal static class Ownership
{
    /// <summary>Only active users write.</summary>
    public static void RequireActive(Caller caller)
    {
        if (!caller.IsActive)
        {
            throw ApiException.Forbidden("Forbidden: the user is not active");
        }
    }

    /// <summary>An owner into which the caller may put something: a user, or a project that is not trashed and not frozen.</summary>
    public static void RequireWritableOwner(CatalogSession session, Caller caller, string owner)
    {
        if (!Uuids.IsUser(owner) && !Uuids.IsGroup(owner))
        {
            throw ApiException.Invalid($"owner_uuid '{owner}' must be a user or a project");
        }

        var record = RecordStore.Find(session, Uuids.IsUser(owner) ? RecordTypes.Users : RecordTypes.Groups, owner);
        if (record is null)
        {
            throw caller.IsAdmin ? ApiException.Invalid($"owner_uuid '{owner}' does not exist") : ApiException.Forbidden($"no write permission on owner {owner}");
        }

        if (record.Type == RecordTypes.Groups && record.Text("group_class") != "project")
        {
            throw ApiException.Invalid($"owner_uuid '{owner}' must be a user or a project");
        }

        var level = owner == caller.UserUuid ? AccessLevel.Manage : OwnedLevel(session, caller, owner, record.Text("owner_uuid"));
        if (level < AccessLevel.Write)
        {
            throw ApiException.Forbidden($"no write permission on owner {owner}");
        }

        if (record.Type == RecordTypes.Users)
        {
            // Only groups are trashed or frozen.
            return;
        }

        if (session.Scalar("SELECT 1 FROM trashed_groups WHERE group_uuid = @p0 AND trash_at <= @p1", owner, session.NowText) is not null)
        {
            throw ApiException.Invalid($"owner {owner} is trashed");
        }

        RequireNotFrozen(session, owner);
    }

    /// <summary>Nothing inside a frozen project changes, whoever asks.</summary>
    public static void RequireNotFrozen(CatalogSession session, string? group)
    {
        if (group is not null && session.Scalar("SELECT 1 FROM frozen_groups WHERE group_uuid = @p0", group) is not null)
        {
            throw ApiException.Forbidden($"{group} is frozen, or inside a frozen project");
        }
    }

    public static void RequireLevel(CatalogSession session, Caller caller, Row record, AccessLevel least)
    {
        var target = record.Type == RecordTypes.Collections ? record.Text("current_version_uuid")! : record.Uuid;
        if (Access.Level(session, caller, target, record.Text("owner_uuid")) < least)
        {
            throw ApiException.Forbidden($"{(least == AccessLevel.Manage ? "can_manage" : "write")} permission is needed on {record.Uuid}");
        }
    }

    /// <summary>A group must not end up inside itself.</summary>
    public static void RequireNoCycle(CatalogSession session, string group, string newOwner)
    {
        var inside = session.Scalar(
            $"""
            WITH RECURSIVE above(uuid) AS (
                SELECT {session.Dialect.TextOf("@p1")}
                UNION
                SELECT g.owner_uuid FROM above a JOIN groups g ON g.uuid = a.uuid
            )
            SELECT 1 FROM above WHERE uuid = @p0
            """,
            group, newOwner);
        if (inside is not null)
        {
            throw ApiException.Invalid($"ownership cycle: {newOwner} is inside {group}");
        }
    }

    // What counts for things inside an owner is the level over paths that own.
    private static AccessLevel OwnedLevel(CatalogSession session, Caller caller, string owner, string? ownersOwner) =>
        Uuids.IsGroup(owner)
            ? Access.Level(session, caller, owner, ownersOwner)
            : Access.Level(session, caller, "", owner);
}
