namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A directory above collections; whatever a kind does not offer is refused as mount.md section 5 says. Kinds override what they have:
/// most only <see cref="LookupAsync"/> and <see cref="ListAsync"/>.
/// </summary>
internal abstract class SiteDirectory(SiteFileSystem site) : IDirectoryNode
{
    public SiteFileSystem Site { get; } = site;

    public ulong Id { get; } = site.Services.Ids.Next();

    /// <summary>Entries appear by being asked for, so the kernel must not believe that a name is missing.</summary>
    public virtual ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) =>
        new(new NodeAttributes(NodeKind.Directory, 0, Site.StartedAt, IsWritable: false, IsCacheable: false));

    public abstract ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken);

    public abstract ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken);

    public virtual ValueTask SyncAsync(CancellationToken cancellationToken) => default;

    public virtual ValueTask<IReadOnlyDictionary<string, string>> GetExtendedAttributesAsync(CancellationToken cancellationToken) => new(INode.EmptyAttributes);

    public virtual ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) =>
        throw Refused(name, "files live inside collections, not here");

    public virtual ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken) =>
        throw Refused(name, "nothing can be created here");

    public virtual ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken) =>
        throw Refused(name, "nothing can be removed here");

    public virtual ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken) =>
        throw Refused(name, "nothing can be renamed here");

    /// <summary>A collection that this directory shows does not exist any more, or may not be read any more.</summary>
    public virtual void Vanished(CollectionEntry entry)
    {
    }

    /// <summary>Others changed what it holds; the next access asks the catalogue.</summary>
    public virtual void Invalidate()
    {
    }

    protected static IReadOnlyList<DirectoryEntry> Sorted(IEnumerable<KeyValuePair<string, INode>> entries) =>
    [
        .. entries.OrderBy(entry => entry.Key, Manifests.Utf8Order.Instance)
            .Select(entry => new DirectoryEntry(entry.Key, entry.Value is IFileNode ? NodeKind.File : NodeKind.Directory, entry.Value.Id)),
    ];

    protected FsException Refused(string name, string why) =>
        Site.Options.IsReadOnly
            ? new FsException(FsError.ReadOnly, $"\"{name}\": this mount is read-only.")
            : new FsException(FsError.NotPermitted, $"\"{name}\": {why}.");
}
