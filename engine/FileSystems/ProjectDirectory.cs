using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A project, a filter group or a user's home: sub-projects, filter groups and collections by name. Names are asked for one by one or by listing, and
/// believed for the refresh time.
/// </summary>
internal sealed class ProjectDirectory : SiteDirectory
{
    private const string RecordName = ".arvados#project";

    private readonly Lock _lock = new();
    private readonly bool _isFilter;
    private readonly bool _mayWrite;
    private readonly GeneratedFile _record;

    /// <summary>By name: what it meant when it was last asked for.</summary>
    private readonly Dictionary<string, (ProjectItem Item, long AskedAt)> _names = new(StringComparer.Ordinal);

    /// <summary>By UUID, so that a renamed collection stays the same node.</summary>
    private readonly Dictionary<string, SiteDirectory> _nodes = new(StringComparer.Ordinal);

    private DateTimeOffset _changedAt;

    /// <summary>The last listing, for when the catalogue cannot be asked.</summary>
    private volatile IReadOnlyList<DirectoryEntry>? _listed;

    public ProjectDirectory(SiteFileSystem site, string uuid, bool isFilter, bool mayWrite)
        : base(site)
    {
        (Uuid, _isFilter, _mayWrite) = (uuid, isFilter, mayWrite && !isFilter);
        _changedAt = site.Services.Time.GetUtcNow();
        _record = new GeneratedFile(site, GenerateAsync);
        site.Track(this);
    }

