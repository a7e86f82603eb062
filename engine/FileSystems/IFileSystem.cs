namespace KeepFs.Engine.FileSystems;

/// <summary>A tree that a front can serve: one mount, or one user's session of keep-web.</summary>
public interface IFileSystem : IAsyncDisposable
{
    /// <summary>The root directory.</summary>
    IDirectoryNode Root { get; }

    /// <summary>
    /// Raised after something changed that did not come through the call that the listener itself is making: a refresh from the
    /// catalogue, another front, a merge. The kernel's caches are dropped by it. Handlers must not call back into the tree.
    /// </summary>
    event Action<NodeChange>? Changed;

    /// <summary>Totals for statfs; free space is that of the writable keepstores if known.</summary>
    ValueTask<FileSystemTotals> GetTotalsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The front begins to refer to a node for longer than one call (the kernel was told of it): the file system keeps what it needs to serve it.
    /// Never waits.
    /// </summary>
    void Hold(INode node)
    {
    }

    /// <summary>The front has let go of a node, as often as it took <see cref="Hold"/>. Never waits.</summary>
    void Release(INode node)
    {
    }

    /// <summary>Uploads and saves everything that is not saved yet; called before unmounting.</summary>
    ValueTask SyncAllAsync(CancellationToken cancellationToken);
}

/// <summary>An announced change.</summary>
/// <param name="Node">The node whose attributes and data changed, or the directory that holds <paramref name="EntryName"/>.</param>
/// <param name="EntryName">The name that appeared, vanished or now means another node; null when the node itself changed.</param>
public readonly record struct NodeChange(INode Node, string? EntryName);

/// <summary>Space and object counts.</summary>
/// <param name="TotalBytes">Capacity.</param>
/// <param name="FreeBytes">Free.</param>
public readonly record struct FileSystemTotals(long TotalBytes, long FreeBytes);
