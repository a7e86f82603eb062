using System.Text.Json;

namespace KeepFs.Engine.Catalog;

/// <summary>
/// The catalogue as one user sees it: collections, projects, users (catalog-api.md). Every call throws <see cref="CatalogException"/> when it
/// fails. Safe for concurrent use.
/// </summary>
public interface ICatalog
{
    /// <summary>The token's user.</summary>
    Task<User> GetCurrentUserAsync(CancellationToken cancellationToken);

    /// <summary>A user by UUID, or null.</summary>
    Task<User?> FindUserAsync(string uuid, CancellationToken cancellationToken);

    /// <summary>The public configuration.</summary>
    Task<SiteConfig> GetConfigAsync(CancellationToken cancellationToken);

    /// <summary>A collection by UUID or portable data hash, or null.</summary>
    /// <param name="id">27 characters, or <c>hash+size</c>.</param>
    /// <param name="select">Fields to return; null = all, with the signed manifest. Ignored by the server for a portable data hash.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<Collection?> FindCollectionAsync(string id, IReadOnlyList<string>? select, CancellationToken cancellationToken);

    /// <summary>Creates a collection; a taken name is <see cref="CatalogErrorKind.Invalid"/> unless a unique one is asked for.</summary>
    Task<Collection> CreateCollectionAsync(CollectionChange change, CancellationToken cancellationToken);

    /// <summary>Changes a collection in one transaction.</summary>
    Task<Collection> UpdateCollectionAsync(string uuid, CollectionChange change, CancellationToken cancellationToken);

    /// <summary>Moves a collection to the trash.</summary>
    Task TrashCollectionAsync(string uuid, CancellationToken cancellationToken);

    /// <summary>A group by UUID, or null.</summary>
    Task<Group?> FindGroupAsync(string uuid, CancellationToken cancellationToken);

    /// <summary>Creates a project.</summary>
    Task<Group> CreateProjectAsync(string ownerUuid, string name, CancellationToken cancellationToken);

    /// <summary>Renames or moves a project.</summary>
    Task<Group> UpdateProjectAsync(string uuid, string ownerUuid, string name, CancellationToken cancellationToken);

    /// <summary>Moves a project and what it holds to the trash.</summary>
    Task TrashProjectAsync(string uuid, CancellationToken cancellationToken);

    /// <summary>Sub-projects, filter groups and current collections that a project or home owns, page by page, in UUID order.</summary>
    /// <param name="ownerUuid">Project, filter group or user.</param>
    /// <param name="filters">Only what they let through.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    IAsyncEnumerable<ProjectItem> ListContentsAsync(string ownerUuid, CatalogFilters filters, CancellationToken cancellationToken);

    /// <summary>The same without filters.</summary>
    IAsyncEnumerable<ProjectItem> ListContentsAsync(string ownerUuid, CancellationToken cancellationToken) =>
        ListContentsAsync(ownerUuid, CatalogFilters.None, cancellationToken);

    /// <summary>The sub-project or collection of that name, or null; projects win.</summary>
    Task<ProjectItem?> FindByNameAsync(string ownerUuid, string name, CatalogFilters filters, CancellationToken cancellationToken);

    /// <summary>The same without filters.</summary>
    Task<ProjectItem?> FindByNameAsync(string ownerUuid, string name, CancellationToken cancellationToken) =>
        FindByNameAsync(ownerUuid, name, CatalogFilters.None, cancellationToken);

    /// <summary>The user of that name, or null.</summary>
    Task<User?> FindUserByNameAsync(string username, CancellationToken cancellationToken);

    /// <summary>Users that the token can see.</summary>
    IAsyncEnumerable<User> ListUsersAsync(CancellationToken cancellationToken);

    /// <summary>Projects and filter groups that others share with the user.</summary>
    Task<SharedProjects> ListSharedAsync(CatalogFilters filters, CancellationToken cancellationToken);

    /// <summary>Names of readable tags, each once, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<string>> ListTagsAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Some readable object carries the tag.</summary>
    Task<bool> HasTagAsync(string tag, CancellationToken cancellationToken);

    /// <summary>Collections that carry the tag.</summary>
    Task<IReadOnlyList<Collection>> ListTaggedAsync(string tag, CatalogFilters filters, CancellationToken cancellationToken);

    /// <summary>All versions of a collection, the newest (the current one) first; without manifests.</summary>
    Task<IReadOnlyList<Collection>> ListVersionsAsync(string uuid, CancellationToken cancellationToken);

    /// <summary>Those of the collections that exist and pass the filters: UUID, content hash, owner and time only.</summary>
    Task<IReadOnlyList<Collection>> FindCollectionsAsync(IReadOnlyCollection<string> uuids, CatalogFilters filters, CancellationToken cancellationToken);

    /// <summary>The collection (by UUID or portable data hash), project or filter group exists and passes the filters.</summary>
    Task<bool> IsShownAsync(string id, CatalogFilters filters, CancellationToken cancellationToken);

    /// <summary>The whole record of a collection, group or user as the API has it, or null.</summary>
    Task<JsonDocument?> FindRecordAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// The user may change this collection, whichever way the permission comes. Asked with an update that changes nothing, because records
    /// of collections do not tell.
    /// </summary>
    Task<bool> MayUpdateCollectionAsync(string uuid, CancellationToken cancellationToken);
}