    public string Uuid { get; }

    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(new NodeAttributes(NodeKind.Directory, 0, _changedAt, _mayWrite, IsCacheable: false));
        }
    }

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
    {
        if (name == RecordName)
        {
            return _record;
        }

        lock (_lock)
        {
            if (_names.TryGetValue(name, out var known) && Site.IsFresh(known.AskedAt))
            {
                return NodeOf(name, known.Item);
            }
        }

        var asked = Site.Services.Time.GetTimestamp();
        ProjectItem? item;
        try
        {
            item = await FindAsync(name, cancellationToken);
        }
        catch (FsException e) when (FindOld(name) is { } old)
        {
            // Better an old name than none: what is open behind it can still be read and written (mount.md section 7).
            Site.Services.Log($"project {Uuid}: \"{name}\" is believed to be what it was, because the catalogue could not be asked: {e.Message}");
            return old;
        }

        lock (_lock)
        {
            if (item is null)
            {
                // Not remembered: the next mkdir by anybody may make it exist.
                _names.Remove(name);
                return null;
            }

            _names[name] = (item, asked);
            return NodeOf(name, item);
        }
    }

    public override async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken)
    {
        var asked = Site.Services.Time.GetTimestamp();
        IReadOnlyList<ProjectItem> items;
        try
        {
            items = await ListItemsAsync(cancellationToken);
        }
        catch (FsException e) when (_listed is { } old)
        {
            Site.Services.Log($"project {Uuid}: its old listing is shown, because the catalogue could not be asked: {e.Message}");
            return old;
        }

        var entries = new SortedDictionary<string, DirectoryEntry>(Manifests.Utf8Order.Instance);
        lock (_lock)
        {
            var before = _names.Count;
            var isSame = true;
            var old = new Dictionary<string, (ProjectItem Item, long AskedAt)>(_names, StringComparer.Ordinal);
            _names.Clear();
            foreach (var (name, item) in NodeName.Distinct(items, item => item.Name, Site.Config.ForwardSlashNameSubstitution))
            {
                _names.Add(name, (item, asked));
                entries.Add(name, new DirectoryEntry(name, NodeKind.Directory, _nodes.TryGetValue(item.Uuid, out var node) ? node.Id : 0));
                isSame &= old.GetValueOrDefault(name).Item?.Uuid == item.Uuid;
            }

            if (!isSame || before != _names.Count)
            {
                _changedAt = Site.Services.Time.GetUtcNow();
            }
        }

        _listed = [.. entries.Values];
        return _listed;
    }

    public override ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) =>
        throw (Site.Options.IsReadOnly
            ? Refused(name, "")
            : new FsException(FsError.NotSupported, $"\"{name}\": files live inside collections; make a directory here first, it becomes one."));

    public override async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken)
    {
        CheckMayChange(name);
        NodeName.Check(name);
        if (name == RecordName)
        {
            throw new FsException(FsError.AlreadyExists, $"\"{name}\" is in every project.");
        }

        var write = new CollectionWrite
        {
            OwnerUuid = Uuid,
            Name = name,
            ManifestText = ReadOnlyMemory<byte>.Empty,
            StorageClassesDesired = Site.Options.StorageClasses.Count > 0 ? Site.Options.StorageClasses : null,
        };
        try
        {
            var record = await Site.AskAsync(catalog => catalog.CreateCollectionAsync(new CollectionChange { Collection = write }, cancellationToken));
            InvalidateOthers();
            return Remember(name, new ProjectItem { Uuid = record.Uuid, Name = name, Kind = "arvados#collection", ModifiedAt = record.ModifiedAt });
        }
        catch (FsException e) when (e.InnerException is CatalogException { Kind: CatalogErrorKind.Invalid })
        {
            throw new FsException(FsError.AlreadyExists, e.Message, e);
        }
    }

    public override async ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken)
    {
        if (kind == NodeKind.File && !Site.Options.IsReadOnly)
        {
            throw new FsException(FsError.NotSupported, $"\"{name}\": there are no files in a project.");
        }

        CheckMayChange(name);
        var node = await LookupAsync(name, cancellationToken) ?? throw NotFound(name);
        var entry = node as CollectionEntry ?? throw Refused(name, "it is a project; only empty collections are removed here");
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
            await catalog.TrashCollectionAsync(entry.CollectionId, cancellationToken);
            return true;
        });
        Forget(name, entry.CollectionId);
        await Site.UntrackAsync(entry);
        await Site.VanishAsync(entry.Shared);
        InvalidateOthers();
    }

    public override async ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken)
    {
        CheckMayChange(name);
        NodeName.Check(targetName);
        var node = await LookupAsync(name, cancellationToken) ?? throw NotFound(name);
        if (node is not CollectionEntry entry || target is not ProjectDirectory project)
        {
            throw Refused(name, "only collections can be renamed here, and only into projects");
        }

        project.CheckMayChange(targetName);
        if (await project.LookupAsync(targetName, cancellationToken) is not null)
        {
            throw new FsException(mayReplace ? FsError.NotPermitted : FsError.AlreadyExists, $"\"{targetName}\" exists already.");
        }

        var change = new CollectionChange { Collection = new CollectionWrite { OwnerUuid = project.Uuid, Name = targetName }, Select = ["uuid", "modified_at"] };
        var record = await Site.AskAsync(catalog => catalog.UpdateCollectionAsync(entry.CollectionId, change, cancellationToken));
        Forget(name, entry.CollectionId);
        project.Adopt(targetName, new ProjectItem { Uuid = entry.CollectionId, Name = targetName, Kind = "arvados#collection", ModifiedAt = record.ModifiedAt }, entry);
        InvalidateOthers();
        project.InvalidateOthers();
    }

    public override void Vanished(CollectionEntry entry)
    {
        string[] gone;
        lock (_lock)
        {
            gone = [.. _names.Where(known => known.Value.Item.Uuid == entry.CollectionId).Select(known => known.Key)];
            foreach (var name in gone)
            {
                _names.Remove(name);
            }

            _nodes.Remove(entry.CollectionId);
        }

        foreach (var name in gone)
        {
            Site.Announce(new NodeChange(this, name));
        }
    }

    public override void Invalidate()
    {
        string[] names;
        lock (_lock)
        {
            // The items stay for names that only a listing knows; they are asked for again.
            names = [.. _names.Keys];
            foreach (var name in names)
            {
                _names[name] = (_names[name].Item, long.MinValue);
            }
        }

        Site.Announce(new NodeChange(this, null));
    }

    /// <summary>The same project at other places of the mount.</summary>
    private void InvalidateOthers()
    {
        foreach (var other in Site.Nodes.Find(Uuid).Where(other => other != this))
        {
            other.Invalidate();
        }
    }

    /// <summary>What the name meant when it could be asked for; it is believed for another refresh time, so that not each access waits for the catalogue.</summary>
    private SiteDirectory? FindOld(string name)
    {
        lock (_lock)
        {
            if (!_names.TryGetValue(name, out var known))
            {
                return null;
            }

            _names[name] = (known.Item, Site.Services.Time.GetTimestamp());
            return NodeOf(name, known.Item);
        }
    }

    private void CheckMayChange(string name)
    {
        if (!_mayWrite)
        {
            throw Refused(name, $"the project {Uuid} cannot be changed here");
        }
    }

    private async Task<IReadOnlyList<ProjectItem>> ListItemsAsync(CancellationToken cancellationToken) =>
        await Site.AskAsync(catalog => catalog.ListContentsAsync(Uuid, Site.Options.Filters, cancellationToken).ToListAsync(cancellationToken).AsTask());

    private async Task<ProjectItem?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (_isFilter)
        {
            // What is in it is not owned by it: only the listing tells.
            return NodeName.Distinct(await ListItemsAsync(cancellationToken), item => item.Name, Site.Config.ForwardSlashNameSubstitution)
                .FirstOrDefault(entry => entry.Name == name).Item;
        }

        foreach (var recordName in NodeName.RecordNamesOf(name, Site.Config.ForwardSlashNameSubstitution))
        {
            if (await Site.AskAsync(catalog => catalog.FindByNameAsync(Uuid, recordName, Site.Options.Filters, cancellationToken)) is { } item)
            {
                return item;
            }
        }

        lock (_lock)
        {
            // Shown under another name by the last listing, such as "a_b" for "a/b".
            var listed = _names.GetValueOrDefault(name).Item;
            return listed is not null && listed.Name != name ? listed : null;
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> GenerateAsync(CancellationToken cancellationToken)
    {
        using var record = await Site.AskAsync(catalog => catalog.FindRecordAsync(Uuid, cancellationToken))
            ?? throw new FsException(FsError.Stale, $"Project {Uuid} does not exist any more.");
        return RecordText.Format(record.RootElement);
    }

    private SiteDirectory Remember(string name, ProjectItem item)
    {
        lock (_lock)
        {
            _changedAt = Site.Services.Time.GetUtcNow();
            _names[name] = (item, Site.Services.Time.GetTimestamp());
            return NodeOf(name, item);
        }
    }

    private void Adopt(string name, ProjectItem item, CollectionEntry entry)
    {
        lock (_lock)
        {
            (entry.Parent, entry.Name) = (this, name);
            _changedAt = Site.Services.Time.GetUtcNow();
            _nodes[item.Uuid] = entry;
            _names[name] = (item, Site.Services.Time.GetTimestamp());
        }
    }

    private void Forget(string name, string itemUuid)
    {
        lock (_lock)
        {
            _changedAt = Site.Services.Time.GetUtcNow();
            _names.Remove(name);
            _nodes.Remove(itemUuid);
        }
    }

    /// <summary>Under the lock.</summary>
    private SiteDirectory NodeOf(string name, ProjectItem item)
    {
        if (!_nodes.TryGetValue(item.Uuid, out var node))
        {
            _nodes.Add(item.Uuid, node = Make(item));
        }

        if (node is CollectionEntry entry)
        {
            (entry.Parent, entry.Name) = (this, name);
        }

        return node;
    }

    private SiteDirectory Make(ProjectItem item) =>
        item.Uuid[6..11] == "4zz18" ? Site.Track(CollectionEntry.OfUuid(Site, item.Uuid, item.ModifiedAt ?? Site.StartedAt, _mayWrite))
        : item.Uuid == Uuid ? new VirtualDirectory(Site, new Dictionary<string, INode>())
        : new ProjectDirectory(
            Site, item.Uuid, item.GroupClass == "filter", !Site.Options.IsReadOnly && item.GroupClass != "filter" && (item.CanWrite ?? _mayWrite));

    private static FsException NotFound(string name) => new(FsError.NotFound, $"There is no \"{name}\".");
}
