using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.References;

namespace KeepFs.Catalog.Storage;

/// <summary>Removes what is due and marks what has expired (catalog-api.md 6). Each step is one short write.</summary>
internal static class TrashSweep
{
    // Bounds how long other writes wait behind the sweep.
    private const long Batch = 500;

    /// <summary>Does one portion; returns true when there may be more.</summary>
    public static bool Step(WriteSession session, Uuids uuids, DateTimeOffset keepLogsSince)
    {
        var now = session.NowText;
        var groups = session.Strings("SELECT uuid FROM groups WHERE delete_at < @p0 LIMIT @p1", now, Batch);
        foreach (var group in groups)
        {
            DeleteTree(session, uuids, group);
        }

        var collections = session.Strings("SELECT uuid FROM collections WHERE delete_at < @p0 LIMIT @p1", now, Batch);
        foreach (var collection in collections)
        {
            Delete(session, uuids, RecordTypes.Collections, collection);
        }

        OwnerUsage.Trashing(session, now);
        session.Execute("UPDATE collections SET is_trashed = 1, revision = revision + 1 WHERE is_trashed = 0 AND trash_at < @p0", now);
        session.Execute("UPDATE groups SET is_trashed = 1, revision = revision + 1 WHERE is_trashed = 0 AND trash_at < @p0", now);
        DavLocks.RemoveExpired(session);
        session.Execute("DELETE FROM api_client_authorizations WHERE expires_at < @p0", now);
        var logs = session.Execute(
            "DELETE FROM logs WHERE id IN (SELECT id FROM logs WHERE created_at < @p0 AND event_type IN ('create', 'update', 'delete') LIMIT @p1)",
            Timestamp.Format(keepLogsSince), Batch);
        return groups.Count == Batch || collections.Count == Batch || logs == Batch;
    }

    /// <summary>A group with everything that it owns, however deep.</summary>
    private static void DeleteTree(WriteSession session, Uuids uuids, string root)
    {
        var inside = session.Strings(OwnerTree.Inside(session.Dialect, "@p0"), root);
        // Those too to whom only something inside was shared.
        var users = inside.SelectMany(group => PermissionGraph.UsersThrough(session, group)).ToList();
        foreach (var group in inside)
        {
            foreach (var collection in session.Strings("SELECT uuid FROM collections WHERE owner_uuid = @p0", group))
            {
                Delete(session, uuids, RecordTypes.Collections, collection);
            }

            session.Execute("DELETE FROM links WHERE owner_uuid = @p0", group);
            Delete(session, uuids, RecordTypes.Groups, group);
        }

        PermissionGraph.RefreshUsers(session, users);
        PermissionGraph.RefreshTrashAndFrozen(session);
    }

    /// <summary>A record with all that hangs on it, at once.</summary>
    public static void Delete(WriteSession session, Uuids uuids, RecordType type, string uuid)
    {
        // Past versions go with their main record; they are no objects of their own to anybody.
        var columns = string.Join(", ", type.StoredColumns.Where(column => column is { IsHidden: false, Kind: not ColumnKind.Manifest }).Select(column => column.Name));
        var row = session.Rows(session.Sql($"SELECT {columns} FROM {type.Table} WHERE uuid = ").Value(uuid), type).SingleOrDefault();
        if (row is null)
        {
            return;
        }

        session.Execute("DELETE FROM links WHERE head_uuid = @p0 OR tail_uuid = @p0", uuid);
        session.Execute("DELETE FROM reachable WHERE target_uuid = @p0", uuid);
        DavLocks.RemoveAll(session, uuid);
        DavProperties.RemoveAll(session, uuid);
        if (type == RecordTypes.Collections)
        {
            BlockReferences.Deleting(session, uuid);
        }

        RecordStore.Delete(session, type, uuid);
        if (type == RecordTypes.Groups)
        {
            session.Execute("DELETE FROM quotas WHERE uuid = @p0", uuid);
        }
        else if (type == RecordTypes.Collections && row.Text("current_version_uuid") == uuid)
        {
            OwnerUsage.Changed(session, row, after: null);
        }

        if (type != RecordTypes.Collections || row.Text("current_version_uuid") == uuid)
        {
            AuditLog.Append(session, uuids, uuids.SystemUser, origin: null, row, after: null);
        }
    }
}
