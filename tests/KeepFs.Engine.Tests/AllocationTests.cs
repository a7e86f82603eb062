using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.Tests;

/// <summary>
/// The allocation gate: bytes allocated on hot paths, which repeat exactly, against the limits in allocation-limits.json. Raising a limit is a decision
/// that shows in a commit.
/// </summary>
public sealed class AllocationTests
{
    private const int Rounds = 1000;
    private static readonly byte[] HashText = Encoding.ASCII.GetBytes("acbd18db4cc2f85cedef654fccc4a4d8");

    [Fact]
    public void Parsing_a_hash() => Check("BlockHash.Parse", () => Assert.True(BlockHash.TryParse(HashText, out _)));

    [Fact]
    public void Hashing_a_small_block()
    {
        var data = new byte[4096];
        Check("BlockHash.Compute 4 KiB", () => BlockHash.Compute(data));
    }

    [Fact]
    public void Weighing_a_service()
    {
        var hash = BlockHash.Empty;
        Check("ProbeOrder.Weight", () => ProbeOrder.Weight(hash, "zzzzz-bi6l4-000000000000003"));
    }

    [Fact]
    public void Signing_a_locator_of_a_manifest()
    {
        var signer = new LocatorSigner("key", TimeSpan.FromDays(14));
        var (token, expiry, hint) = (new byte[60], "7fffffff"u8.ToArray(), new byte[LocatorSigner.HintLength]);
        Check("LocatorSigner.WriteHint", () => signer.WriteHint(HashText, token, expiry, hint));
    }

    [Fact]
    public void Parsing_a_manifest()
    {
        const int files = 10_000;
        var manifest = Encoding.ASCII.GetBytes(
            ". acbd18db4cc2f85cedef654fccc4a4d8+3" + string.Concat(Enumerable.Range(0, files).Select(i => string.Create(CultureInfo.InvariantCulture, $" 0:3:file{i:d6}"))) + "\n");
        Check("ManifestIndex.Parse per file", () => ManifestIndex.Parse(manifest), rounds: 3, divideBy: files);
    }

    [Fact]
    public async Task Reading_a_cached_block()
    {
        var pool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 });
        await using var store = new CachedBlockStore(new Zeros(), pool, new BlockCacheOptions());
        var locator = new Locator(BlockHash.Compute(new byte[4096]), 4096);
        (await store.ReadAsync(locator, 0, 1, default)).Dispose();
        Check("CachedBlockStore.ReadAsync hit", () => Take(store.ReadAsync(locator, 10, 1000, default)));

        var reader = new SegmentReader([new ManifestSegment(locator, 0, 4096)]);
        Check("SegmentReader.ReadRunAsync hit", () => Take(reader.ReadRunAsync(store, 100, 1000, default)));
    }

    private static void Take(ValueTask<BlockLease> read)
    {
        // Not a blocking wait: a hit completes at once, or the test fails.
        Assert.True(read.IsCompletedSuccessfully);
        read.Result.Dispose();
    }

    private static void Check(string name, Action action, int rounds = Rounds, int divideBy = 1)
    {
        for (var i = 0; i < Math.Min(rounds, 200); i++)
        {
            action();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < rounds; i++)
        {
            action();
        }

        var bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / rounds / divideBy;
        var limit = Limits()[name];
        Assert.True(bytes <= limit, $"{name}: {bytes} bytes allocated, the limit is {limit}");
    }

    private static Dictionary<string, long> Limits([CallerFilePath] string here = "") =>
        JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "allocation-limits.json")))!;

    private sealed class Zeros : IBlockSource
    {
        public ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
        {
            destination.Length = locator.SizeBytes;
            return default;
        }

        public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
