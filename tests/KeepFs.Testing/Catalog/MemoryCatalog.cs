using System.Runtime.CompilerServices;
using System.Text.Json;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Testing.Catalog;

/// <summary>A catalogue in memory for one user: collections and projects, <c>replace_files</c>, the precondition; no signatures.</summary>
public sealed class MemoryCatalog : ICatalog
{
    public const string UserUuid = "zzzzz-tpzed-000000000000001";
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Collection> _collections = [];
    private readonly Dictionary<string, Group> _groups = [];
    private readonly Dictionary<string, List<Collection>> _versions = [];
    private int _last;

    /// <summary>Set: the next updates fail with it.</summary>
    public CatalogException? UpdateFailure { get; set; }

    /// <summary>Set: updates are done, but their answer is lost.</summary>
    public bool LoseAnswers { get; set; }

    /// <summary>What others share with the user.</summary>
    public SharedProjects Shared { get; set; } = new([], []);

    /// <summary>Collections by tag.</summary>
    public Dictionary<string, string[]> Tags { get; } = [];

    /// <summary>Names of other users by UUID.</summary>
    public Dictionary<string, string> OtherUsers { get; } = [];

    /// <summary>Collections of others that the user may change nevertheless.</summary>
    public HashSet<string> MayUpdate { get; } = [];

    /// <summary>The cluster's substitution for slashes in names.</summary>
    public string SlashSubstitution { get; set; } = "";

    /// <summary>Lists of collections by UUID that were asked for: what polling does.</summary>
    public int Polls { get; private set; }

    /// <summary>Another catalogue with the same content now, for a world that goes on differently.</summary>
    public MemoryCatalog Clone()
    {
        var clone = new MemoryCatalog { _last = _last };
        lock (_lock)
        {
            foreach (var (uuid, record) in _collections)
            {
                clone._collections.Add(uuid, record);
            }

            foreach (var (uuid, group) in _groups)
            {
                clone._groups.Add(uuid, group);
            }
        }

        return clone;
    }

    /// <summary>Updates that changed something.</summary>
    public int Updates { get; private set; }

    /// <summary>Awaited before each update.</summary>
    public Func<Task> BeforeUpdate { get; set; } = () => Task.CompletedTask;

    public Task<User> GetCurrentUserAsync(CancellationToken cancellationToken) => Task.FromResult(new User { Uuid = UserUuid, Username = "me", IsActive = true });

    public Task<User?> FindUserAsync(string uuid, CancellationToken cancellationToken) =>
        Task.FromResult(uuid == UserUuid ? new User { Uuid = UserUuid, Username = "me" } : OtherUsers.TryGetValue(uuid, out var name) ? new User { Uuid = uuid, Username = name } : null);

    public Task<User?> FindUserByNameAsync(string username, CancellationToken cancellationToken) =>
        Task.FromResult(username == "me" ? new User { Uuid = UserUuid, Username = "me" } : null);

