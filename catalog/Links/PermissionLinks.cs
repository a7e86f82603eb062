using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Links;

/// <summary>Writes permission links and keeps what users reach equal to them. No permission is checked here.</summary>
internal static class PermissionLinks
{
    public static bool IsLevel(string? name) => name is "can_read" or "can_write" or "can_manage";

    public static int Rank(string? name) => name switch
    {
        "can_manage" => 3,
        "can_write" => 2,
        _ => 1,
    };

    /// <summary>Inserts a link, or raises the existing one of the same pair (catalog-api.md 11); returns its UUID.</summary>
    public static string Insert(WriteSession session, Uuids uuids, Caller caller, string tail, string head, string name, string properties, string? uuid = null)
    {
        var existing = IsLevel(name) ? Find(session, tail, head) : null;
        if (existing is not null)
        {
            if (Rank(name) > Rank(existing.Text("name")))
            {
                Rename(session, uuids, caller, existing, name);
            }

            return existing.Uuid;
        }

        var row = new Row(RecordTypes.Links)
        {
            ["uuid"] = uuid ?? uuids.Create(RecordTypes.Links),
            ["owner_uuid"] = uuids.SystemUser,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
            ["tail_uuid"] = tail,
            ["head_uuid"] = head,
            ["link_class"] = "permission",
            ["name"] = name,
            ["properties"] = properties,
        };
        RecordStore.Insert(session, row);
        PermissionGraph.AddLink(session, tail, head, Rank(name));
        AuditLog.Append(session, uuids, caller, before: null, row);
        return row.Uuid;
    }

    public static void Rename(WriteSession session, Uuids uuids, Caller caller, Row link, string name)
    {
        var after = link.Clone();
        after["name"] = name;
        after["modified_at"] = session.NowText;
        after["modified_by_user_uuid"] = caller.UserUuid;
        RecordStore.Update(session, RecordTypes.Links, link.Uuid, new Dictionary<string, object?>
        {
            ["name"] = name,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
        });
        PermissionGraph.ChangeLink(session, link.Text("tail_uuid")!, link.Text("head_uuid")!);
        AuditLog.Append(session, uuids, caller, link, after);
    }

    private static Row? Find(WriteSession session, string tail, string head) => session.Rows(
        session.Sql("SELECT * FROM links WHERE link_class = 'permission' AND name IN ('can_read', 'can_write', 'can_manage') AND tail_uuid = ").Value(tail)
            .Append(" AND head_uuid = ").Value(head),
        RecordTypes.Links).FirstOrDefault();
}
