using System.Text.Json;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// The catalogue of one temporary collection (mount.md section 2): its record lives here and nowhere else; everything else is the real catalogue's.
/// So a temporary collection is written, flushed and shown by the same code as any other.
/// </summary>
internal sealed class TemporaryCatalog(ICatalog real, IReadOnlyList<string> storageClasses, TimeProvider time) : ICatalog
{
    private readonly Lock _lock = new();
    private Collection _record = new()
    {
        PortableDataHash = PortableDataHash.Compute([]),
        ManifestText = ReadOnlyMemory<byte>.Empty,
        ModifiedAt = time.GetUtcNow(),
        Version = 1,
        StorageClassesDesired = storageClasses,
    };

    /// <summary>No UUID of the cluster's form: nothing can take it for a collection that can be saved.</summary>
    public string Uuid { get; } = "tmp-" + Guid.NewGuid().ToString("N");

    public Task<Collection?> FindCollectionAsync(string id, IReadOnlyList<string>? select, CancellationToken cancellationToken) =>
        id == Uuid ? Task.FromResult<Collection?>(Current() with { Uuid = Uuid }) : real.FindCollectionAsync(id, select, cancellationToken);

    public Task<Collection> UpdateCollectionAsync(string uuid, CollectionChange change, CancellationToken cancellationToken)
    {
        if (uuid != Uuid)
        {
            return real.UpdateCollectionAsync(uuid, change, cancellationToken);
        }

        lock (_lock)
        {
            if (change.IfPortableDataHash is { } expected && !PortableDataHash.Matches(expected, _record.PortableDataHash))
            {
                throw new CatalogException(CatalogErrorKind.PreconditionFailed, $"the content is {_record.PortableDataHash}, not {expected}");
            }

            var text = change.ReplaceFiles is { } replace ? Replace(_record.ManifestText!.Value, change, replace) : change.Collection.ManifestText ?? _record.ManifestText!.Value;
            _record = _record with { ManifestText = text, PortableDataHash = PortableDataHash.Compute(text.Span), ModifiedAt = time.GetUtcNow() };
            return Task.FromResult(_record with { Uuid = Uuid });
        }
    }

    public Task<JsonDocument?> FindRecordAsync(string id, CancellationToken cancellationToken)
    {
        if (id != Uuid)
        {
            return real.FindRecordAsync(id, cancellationToken);
        }

        var record = Current();
        var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNull("uuid");
            writer.WriteString("manifest_text", record.ManifestText!.Value.Span);
            writer.WriteString("portable_data_hash", record.PortableDataHash);
            writer.WriteStartArray("storage_classes_desired");
            foreach (var name in storageClasses)
            {
                writer.WriteStringValue(name);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Task.FromResult<JsonDocument?>(JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length)));
    }

    public Task<User> GetCurrentUserAsync(CancellationToken cancellationToken) => real.GetCurrentUserAsync(cancellationToken);

    public Task<User?> FindUserAsync(string uuid, CancellationToken cancellationToken) => real.FindUserAsync(uuid, cancellationToken);

    public Task<SiteConfig> GetConfigAsync(CancellationToken cancellationToken) => real.GetConfigAsync(cancellationToken);

    public Task<Collection> CreateCollectionAsync(CollectionChange change, CancellationToken cancellationToken) => real.CreateCollectionAsync(change, cancellationToken);

    public Task TrashCollectionAsync(string uuid, CancellationToken cancellationToken) => real.TrashCollectionAsync(uuid, cancellationToken);

    public Task<Group?> FindGroupAsync(string uuid, CancellationToken cancellationToken) => real.FindGroupAsync(uuid, cancellationToken);

    public Task<Group> CreateProjectAsync(string ownerUuid, string name, CancellationToken cancellationToken) => real.CreateProjectAsync(ownerUuid, name, cancellationToken);

    public Task<Group> UpdateProjectAsync(string uuid, string ownerUuid, string name, CancellationToken cancellationToken) =>
        real.UpdateProjectAsync(uuid, ownerUuid, name, cancellationToken);

    public Task TrashProjectAsync(string uuid, CancellationToken cancellationToken) => real.TrashProjectAsync(uuid, cancellationToken);

    public IAsyncEnumerable<ProjectItem> ListContentsAsync(string ownerUuid, CatalogFilters filters, CancellationToken cancellationToken) =>
        real.ListContentsAsync(ownerUuid, filters, cancellationToken);

    public Task<ProjectItem?> FindByNameAsync(string ownerUuid, string name, CatalogFilters filters, CancellationToken cancellationToken) =>
        real.FindByNameAsync(ownerUuid, name, filters, cancellationToken);

    public Task<User?> FindUserByNameAsync(string username, CancellationToken cancellationToken) => real.FindUserByNameAsync(username, cancellationToken);

    public IAsyncEnumerable<User> ListUsersAsync(CancellationToken cancellationToken) => real.ListUsersAsync(cancellationToken);

    public Task<SharedProjects> ListSharedAsync(CatalogFilters filters, CancellationToken cancellationToken) => real.ListSharedAsync(filters, cancellationToken);

    public Task<IReadOnlyList<string>> ListTagsAsync(int limit, CancellationToken cancellationToken) => real.ListTagsAsync(limit, cancellationToken);

    public Task<bool> HasTagAsync(string tag, CancellationToken cancellationToken) => real.HasTagAsync(tag, cancellationToken);

    public Task<IReadOnlyList<Collection>> ListTaggedAsync(string tag, CatalogFilters filters, CancellationToken cancellationToken) =>
        real.ListTaggedAsync(tag, filters, cancellationToken);

    public Task<IReadOnlyList<Collection>> ListVersionsAsync(string uuid, CancellationToken cancellationToken) => real.ListVersionsAsync(uuid, cancellationToken);

    public Task<IReadOnlyList<Collection>> FindCollectionsAsync(IReadOnlyCollection<string> uuids, CatalogFilters filters, CancellationToken cancellationToken) =>
        real.FindCollectionsAsync(uuids, filters, cancellationToken);

    public Task<bool> IsShownAsync(string id, CatalogFilters filters, CancellationToken cancellationToken) => real.IsShownAsync(id, filters, cancellationToken);

    public Task<bool> MayUpdateCollectionAsync(string uuid, CancellationToken cancellationToken) => real.MayUpdateCollectionAsync(uuid, cancellationToken);

    private Collection Current()
    {
        lock (_lock)
        {
            return _record;
        }
    }

    private static ReadOnlyMemory<byte> Replace(ReadOnlyMemory<byte> old, CollectionChange change, IReadOnlyDictionary<string, string> replace)
    {
        var before = ManifestTree.Load(old);
        var tree = ManifestTree.Load(old);
        var source = ManifestTree.Load(change.Collection.ManifestText ?? default);
        foreach (var target in replace.Where(entry => entry.Value.Length == 0).Select(entry => entry.Key))
        {
            tree.Remove(target);
        }

        foreach (var (target, from) in replace.Where(entry => entry.Value.Length > 0))
        {
            var slash = from.IndexOf('/', StringComparison.Ordinal);
            var node = (from[..slash] == "current" ? before : source).Find(from[slash..])
                ?? throw new CatalogException(CatalogErrorKind.Invalid, $"replace_files: there is no {from}");
            tree.Put(target, node);
        }

        return tree.ToManifest();
    }
}
