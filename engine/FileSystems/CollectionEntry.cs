using System.Runtime.CompilerServices;
using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A collection in a project or under its id: shown without loading it, opened by the first look inside. Stands for the collection's root directory at this place;
/// what is inside belongs to the <see cref="SharedCollection"/>.
/// </summary>
internal sealed class CollectionEntry : SiteDirectory
{
    public const string RecordName = ".arvados#collection";

    private readonly CollectionSpecials _specials;
    private readonly ConditionalWeakTable<CollectionDirectory, CollectionView> _views = [];

    private CollectionEntry(SiteFileSystem site, CollectionServices services, CollectionKind kind, string id, DateTimeOffset modifiedAt, bool ownerMayWrite)
        : base(site)
    {
        (ModifiedAt, OwnerMayWrite) = (modifiedAt, ownerMayWrite);
        Shared = site.Nodes.Share(this, kind, id, () => new SharedCollection(site, services, kind, id));
        _specials = new CollectionSpecials(this, services.Catalog);
    }

    /// <summary>The same collection at all places.</summary>
    public SharedCollection Shared { get; }

    /// <summary>UUID or portable data hash.</summary>
    public string CollectionId => Shared.Id;

    public CollectionKind Kind => Shared.Kind;

    /// <summary>The collection, once somebody looked inside, here or at another place.</summary>
    public CollectionFileSystem? Opened => Shared.Opened;

    /// <summary>Where the kernel is told that the entry is gone; null for the root of a mount.</summary>
    public SiteDirectory? Parent { get; set; }

    /// <summary>Its name there.</summary>
    public string? Name { get; set; }

    /// <summary>Shown until it is opened.</summary>
    public DateTimeOffset ModifiedAt { get; }

    /// <summary>Known already that the user may change it; otherwise that is found out when it is opened.</summary>
    public bool OwnerMayWrite { get; }

    /// <summary>The front refers to it, to another place of the collection or to something in it.</summary>
    public bool IsHeld => Shared.IsHeld;

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
        Opened is { } open
            ? open.Root.GetAttributesAsync(cancellationToken)
            : new(new NodeAttributes(NodeKind.Directory, 0, ModifiedAt, OwnerMayWrite, IsCacheable: true));

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken) =>
        name == RecordName ? _specials.Record : Show(await (await OpenAsync(cancellationToken)).Root.LookupAsync(name, cancellationToken)) ?? _specials.Find(name);

    public override async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) =>
        await OpenAsync(cancellationToken) is var open ? Show(open.RootNode, await open.Root.ListAsync(cancellationToken)) : [];

    public override async ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).RootNode.CreateFileAsync(Free(name), this, cancellationToken);

    public override async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken) =>
        (IDirectoryNode)Show(await (await OpenAsync(cancellationToken)).RootNode.CreateDirectoryAsync(Free(name), this, cancellationToken))!;

    public override async ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken)
    {
        var open = await OpenAsync(cancellationToken);
        if (await IsSpecialAsync(open, name, cancellationToken))
        {
            throw Refused(name, "it belongs to every collection");
        }

        await open.RootNode.RemoveAsync(name, kind, this, cancellationToken);
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

        await open.RootNode.RenameAsync(name, target, targetName, mayReplace, this, cancellationToken);
    }

    /// <summary>A temporary collection has nowhere to be saved; only its data goes to keepstores, by <c>.arvados#collection</c>.</summary>
    public override async ValueTask SyncAsync(CancellationToken cancellationToken)
    {
        if (Opened is { } open)
        {
            await open.SaveAsync(cancellationToken);
        }
    }

    public override ValueTask<IReadOnlyDictionary<string, string>> GetExtendedAttributesAsync(CancellationToken cancellationToken) =>
        _specials.GetExtendedAttributesAsync(cancellationToken);

    /// <summary>Loads the collection if that has not happened yet.</summary>
    public ValueTask<CollectionFileSystem> OpenAsync(CancellationToken cancellationToken) => Shared.OpenAsync(this, null, cancellationToken);

    /// <summary>Takes a record that was fetched anyway.</summary>
    public async ValueTask OpenAsync(Collection record, CancellationToken cancellationToken) => await Shared.OpenAsync(this, record, cancellationToken);

    /// <summary>The node that stands here for one of the collection's own.</summary>
    public INode? Show(INode? node) =>
        node is CollectionDirectory directory && Shared.First != this ? _views.GetValue(directory, shown => new CollectionView(this, shown)) : node;

    /// <summary>The same for what a directory lists.</summary>
    public IReadOnlyList<DirectoryEntry> Show(CollectionDirectory directory, IReadOnlyList<DirectoryEntry> entries) =>
        Shared.First == this ? entries : [.. entries.Select(entry => entry.Kind == NodeKind.Directory ? entry with { Id = IdOf(directory, entry) } : entry)];

    /// <summary>The node that stands here for a directory, if somebody has seen it.</summary>
    public CollectionView? FindView(CollectionDirectory directory) => _views.TryGetValue(directory, out var view) ? view : null;

    private ulong IdOf(CollectionDirectory parent, DirectoryEntry entry) => entry.Id != 0 && parent.FindLoaded(entry.Name) is CollectionDirectory loaded ? FindView(loaded)?.Id ?? 0 : 0;

    private static string Free(string name) =>
        name == RecordName ? throw new FsException(FsError.AlreadyExists, $"\"{name}\" is in every collection.") : name;

    private async ValueTask<bool> IsSpecialAsync(CollectionFileSystem open, string name, CancellationToken cancellationToken) =>
        name == RecordName || (_specials.Find(name) is not null && await open.Root.LookupAsync(name, cancellationToken) is null);
}
