using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Testing;
using KeepFs.Testing.Blocks;
using KeepFs.Testing.Catalog;

namespace KeepFs.Engine.Tests.FileSystems;

/// <summary>The file system contract on a collection in a home, reached through the site tree.</summary>
public sealed class SiteContractTests : FileSystemContract
{
    private readonly MemoryBlockStore _store = new();
    private readonly MemoryCatalog _catalog = new();
    private readonly BlockBufferPool _writes = new(new BlockBufferPoolOptions { BudgetBytes = 256 << 20 });
    private SiteFileSystem? _site;

    protected override string WritableDirectory => "home/contract";

    protected override async Task<IFileOps> OpenFileSystemAsync()
    {
        await _catalog.CreateCollectionAsync(new CollectionChange { Collection = new CollectionWrite { Name = "contract", ManifestText = ReadOnlyMemory<byte>.Empty } }, default);
        _site = await SiteFileSystem.OpenAsync(Services(), new SiteOptions(), default);
        return new NodeFileOps(_site);
    }

    /// <summary>Whatever a test did must be savable, and must read the same from the catalogue afterwards.</summary>
    protected override async Task CloseFileSystemAsync()
    {
        var before = await ListAllAsync(_site!);
        await _site!.SyncAllAsync(default);
        await using (var again = await SiteFileSystem.OpenAsync(Services(), new SiteOptions(), default))
        {
            Assert.Equal(before, await ListAllAsync(again));
        }

        await _site.DisposeAsync();
        Assert.Equal(0, _writes.OutBytes);
    }

    private CollectionServices Services() => new(
        _store, _catalog, _writes, new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 256 << 20 }), new CollectionOptions(), new NodeIds(), TimeProvider.System, _ => { });

    private static async Task<List<string>> ListAllAsync(SiteFileSystem site)
    {
        var result = new List<string>();
        await WalkAsync((IDirectoryNode)(await new NodeFileOps(site).NodeAsync("home/contract")), "");
        return result;

        async Task WalkAsync(IDirectoryNode directory, string path)
        {
            foreach (var entry in await directory.ListAsync(default))
            {
                var node = (await directory.LookupAsync(entry.Name, default))!;
                result.Add($"{path}/{entry.Name} {(await node.GetAttributesAsync(default)).SizeBytes}");
                if (node is IDirectoryNode child)
                {
                    await WalkAsync(child, $"{path}/{entry.Name}");
                }
            }
        }
    }
}
