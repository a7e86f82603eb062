using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A collection in a project or under its id: shown without loading it, opened by the first look inside. Stands for the collection's root directory.
/// </summary>
internal sealed class CollectionEntry(SiteFileSystem site, string uuid, DateTimeOffset modifiedAt, bool mayWrite) : SiteDirectory(site), IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);

    /// <summary>The collection, once somebody looked inside.</summary>
    public CollectionFileSystem? Opened { get; private set; }

    public string Uuid => uuid;

    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) =>
        Opened is { } open
            ? open.Root.GetAttributesAsync(cancellationToken)
            : new(new NodeAttributes(NodeKind.Directory, 0, modifiedAt, mayWrite, IsCacheable: true));

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.LookupAsync(name, cancellationToken);

    public override async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.ListAsync(cancellationToken);

    public override async ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.CreateFileAsync(name, cancellationToken);

    public override async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.CreateDirectoryAsync(name, cancellationToken);

    public override async ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.RemoveAsync(name, kind, cancellationToken);

    public override async ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken) =>
        await (await OpenAsync(cancellationToken)).Root.RenameAsync(name, target, targetName, mayReplace, cancellationToken);

    public override async ValueTask SyncAsync(CancellationToken cancellationToken)
    {
        if (Opened is { } open)
        {
            await open.SaveAsync(cancellationToken);
        }
    }

    /// <summary>Loads the collection if that has not happened yet.</summary>
    public async ValueTask<CollectionFileSystem> OpenAsync(CancellationToken cancellationToken)
    {
        if (Opened is { } open)
        {
            return open;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (Opened is null)
            {
                var record = await Site.AskAsync(catalog => catalog.FindCollectionAsync(uuid, null, cancellationToken))
                    ?? throw new FsException(FsError.NotFound, $"There is no collection {uuid}, or it may not be read with this token.");
                Opened = Open(record);
            }

            return Opened;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Takes a record that was fetched anyway.</summary>
    public CollectionFileSystem Open(Collection record) =>
        Opened = CollectionFileSystem.Open(Site.Services, record with { Uuid = uuid }, mayWrite, change => Site.Announce(change with { Node = IsRoot(change.Node) ? this : change.Node }));

    public async ValueTask DisposeAsync()
    {
        if (Opened is { } open)
        {
            await open.DisposeAsync();
        }

        _opening.Dispose();
    }

    private static bool IsRoot(INode node) => node is CollectionDirectory { Parent: null, IsRemoved: false };
}
