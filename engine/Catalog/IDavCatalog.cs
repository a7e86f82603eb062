namespace KeepFs.Engine.Catalog;

/// <summary>
/// Locks, dead properties and quotas of WebDAV as one user sees them (docs/decisions/0029, 0030). Only our own catalogue keeps them:
/// <see cref="Collection.DavState"/> tells. Every call throws <see cref="CatalogException"/> when it fails. Safe for concurrent use.
/// </summary>
public interface IDavCatalog
{
    /// <summary>The locks in a collection.</summary>
    Task<IReadOnlyList<DavLock>> ListLocksAsync(string uuid, CancellationToken cancellationToken);

    /// <summary>The locks on whole collections that a project or user owns.</summary>
    Task<IReadOnlyList<DavLock>> ListLocksOfOwnerAsync(string ownerUuid, CancellationToken cancellationToken);

    /// <summary>Adds a lock; <see cref="CatalogErrorKind.Locked"/> when another one is in the way.</summary>
    Task<DavLock> AddLockAsync(DavLockRequest request, CancellationToken cancellationToken);

    /// <summary>Makes a lock live longer; null when the user has no such lock that covers the path.</summary>
    Task<DavLock?> RefreshLockAsync(DavLock wanted, CancellationToken cancellationToken);

    /// <summary>Ends a lock; null when there is no such lock that covers the path, <see cref="CatalogErrorKind.Forbidden"/> when it is somebody else's.</summary>
    Task<DavLock?> RemoveLockAsync(DavLock ended, CancellationToken cancellationToken);

    /// <summary>Properties of a resource and what is below, page by page, in the order of a walk through the tree.</summary>
    /// <param name="uuid">The collection.</param>
    /// <param name="path">The resource.</param>
    /// <param name="depth">0, 1, or any larger number for everything below.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    IAsyncEnumerable<DavProperty> ListPropertiesAsync(string uuid, string path, int depth, CancellationToken cancellationToken);

    /// <summary>Properties of the collections that a project or user owns, by UUID.</summary>
    IAsyncEnumerable<DavProperty> ListPropertiesOfOwnerAsync(string ownerUuid, CancellationToken cancellationToken);

    /// <summary>What a project or user holds; null when this user may not know, or the catalogue does not count.</summary>
    Task<OwnerUsage?> FindUsageAsync(string ownerUuid, CancellationToken cancellationToken);

    /// <summary>Changes the properties of one resource; <see cref="CatalogErrorKind.TooLarge"/> beyond the limits.</summary>
    Task PatchPropertiesAsync(DavPropertyPatch patch, CancellationToken cancellationToken);
}
