using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A collection in a project or under its id: shown without loading it, opened by the first look inside, and closed again when metadata takes too
/// much memory and nobody refers to it. Stands for the collection's root directory.
/// </summary>
internal sealed class CollectionEntry : SiteDirectory, IAsyncDisposable
{
    public const string RecordName = ".arvados#collection";

    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly CollectionServices _services;
    private readonly CollectionKind _kind;
    private readonly DateTimeOffset _modifiedAt;
    private readonly bool _ownerMayWrite;
    private readonly CollectionSpecials _specials;
    private volatile CollectionFileSystem? _opened;
    private int _holds;
    private long _usedAt;

    private CollectionEntry(SiteFileSystem site, CollectionServices services, CollectionKind kind, string id, DateTimeOffset modifiedAt, bool ownerMayWrite)
        : base(site)
    {
        (_services, _kind, CollectionId, _modifiedAt, _ownerMayWrite) = (services, kind, id, modifiedAt, ownerMayWrite);
        _usedAt = services.Time.GetTimestamp();
        _specials = new CollectionSpecials(this, services.Catalog);
    }

    /// <summary>UUID or portable data hash.</summary>
    public string CollectionId { get; }

    public CollectionKind Kind => _kind;

    /// <summary>The collection, once somebody looked inside.</summary>
    public CollectionFileSystem? Opened => _opened;

    /// <summary>Where the kernel is told that the entry is gone; null for the root of a mount.</summary>
    public SiteDirectory? Parent { get; set; }

    /// <summary>Its name there.</summary>
    public string? Name { get; set; }

    /// <summary>The front refers to it or to something in it.</summary>
    public bool IsHeld => Volatile.Read(ref _holds) > 0;

    /// <summary>Timestamp of the last operation on the root directory.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Estimate of mount.md section 7.</summary>
    public long MetadataBytes { get; private set; }

    /// <summary>A collection as it is now.</summary>
    /// <param name="site">Where it is shown.</param>
    /// <param name="uuid">Its UUID.</param>
    /// <param name="modifiedAt">Shown until it is opened.</param>
    /// <param name="ownerMayWrite">Known already that the user may change it; otherwise that is found out when it is opened.</param>
    public static CollectionEntry OfUuid(SiteFileSystem site, string uuid, DateTimeOffset modifiedAt, bool ownerMayWrite) =>
        new(site, site.Services, CollectionKind.Current, uuid, modifiedAt, ownerMayWrite);

    /// <summary>Content by portable data hash.</summary>
    public static CollectionEntry OfContent(SiteFileSystem site, string portableDataHash, DateTimeOffset modifiedAt) =>
        new(site, site.Services, CollectionKind.Content, portableDataHash, modifiedAt, ownerMayWrite: false);

    /// <summary>A past version by its own UUID.</summary>
    public static CollectionEntry OfVersion(SiteFileSystem site, string uuid, DateTimeOffset modifiedAt) =>
        new(site, site.Services, CollectionKind.Version, uuid, modifiedAt, ownerMayWrite: false);

