using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Engine.Manifests;
using KeepFs.Testing.Blocks;
using KeepFs.Testing.Catalog;

namespace KeepFs.Engine.Tests.FileSystems;

/// <summary>A collection over memory, and what tests do with it.</summary>
internal sealed class CollectionWorld
{
    public MemoryBlockStore Store { get; init; } = new();

    public MemoryCatalog Catalog { get; init; } = new();

    public BlockBufferPool WritePool { get; init; } = new(new BlockBufferPoolOptions { BudgetBytes = 256 << 20 });

    public List<string> Log { get; init; } = [];

    public List<NodeChange> Changes { get; } = [];

    /// <summary>Background saves never come by themselves unless a test wants them.</summary>
    public CollectionOptions Options { get; init; } = new() { SaveDelay = TimeSpan.FromHours(1) };

    public async Task<string> CreateAsync(string manifest = "") =>
        (await Catalog.CreateCollectionAsync(new CollectionChange { Collection = new CollectionWrite { Name = Guid.NewGuid().ToString(), ManifestText = Encoding.UTF8.GetBytes(manifest) } }, default)).Uuid;

    public CollectionServices Services() => new(
        Store, Catalog, WritePool, new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 256 << 20 }), Options, new NodeIds(), TimeProvider.System, Log.Add)
    { Journal = Journal };

    /// <summary>None unless a test wants one.</summary>
    public StagingJournal? Journal { get; init; }

    public Task<CollectionFileSystem> OpenAsync(string uuid) => OpenAsync(uuid, Services());

    public async Task<CollectionFileSystem> OpenAsync(string uuid, CollectionServices services) =>
        CollectionFileSystem.Open(services, (await Catalog.FindCollectionAsync(uuid, null, default))!, isWritable: true, Changes.Add);

    public async Task<string> ManifestAsync(string uuid) => Encoding.UTF8.GetString((await Catalog.FindCollectionAsync(uuid, null, default))!.ManifestText!.Value.Span);

    /// <summary>Every file of the saved collection with its content.</summary>
    public async Task<string> SavedAsync(string uuid)
    {
        var tree = ManifestTree.Load((await Catalog.FindCollectionAsync(uuid, null, default))!.ManifestText!.Value);
        return string.Join('|', tree.Walk().Select(entry => entry.Node is ManifestFile file ? $"{entry.Path}={Text(file)}" : $"{entry.Path}/"));
    }

    public string Text(ManifestFile file) => string.Concat(file.Segments.Select(s => Encoding.UTF8.GetString(Store.Blocks[s.Locator.Hash], s.Offset, s.Length)));

    public static async Task WriteAsync(CollectionFileSystem collection, string path, string text, long offset = 0)
    {
        var file = await FindAsync(collection, path) as IFileNode ?? await CreateAsync(collection, path);
        await using var handle = await file.OpenAsync(FileAccess.ReadWrite, default);
        await handle.WriteAsync(offset, Encoding.UTF8.GetBytes(text), default);
        await handle.FlushAsync(default);
    }

    public static async Task<string> ReadAsync(CollectionFileSystem collection, string path)
    {
        var file = Assert.IsAssignableFrom<IFileNode>(await FindAsync(collection, path));
        await using var handle = await file.OpenAsync(FileAccess.Read, default);
        using var lease = await handle.ReadAsync(0, 1 << 20, default);
        return Encoding.UTF8.GetString(lease.Memory.Span);
    }

    public static async Task<INode?> FindAsync(CollectionFileSystem collection, string path)
    {
        INode? node = collection.Root;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            node = node is IDirectoryNode directory ? await directory.LookupAsync(name, default) : null;
        }

        return node;
    }

    public static async Task<IDirectoryNode> DirectoryAsync(CollectionFileSystem collection, string path)
    {
        var directory = collection.Root;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            directory = await directory.LookupAsync(name, default) as IDirectoryNode ?? await directory.CreateDirectoryAsync(name, default);
        }

        return directory;
    }

    private static async Task<IFileNode> CreateAsync(CollectionFileSystem collection, string path)
    {
        var slash = path.LastIndexOf('/');
        var directory = await DirectoryAsync(collection, slash < 0 ? "" : path[..slash]);
        return await directory.CreateFileAsync(path[(slash + 1)..], default);
    }
}
