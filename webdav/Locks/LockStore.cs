using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.Locks;

/// <summary>
/// Where the locks of a collection are: in our catalogue, so that all servers agree, or, when the catalogue keeps none, in this process. A collection that
/// the catalogue says has no locks costs no request. Safe for concurrent use.
/// </summary>
internal sealed class LockStore(LockTable local)
{
    private const char LockFlag = 'l';

    /// <summary>The locks in a collection.</summary>
    public async ValueTask<IReadOnlyList<DavLock>> ListAsync(Session session, OpenCollection collection, CancellationToken cancellationToken) =>
        collection.IsReadOnly ? []
        : collection.Record.DavState is not { } state ? local.In(collection.Record.Uuid)
        : state.Contains(LockFlag, StringComparison.Ordinal) ? await session.Dav.ListLocksAsync(collection.Record.Uuid, cancellationToken)
        : [];

    /// <summary>The locks on whole collections of a project; none where the token may not ask.</summary>
    public static async Task<IReadOnlyList<DavLock>> ListOfOwnerAsync(Session session, string ownerUuid, CancellationToken cancellationToken)
    {
        try
        {
            return await session.Dav.ListLocksOfOwnerAsync(ownerUuid, cancellationToken);
        }
        catch (CatalogException e) when (e.Kind == CatalogErrorKind.Forbidden)
        {
            return [];
        }
    }

    /// <summary>Adds a lock; <see cref="CatalogErrorKind.Locked"/> when another one is in the way.</summary>
    /// <param name="session">Who locks.</param>
    /// <param name="collection">Where.</param>
    /// <param name="wish">The lock.</param>
    /// <param name="createsWithTokens">See <see cref="DavLockRequest.CreatesWithTokens"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<DavLock> AddAsync(
        Session session, OpenCollection collection, DavLock wish, IReadOnlyList<string>? createsWithTokens, CancellationToken cancellationToken) =>
        collection.Record.DavState is null ? local.Add(wish, await HolderAsync(session, cancellationToken))
        : await session.Dav.AddLockAsync(new DavLockRequest { Lock = wish, CreatesWithTokens = createsWithTokens }, cancellationToken);

    /// <summary>Null when the user has no such lock that covers the path.</summary>
    public async Task<DavLock?> RefreshAsync(Session session, OpenCollection collection, DavLock wanted, CancellationToken cancellationToken) =>
        collection.Record.DavState is null ? local.Refresh(wanted, await HolderAsync(session, cancellationToken))
        : await session.Dav.RefreshLockAsync(wanted, cancellationToken);

    /// <summary>Null when there is no such lock that covers the path.</summary>
    public async Task<DavLock?> RemoveAsync(Session session, OpenCollection collection, DavLock ended, CancellationToken cancellationToken) =>
        collection.Record.DavState is null ? local.Remove(ended, await HolderAsync(session, cancellationToken))
        : await session.Dav.RemoveLockAsync(ended, cancellationToken);

    /// <summary>The place is gone, and its locks with it; our catalogue does that by itself.</summary>
    public void Forget(Place gone)
    {
        if (gone is CollectionPlace { Collection.Record: { DavState: null } record } inside)
        {
            local.RemoveTree(record.Uuid, inside.Path);
        }
    }

    /// <summary>Who holds the locks that this session takes.</summary>
    public static async ValueTask<string> HolderAsync(Session session, CancellationToken cancellationToken) => (await session.GetUserAsync(cancellationToken)).Uuid;
}
