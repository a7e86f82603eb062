namespace KeepFs.Engine.FileSystems;

/// <summary>A directory below the root of a collection, as it is shown at a place that is not the first one (<see cref="SharedCollection"/>).</summary>
internal sealed class CollectionView(CollectionEntry place, CollectionDirectory shown) : IDirectoryNode
{
    public ulong Id { get; } = shown.Owner.Services.Ids.Next();

    /// <summary>Where it is shown.</summary>
    public CollectionEntry Place => place;

    /// <summary>The collection's own node.</summary>
    public CollectionDirectory Shown => shown;

    public ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) => shown.GetAttributesAsync(cancellationToken);

    public ValueTask SyncAsync(CancellationToken cancellationToken) => shown.SyncAsync(cancellationToken);

    public async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken) => place.Show(await shown.LookupAsync(name, cancellationToken));

    public async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) =>
        place.Show(shown, await shown.ListAsync(cancellationToken));

    public ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) => shown.CreateFileAsync(name, this, cancellationToken);

    public async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken) =>
        (IDirectoryNode)place.Show(await shown.CreateDirectoryAsync(name, this, cancellationToken))!;

    public ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken) => shown.RemoveAsync(name, kind, this, cancellationToken);

    public ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken) =>
        shown.RenameAsync(name, target, targetName, mayReplace, this, cancellationToken);
}
