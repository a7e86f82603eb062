namespace KeepFs.Engine.FileSystems;

/// <summary>A directory above collections; whatever a kind does not offer is refused as mount.md section 5 says.</summary>
internal abstract class SiteDirectory(SiteFileSystem site) : IDirectoryNode
{
    protected SiteFileSystem Site { get; } = site;

    public ulong Id { get; } = site.Services.Ids.Next();

    public abstract ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken);

    public abstract ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken);

    public abstract ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken);

    public virtual ValueTask SyncAsync(CancellationToken cancellationToken) => default;

    public virtual ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) =>
        throw new FsException(FsError.NotPermitted, $"\"{name}\": files live inside collections, not here.");

    public virtual ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken) =>
        throw new FsException(FsError.NotPermitted, $"\"{name}\": nothing can be created here.");

    public virtual ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken) =>
        throw new FsException(FsError.NotPermitted, $"\"{name}\": nothing can be removed here.");

    public virtual ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken) =>
        throw new FsException(FsError.NotPermitted, $"\"{name}\": nothing can be renamed here.");
}
