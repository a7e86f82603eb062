using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Collections;

/// <content>The calls trash, untrash and DELETE (catalog-api.md 6); they find trashed records too.</content>
internal sealed partial class CollectionWriter
{
    public Task TrashAsync(Caller caller, string uuid, CancellationToken ct) =>
        ChangeTrashAsync(caller, uuid, static (state, now, config) => state.Trash(now, config), ensureUniqueName: false, ct);

    public Task DeleteAsync(Caller caller, string uuid, CancellationToken ct) =>
        ChangeTrashAsync(caller, uuid, static (state, now, config) => state.Delete(now, config), ensureUniqueName: false, ct);

    public Task UntrashAsync(Caller caller, string uuid, bool ensureUniqueName, CancellationToken ct) =>
        ChangeTrashAsync(caller, uuid, static (state, now, _) => state.Untrash(now), ensureUniqueName, ct);

    private Task<bool> ChangeTrashAsync(
        Caller caller, string uuid, Func<TrashState, DateTimeOffset, Hosting.Configuration.CollectionsConfig, TrashState> change, bool ensureUniqueName, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        return catalog.Database.WriteAsync(
            session =>
            {
                var row = FindWritable(session, caller, uuid, includeTrash: true, withManifest: false);
                Save(session, caller, row, row.Clone(), change(TrashState.Of(row), session.Now, catalog.Config.Collections), preserve: false, ensureUniqueName);
                DavLocks.RemoveAll(session, uuid);
                return true;
            },
            ct);
    }

    /// <summary>Makes way, in the same transaction, for a collection that takes this one's name (COPY or MOVE onto it).</summary>
    private void Replace(WriteSession session, Caller caller, string taker, Engine.Catalog.DavChange? dav)
    {
        if (dav?.Replaces is not { } uuid)
        {
            return;
        }

        if (uuid == taker)
        {
            throw ApiException.BadRequest("keepfs_dav: a collection cannot replace itself");
        }

        var row = FindWritable(session, caller, uuid, includeTrash: false, withManifest: false);
        DavLocks.RemoveAll(session, uuid);
        Save(session, caller, row, row.Clone(), TrashState.Of(row).Delete(session.Now, catalog.Config.Collections), preserve: false, ensureUniqueName: false);
    }
}
