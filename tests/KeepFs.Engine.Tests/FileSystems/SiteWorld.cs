using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Testing;
using KeepFs.Testing.Blocks;
using KeepFs.Testing.Catalog;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.FileSystems;

/// <summary>A mount's tree over a catalogue in memory, and what tests do with it.</summary>
internal sealed class SiteWorld : IAsyncDisposable
{
    public MemoryBlockStore Store { get; } = new();

    public MemoryCatalog Catalog { get; } = new();

    public ManualTime Time { get; } = new();

    public List<string> Log { get; } = [];

    public List<NodeChange> Changes { get; } = [];

    public SiteFileSystem Site { get; private set; } = null!;

    public NodeFileOps Ops => new(Site);

    public async Task OpenAsync(SiteOptions? options = null, ICatalogEvents? events = null)
    {
        var services = new CollectionServices(
            Store, Catalog, Pool(), Pool(), new CollectionOptions { SaveDelay = TimeSpan.FromHours(1) }, new NodeIds(), Time, line => Locked(() => Log.Add(line)));
        Site = await SiteFileSystem.OpenAsync(services, options ?? new SiteOptions(), events, default);
        Site.Changed += change => Locked(() => Changes.Add(change));
    }

    public async Task<string> CollectionAsync(string name, string? owner = null, string manifest = "") =>
        (await Catalog.CreateCollectionAsync(
            new CollectionChange { Collection = new CollectionWrite { Name = name, OwnerUuid = owner, ManifestText = Encoding.UTF8.GetBytes(manifest) } }, default)).Uuid;

    public async Task<string[]> ListAsync(string path) =>
        [.. (await ((IDirectoryNode)await Ops.NodeAsync(path)).ListAsync(default)).Select(entry => entry.Name)];

    public async Task<string> ReadAsync(string path)
    {
        await using var handle = await ((IFileNode)await Ops.NodeAsync(path)).OpenAsync(FileAccess.Read, default);
        using var lease = await handle.ReadAsync(0, 1 << 20, default);
        return Encoding.UTF8.GetString(lease.Memory.Span);
    }

    public async Task WriteAsync(string path, string text)
    {
        var parent = await Ops.ParentOfAsync(path);
        var name = NodeFileOps.NameOf(path);
        var file = await parent.LookupAsync(name, default) as IFileNode ?? await parent.CreateFileAsync(name, default);
        await using var handle = await file.OpenAsync(FileAccess.Write, default);
        await handle.WriteAsync(0, Encoding.UTF8.GetBytes(text), default);
        await handle.FlushAsync(default);
    }

    public async Task<bool> IsWritableAsync(string path) => (await (await Ops.NodeAsync(path)).GetAttributesAsync(default)).IsWritable;

    /// <summary>The error that the operation ends with.</summary>
    public static async Task<FsError> ErrorOfAsync(Func<Task> operation) => (await Assert.ThrowsAsync<FsException>(operation)).Error;

    public async ValueTask DisposeAsync()
    {
        if (Site is not null)
        {
            await Site.DisposeAsync();
        }
    }

    private static BlockBufferPool Pool() => new(new BlockBufferPoolOptions { BudgetBytes = 256 << 20 });

    private void Locked(Action action)
    {
        lock (Log)
        {
            action();
        }
    }
}