    public async IAsyncEnumerable<User> ListUsersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return await GetCurrentUserAsync(cancellationToken);
        foreach (var (uuid, name) in OtherUsers)
        {
            yield return new User { Uuid = uuid, Username = name };
        }
    }

    public Task<SiteConfig> GetConfigAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new SiteConfig("zzzzz", 2, ["default"], TimeSpan.FromDays(14), SlashSubstitution, ""));

    public Task<Collection?> FindCollectionAsync(string id, IReadOnlyList<string>? select, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult(_collections.GetValueOrDefault(id)
                ?? _versions.Values.SelectMany(versions => versions).FirstOrDefault(c => c.Uuid == id)
                ?? (_collections.Values.FirstOrDefault(c => c.PortableDataHash == id) is { } same ? same with { Uuid = id, OwnerUuid = null, CurrentVersionUuid = null, ModifiedAt = null } : null));
        }
    }

    public Task<Collection> CreateCollectionAsync(CollectionChange change, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            CheckName(change.Collection.OwnerUuid ?? UserUuid, change.Collection.Name);
            var text = change.Collection.ManifestText ?? default;
            var uuid = $"zzzzz-4zz18-{++_last:d15}";
            var record = new Collection
            {
                Uuid = uuid,
                CurrentVersionUuid = uuid,
                Version = 1,
                OwnerUuid = change.Collection.OwnerUuid ?? UserUuid,
                Name = change.Collection.Name,
                ManifestText = text,
                PortableDataHash = PortableDataHash.Compute(text.Span),
                ModifiedAt = DateTimeOffset.UnixEpoch.AddSeconds(_last),
            };
            _collections.Add(uuid, record);
            return Task.FromResult(record);
        }
    }

    public async Task<Collection> UpdateCollectionAsync(string uuid, CollectionChange change, CancellationToken cancellationToken)
    {
        await BeforeUpdate();
        lock (_lock)
        {
            if (UpdateFailure is { } failure)
            {
                throw failure;
            }

            var old = _collections.GetValueOrDefault(uuid) ?? throw new CatalogException(CatalogErrorKind.NotFound, "not found");
            if (change.IfPortableDataHash is { } expected && !PortableDataHash.Matches(expected, old.PortableDataHash))
            {
                throw new CatalogException(CatalogErrorKind.PreconditionFailed, $"collection content changed: current portable_data_hash is {old.PortableDataHash}");
            }

            var text = change.ReplaceFiles is { } replace ? Replace(old, change, replace) : change.Collection.ManifestText ?? old.ManifestText!.Value;
            var record = old with
            {
                Name = change.Collection.Name ?? old.Name,
                OwnerUuid = change.Collection.OwnerUuid ?? old.OwnerUuid,
                ManifestText = text,
                PortableDataHash = PortableDataHash.Compute(text.Span),
                ModifiedAt = DateTimeOffset.UnixEpoch.AddSeconds(++_last),
                Version = old.Version + 1,
            };
            _collections[uuid] = record;
            (_versions.TryGetValue(uuid, out var versions) ? versions : _versions[uuid] = []).Insert(0, old with { Uuid = $"zzzzz-4zz18-v{++_last:d14}" });
            Updates++;
            return LoseAnswers ? throw new CatalogException(CatalogErrorKind.Unavailable, "the answer was lost") : record;
        }
    }

    public Task TrashCollectionAsync(string uuid, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _collections.Remove(uuid);
        }

        return Task.CompletedTask;
    }

    public Task<Group?> FindGroupAsync(string uuid, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult(_groups.GetValueOrDefault(uuid));
        }
    }

    public Task<Group> CreateProjectAsync(string ownerUuid, string name, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            CheckName(ownerUuid, name);
            var group = new Group { Uuid = $"zzzzz-j7d0g-{++_last:d15}", OwnerUuid = ownerUuid, Name = name, GroupClass = "project", CanWrite = true };
            _groups.Add(group.Uuid, group);
            return Task.FromResult(group);
        }
    }

    public Task<Group> UpdateProjectAsync(string uuid, string ownerUuid, string name, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult(_groups[uuid] = _groups[uuid] with { OwnerUuid = ownerUuid, Name = name });
        }
    }

    public Task TrashProjectAsync(string uuid, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _groups.Remove(uuid);
        }

        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<ProjectItem> ListContentsAsync(string ownerUuid, CatalogFilters filters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var item in Items(ownerUuid))
        {
            yield return item;
        }
    }

    public Task<ProjectItem?> FindByNameAsync(string ownerUuid, string name, CatalogFilters filters, CancellationToken cancellationToken) =>
        Task.FromResult(Items(ownerUuid).FirstOrDefault(item => item.Name == name));

    public Task<SharedProjects> ListSharedAsync(CatalogFilters filters, CancellationToken cancellationToken) => Task.FromResult(Shared);

    public Task<IReadOnlyList<string>> ListTagsAsync(int limit, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([.. Tags.Keys]);

    public Task<bool> HasTagAsync(string tag, CancellationToken cancellationToken) => Task.FromResult(Tags.ContainsKey(tag));

    public Task<IReadOnlyList<Collection>> ListTaggedAsync(string tag, CatalogFilters filters, CancellationToken cancellationToken) =>
        FindCollectionsAsync(Tags[tag], filters, cancellationToken);

    public Task<IReadOnlyList<Collection>> ListVersionsAsync(string uuid, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<Collection>>(_collections.TryGetValue(uuid, out var current) ? [current, .. _versions.GetValueOrDefault(uuid) ?? []] : []);
        }
    }

    public Task<IReadOnlyList<Collection>> FindCollectionsAsync(IReadOnlyCollection<string> uuids, CatalogFilters filters, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            Polls++;
            return Task.FromResult<IReadOnlyList<Collection>>([.. uuids.Select(uuid => _collections.GetValueOrDefault(uuid)).OfType<Collection>()]);
        }
    }

    public Task<bool> IsShownAsync(string id, CatalogFilters filters, CancellationToken cancellationToken) => Task.FromResult(true);

    /// <summary>A few fields, enough to see which record it is and how it is formatted.</summary>
    public async Task<JsonDocument?> FindRecordAsync(string id, CancellationToken cancellationToken)
    {
        var text = id[6..11] == "4zz18" || PortableDataHash.IsPortableDataHash(id)
            ? await FindCollectionAsync(id, null, cancellationToken) is { } record
                ? JsonSerializer.Serialize(new { uuid = record.Uuid, name = record.Name, portable_data_hash = record.PortableDataHash, empty = Array.Empty<string>() })
                : null
            : JsonSerializer.Serialize(new { uuid = id });
        return text is null ? null : JsonDocument.Parse(text);
    }

    public Task<bool> MayUpdateCollectionAsync(string uuid, CancellationToken cancellationToken) => Task.FromResult(MayUpdate.Contains(uuid));

    /// <summary>Adds a collection as another user would own it.</summary>
    public async Task<string> AddForeignAsync(string ownerUuid, string name) =>
        (await CreateCollectionAsync(new CollectionChange { Collection = new CollectionWrite { OwnerUuid = ownerUuid, Name = name, ManifestText = ReadOnlyMemory<byte>.Empty } }, default)).Uuid;

    /// <summary>Changes a group as nobody could through this interface.</summary>
    public void SetGroup(Group group)
    {
        lock (_lock)
        {
            _groups[group.Uuid] = group;
        }
    }

    private ProjectItem[] Items(string ownerUuid)
    {
        lock (_lock)
        {
            return
            [
                .. _groups.Values.Where(g => g.OwnerUuid == ownerUuid).Select(g => new ProjectItem { Uuid = g.Uuid, Name = g.Name, Kind = "arvados#group", OwnerUuid = g.OwnerUuid, GroupClass = g.GroupClass, CanWrite = g.CanWrite }),
                .. _collections.Values.Where(c => c.OwnerUuid == ownerUuid)
                    .Select(c => new ProjectItem { Uuid = c.Uuid, Name = c.Name, Kind = "arvados#collection", ModifiedAt = c.ModifiedAt }),
            ];
        }
    }

    private void CheckName(string ownerUuid, string? name)
    {
        if (Items(ownerUuid).Any(item => item.Name == name))
        {
            throw new CatalogException(CatalogErrorKind.Invalid, "duplicate key");
        }
    }

    private static ReadOnlyMemory<byte> Replace(Collection old, CollectionChange change, IReadOnlyDictionary<string, string> replace)
    {
        var before = ManifestTree.Load(old.ManifestText!.Value);
        var tree = ManifestTree.Load(old.ManifestText!.Value);
        var source = ManifestTree.Load(change.Collection.ManifestText ?? default);
        foreach (var target in replace.Where(entry => entry.Value.Length == 0).Select(entry => entry.Key))
        {
            tree.Remove(target);
        }

        foreach (var (target, from) in replace.Where(entry => entry.Value.Length > 0))
        {
            var slash = from.IndexOf('/', StringComparison.Ordinal);
            var node = (from[..slash] == "current" ? before : source).Find(from[slash..]) ?? throw new CatalogException(CatalogErrorKind.Invalid, $"no {from}");
            tree.Put(target, node);
        }

        return tree.ToManifest();
    }
}