    /// <summary>A collection that exists only in this mount.</summary>
    public static CollectionEntry Temporary(SiteFileSystem site)
    {
        var catalog = new TemporaryCatalog(site.Services.Catalog, site.Options.StorageClasses, site.Services.Time);
        return site.Track(new CollectionEntry(
            site, site.Services with { Catalog = catalog, Journal = null, IsNeverSaved = true }, CollectionKind.Temporary, catalog.Uuid, site.StartedAt, ownerMayWrite: true));
    }

    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) =>
        _opened is { } open
            ? open.Root.GetAttributesAsync(cancellationToken)
            : new(new NodeAttributes(NodeKind.Directory, 0, _modifiedAt, _ownerMayWrite, IsCacheable: true));

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken) =>
        name == RecordName ? _specials.Record : await (await OpenAsync(cancellationToken)).Root.LookupAsync(name, cancellationToken) ?? _specials.Find(name);

    public override async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.ListAsync(cancellationToken);

    public override async ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.CreateFileAsync(Free(name), cancellationToken);

    public override async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.CreateDirectoryAsync(Free(name), cancellationToken);

    public override async ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken)
    {
        var open = await OpenAsync(cancellationToken);
        if (await IsSpecialAsync(open, name, cancellationToken))
        {
            throw Refused(name, "it belongs to every collection");
        }

        await open.Root.RemoveAsync(name, kind, cancellationToken);
    }

    public override async ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken)
    {
        var open = await OpenAsync(cancellationToken);
        if (await IsSpecialAsync(open, name, cancellationToken))
        {
            throw Refused(name, "it belongs to every collection");
        }

        if (target is CollectionEntry other)
        {
            // So that "another collection" is told apart from "not a collection".
            await other.OpenAsync(cancellationToken);
        }

        await open.Root.RenameAsync(name, target, targetName, mayReplace, cancellationToken);
    }

    /// <summary>A temporary collection has nowhere to be saved; only its data goes to keepstores, by <c>.arvados#collection</c>.</summary>
    public override async ValueTask SyncAsync(CancellationToken cancellationToken)
    {
        if (_opened is { } open)
        {
            await open.SaveAsync(cancellationToken);
        }
    }

    public override ValueTask<IReadOnlyDictionary<string, string>> GetExtendedAttributesAsync(CancellationToken cancellationToken) =>
        _specials.GetExtendedAttributesAsync(cancellationToken);

    /// <summary>Loads the collection if that has not happened yet.</summary>
    public async ValueTask<CollectionFileSystem> OpenAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _usedAt, _services.Time.GetTimestamp());
        if (_opened is { } open)
        {
            return open;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_opened is { } opened)
            {
                return opened;
            }

            var record = await SiteFileSystem.AskAsync(_services.Catalog, catalog => catalog.FindCollectionAsync(CollectionId, null, cancellationToken))
                ?? throw new FsException(FsError.NotFound, $"There is no collection {CollectionId}, or it may not be read with this token.");
            return await OpenWithAsync(record, cancellationToken);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Takes a record that was fetched anyway.</summary>
    public async ValueTask OpenAsync(Collection record, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_opened is null)
            {
                await OpenWithAsync(record, cancellationToken);
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>The front refers to the entry or to something in it once more.</summary>
    public void Hold() => Interlocked.Increment(ref _holds);

    /// <summary>And once less.</summary>
    public void Release() => Interlocked.Decrement(ref _holds);

    /// <summary>Gives the memory back if nobody refers to it and everything is saved; false if not now.</summary>
    public async Task<bool> TryCloseAsync(CancellationToken cancellationToken)
    {
        if (_kind == CollectionKind.Temporary || IsHeld)
        {
            return false;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_opened is not { } open)
            {
                return true;
            }

            await open.SaveAsync(cancellationToken);

            // Whoever takes hold from now on finds it closed and opens it again; whoever did before is seen here.
            _opened = null;
            Interlocked.MemoryBarrier();
            if (IsHeld || open.IsDirty)
            {
                _opened = open;
                return false;
            }

            Site.Closed(open);
            await open.DisposeAsync();
            MetadataBytes = 0;
            return true;
        }
        finally
        {
            _opening.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_opened is { } open)
        {
            Site.Closed(open);
            await open.DisposeAsync();
        }

        _opening.Dispose();
    }

    private static bool IsRoot(INode node) => node is CollectionDirectory { Parent: null, IsRemoved: false };

    private static string Free(string name) =>
        name == RecordName ? throw new FsException(FsError.AlreadyExists, $"\"{name}\" is in every collection.") : name;

    private async ValueTask<bool> IsSpecialAsync(CollectionFileSystem open, string name, CancellationToken cancellationToken) =>
        name == RecordName || (_specials.Find(name) is not null && await open.Root.LookupAsync(name, cancellationToken) is null);

    private async ValueTask<CollectionFileSystem> OpenWithAsync(Collection record, CancellationToken cancellationToken)
    {
        var mayWrite = _kind switch
        {
            CollectionKind.Temporary => true,
            CollectionKind.Current => !Site.Options.IsReadOnly && (_ownerMayWrite || await Site.MayWriteAsync(record, cancellationToken)),
            _ => false,
        };
        var named = record with { Uuid = CollectionId, ModifiedAt = record.ModifiedAt ?? _modifiedAt };
        var open = CollectionFileSystem.Open(_services, named, mayWrite, change => Site.Announce(change with { Node = IsRoot(change.Node) ? this : change.Node }));
        open.Refusal = Site.Options.IsReadOnly ? FsError.ReadOnly : FsError.NotPermitted;
        MetadataBytes = 8L * (record.ManifestText?.Length ?? 0);
        _opened = open;
        Site.Opened(open, this);
        if (mayWrite != _ownerMayWrite)
        {
            Site.Announce(new NodeChange(this, null));
        }

        return open;
    }
}
