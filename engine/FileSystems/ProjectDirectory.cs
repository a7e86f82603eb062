using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A project or a user's home: sub-projects, filter groups and collections by name. Names are asked for one by one or by listing, and believed for
/// the refresh time.
/// </summary>
internal sealed class ProjectDirectory(SiteFileSystem site, string uuid, bool mayWrite) : SiteDirectory(site)
{
    private readonly Lock _lock = new();

    /// <summary>By name: what it meant when it was last asked for. A null item means that there was none.</summary>
    private readonly Dictionary<string, (ProjectItem? Item, long AskedAt)> _names = new(StringComparer.Ordinal);

    /// <summary>By UUID, so that a renamed collection stays the same node.</summary>
    private readonly Dictionary<string, SiteDirectory> _nodes = new(StringComparer.Ordinal);

    public string Uuid => uuid;

    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) =>
        new(new NodeAttributes(NodeKind.Directory, 0, Site.StartedAt, mayWrite, IsCacheable: false));

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_names.TryGetValue(name, out var known) && Site.IsFresh(known.AskedAt))
            {
                return known.Item is null ? null : NodeOf(known.Item);
            }
        }

        var asked = Site.Services.Time.GetTimestamp();
        var item = await FindAsync(name, cancellationToken);
        lock (_lock)
        {
            if (item is null)
            {
                // Not remembered: the next mkdir by anybody may make it exist.
                _names.Remove(name);
                return null;
            }

            _names[name] = (item, asked);
            return NodeOf(item);
        }
    }

    public override async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken)
    {
        var asked = Site.Services.Time.GetTimestamp();
        var items = await Site.AskAsync(catalog => catalog.ListContentsAsync(uuid, cancellationToken).ToListAsync(cancellationToken).AsTask());
        var entries = new SortedDictionary<string, DirectoryEntry>(Utf8Order.Instance);
        lock (_lock)
        {
            _names.Clear();
            foreach (var item in items)
            {
                if (NodeName.FromRecord(item.Name, Site.Config.ForwardSlashNameSubstitution) is { } name && _names.TryAdd(name, (item, asked)))
                {
                    entries.Add(name, new DirectoryEntry(name, NodeKind.Directory, _nodes.TryGetValue(item.Uuid, out var node) ? node.Id : 0));
                }
            }
        }

        return [.. entries.Values];
    }

    public override ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) =>
        throw new FsException(FsError.NotSupported, $"\"{name}\": files live inside collections; make a directory here first, it becomes one.");

    public override async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken)
    {
        CheckMayChange(name);
        NodeName.Check(name);
        var change = new CollectionChange { Collection = new CollectionWrite { OwnerUuid = uuid, Name = name, ManifestText = ReadOnlyMemory<byte>.Empty } };
        try
        {
            var record = await Site.AskAsync(catalog => catalog.CreateCollectionAsync(change, cancellationToken));
            return (IDirectoryNode)Remember(name, new ProjectItem { Uuid = record.Uuid, Name = name, Kind = "arvados#collection", ModifiedAt = record.ModifiedAt });
        }
        catch (FsException e) when (e.InnerException is CatalogException { Kind: CatalogErrorKind.Invalid })
        {
            throw new FsException(FsError.AlreadyExists, e.Message, e);
        }
    }

    public override async ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken)
    {
        CheckMayChange(name);
        var node = await LookupAsync(name, cancellationToken) ?? throw NotFound(name);
        if (kind == NodeKind.File)
        {
            throw new FsException(FsError.IsADirectory, $"\"{name}\" is a directory.");
        }

        var entry = node as CollectionEntry ?? throw new FsException(FsError.NotPermitted, $"\"{name}\" is a project; only empty collections are removed here.");
        var collection = await entry.OpenAsync(cancellationToken);
        await collection.RefreshAsync(cancellationToken);
        if ((await collection.Root.ListAsync(cancellationToken)).Count > 0)
        {
            throw new FsException(FsError.NotEmpty, $"The collection \"{name}\" is not empty.");
        }

        // What was removed a moment ago must be saved, or restoring the collection from the trash would bring it back.
        await collection.SaveAsync(cancellationToken);
        await Site.AskAsync(async catalog =>
        {
            await catalog.TrashCollectionAsync(entry.Uuid, cancellationToken);
            return true;
        });
        Forget(name, entry.Uuid);
        await Site.UntrackAsync(entry);
    }

    public override async ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken)
    {
        CheckMayChange(name);
        NodeName.Check(targetName);
        var node = await LookupAsync(name, cancellationToken) ?? throw NotFound(name);
        if (node is not CollectionEntry entry || target is not ProjectDirectory project)
        {
            throw new FsException(FsError.NotPermitted, $"\"{name}\": only collections can be renamed here, and only into projects.");
        }

        project.CheckMayChange(targetName);
        if (await project.LookupAsync(targetName, cancellationToken) is not null)
        {
            throw new FsException(mayReplace ? FsError.NotPermitted : FsError.AlreadyExists, $"\"{targetName}\" exists already.");
        }

        var change = new CollectionChange { Collection = new CollectionWrite { OwnerUuid = project.Uuid, Name = targetName }, Select = ["uuid", "modified_at"] };
        var record = await Site.AskAsync(catalog => catalog.UpdateCollectionAsync(entry.Uuid, change, cancellationToken));
        Forget(name, entry.Uuid);
        project.Adopt(targetName, new ProjectItem { Uuid = entry.Uuid, Name = targetName, Kind = "arvados#collection", ModifiedAt = record.ModifiedAt }, entry);
    }

    private void CheckMayChange(string name)
    {
        if (!mayWrite)
        {
            throw new FsException(Site.Options.IsReadOnly ? FsError.ReadOnly : FsError.NotPermitted, $"\"{name}\": the project {uuid} cannot be changed here.");
        }
    }

    private async Task<ProjectItem?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var item = await Site.AskAsync(catalog => catalog.FindByNameAsync(uuid, name, cancellationToken));
        var substitution = Site.Config.ForwardSlashNameSubstitution;
        if (item is null && substitution is not ("" or "/") && name.Contains(substitution, StringComparison.Ordinal))
        {
            item = await Site.AskAsync(catalog => catalog.FindByNameAsync(uuid, name.Replace(substitution, "/", StringComparison.Ordinal), cancellationToken));
        }

        if (item is null)
        {
            lock (_lock)
            {
                // Shown under another name by the last listing, such as "a_b" for "a/b".
                var listed = _names.GetValueOrDefault(name).Item;
                item = listed is not null && listed.Name != name ? listed : null;
            }
        }

        return item;
    }

    private SiteDirectory Remember(string name, ProjectItem item)
    {
        lock (_lock)
        {
            _names[name] = (item, Site.Services.Time.GetTimestamp());
            return NodeOf(item);
        }
    }

    private void Adopt(string name, ProjectItem item, CollectionEntry entry)
    {
        lock (_lock)
        {
            _nodes[item.Uuid] = entry;
            _names[name] = (item, Site.Services.Time.GetTimestamp());
        }
    }

    private void Forget(string name, string itemUuid)
    {
        lock (_lock)
        {
            _names.Remove(name);
            _nodes.Remove(itemUuid);
        }
    }

    /// <summary>Under the lock.</summary>
    private SiteDirectory NodeOf(ProjectItem item)
    {
        if (!_nodes.TryGetValue(item.Uuid, out var node))
        {
            node = item.Uuid[6..11] == "4zz18"
                ? Site.Track(new CollectionEntry(Site, item.Uuid, item.ModifiedAt ?? Site.StartedAt, mayWrite))
                : new ProjectDirectory(Site, item.Uuid, mayWrite);
            _nodes.Add(item.Uuid, node);
        }

        return node;
    }

    private static FsException NotFound(string name) => new(FsError.NotFound, $"There is no \"{name}\".");
}
