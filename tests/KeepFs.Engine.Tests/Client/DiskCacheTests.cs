using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Engine.Client.DiskCache;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Client;

/// <summary>The block cache on disk: what it keeps, what it trusts, and that trouble with it costs a fetch and nothing else.</summary>
public sealed class DiskCacheTests : IDisposable
{
    private const int BlockBytes = 2 << 20;
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private readonly Source _source = new();
    private readonly List<string> _log = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_block_is_fetched_once_and_read_from_disk_after_a_restart()
    {
        await ReadAsync(_source.Block(1), "boot");
        await ReadAsync(_source.Block(1), "boot");

        Assert.Equal(1, _source.Fetches);
    }

    [Fact]
    public async Task A_small_read_of_a_cached_block_takes_little_memory()
    {
        await ReadAsync(_source.Block(1), "boot");
        await using var session = new Session(this, "boot");
        using var lease = await session.Store.ReadAsync(_source.Block(1), 4096, 100, default);

        Assert.True(lease.Memory.Span.SequenceEqual(Source.Bytes(1).AsSpan(4096, 100)));
        Assert.Equal(0, session.Pool.OutBytes);
        Assert.Equal(1, session.Store.DiskHits);
    }

    [Fact]
    public async Task After_a_boot_an_intact_block_is_taken_over_without_a_fetch()
    {
        await ReadAsync(_source.Block(1), "boot");
        await ReadAsync(_source.Block(1), "next");
        Assert.Equal(1, _source.Fetches);
        Assert.Empty(CachedFiles("blocks-boot"));
        Assert.Single(CachedFiles("blocks-next"));
    }

    [Fact]
    public async Task After_a_boot_a_block_that_lost_bytes_is_fetched_again()
    {
        await ReadAsync(_source.Block(1), "boot");
        var file = CachedFiles("blocks-boot").Single();
        var bytes = await File.ReadAllBytesAsync(file);
        bytes.AsSpan(1 << 20).Clear();
        await File.WriteAllBytesAsync(file, bytes);
        await ReadAsync(_source.Block(1), "next");

        Assert.Equal(2, _source.Fetches);
        Assert.Contains(_log, line => line.Contains("other bytes", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(BlockBytes - 1)]
    public async Task A_file_that_somebody_cut_is_not_used(int length)
    {
        await ReadAsync(_source.Block(1), "boot");
        await using (var file = File.OpenWrite(CachedFiles("blocks-boot").Single()))
        {
            file.SetLength(length);
        }

        await ReadAsync(_source.Block(1), "boot");
        Assert.Equal(2, _source.Fetches);
    }

    [Fact]
    public async Task A_whole_file_is_put_together_from_cached_blocks()
    {
        BlockRange[] pieces = [new(_source.Block(1), 5, 1 << 20), new(_source.Block(2), 0, BlockBytes), new(_source.Block(1), 0, 5)];
        await using (var session = new Session(this, "boot"))
        {
            Assert.Null(session.Store.TryOpenWhole(pieces));
            await session.ReadAsync(_source.Block(1));
            await session.ReadAsync(_source.Block(2));
        }

        await using (var session = new Session(this, "boot"))
        {
            session.Store.PrepareWhole(pieces);
        }

        await using var again = new Session(this, "boot");
        using var whole = again.Store.TryOpenWhole(pieces);
        Assert.NotNull(whole);
        var bytes = new byte[RandomAccess.GetLength(whole)];
        RandomAccess.Read(whole, bytes, 0);
        Assert.Equal([.. Source.Bytes(1).AsSpan(5, 1 << 20), .. Source.Bytes(2), .. Source.Bytes(1).AsSpan(0, 5)], bytes);
        Assert.Null(again.Store.TryOpenWhole([.. pieces.Reverse()]));
    }

    [Fact]
    public async Task A_file_that_is_one_block_is_the_cached_block_itself()
    {
        await ReadAsync(_source.Block(1), "boot");
        await using var session = new Session(this, "boot");
        using var whole = session.Store.TryOpenWhole([new(_source.Block(1), 0, BlockBytes)]);
        Assert.NotNull(whole);
        Assert.Equal(BlockBytes, RandomAccess.GetLength(whole));
        Assert.Null(session.Store.TryOpenWhole([new(_source.Block(1), 1, BlockBytes - 1)]));
    }

    [Fact]
    public async Task Whole_files_of_an_earlier_boot_are_not_used()
    {
        await A_whole_file_is_put_together_from_cached_blocks();
        await using var session = new Session(this, "next");
        Assert.Null(session.Store.TryOpenWhole([new(_source.Block(1), 5, 1 << 20), new(_source.Block(2), 0, BlockBytes), new(_source.Block(1), 0, 5)]));
    }

    [Fact]
    public async Task What_was_not_used_for_longest_goes_first_when_the_bytes_are_spent()
    {
        // 64 MiB is the least it can have.
        for (var i = 0; i < 32; i++)
        {
            await ReadAsync(_source.Block(i), "boot");
            _time.Advance(TimeSpan.FromMinutes(2));
        }

        await ReadAsync(_source.Block(0), "boot");
        await ReadAsync(_source.Block(100), "boot");

        var kept = CachedFiles("blocks-boot").Select(file => Path.GetFileName(file)).ToHashSet();
        Assert.Contains(_source.Block(0).Hash.ToString(), kept);
        Assert.Contains(_source.Block(100).Hash.ToString(), kept);
        Assert.DoesNotContain(_source.Block(1).Hash.ToString(), kept);
        Assert.True(kept.Count <= 32);
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_costs_a_fetch_and_says_so()
    {
        await using (var session = new Session(this, "boot"))
        {
            Directory.Delete(Path.Combine(_folder.Path, "tmp"), recursive: true);
            await session.ReadAsync(_source.Block(1));
            await session.ReadAsync(_source.Block(1));
        }

        Assert.Contains(_log, line => line.Contains("could not be written", StringComparison.Ordinal));
    }

    private IEnumerable<string> CachedFiles(string part) =>
        Directory.Exists(Path.Combine(_folder.Path, part)) ? Directory.EnumerateFiles(Path.Combine(_folder.Path, part), "*", SearchOption.AllDirectories) : [];

    private async Task ReadAsync(Locator locator, string boot)
    {
        await using var session = new Session(this, boot);
        await session.ReadAsync(locator);
    }

    /// <summary>One process' life.</summary>
    private sealed class Session : IAsyncDisposable
    {
        private readonly BlockCacheDirectory _disk;
        private readonly DiskCacheTests _test;

        public Session(DiskCacheTests test, string boot)
        {
            _test = test;
            _disk = new BlockCacheDirectory(new DiskCacheOptions { Path = test._folder.Path, CapacityBytes = 64 << 20, BootId = boot }, test._time, line =>
            {
                lock (test._log)
                {
                    test._log.Add(line);
                }
            });
            Pool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 });
            Store = new DiskCachedBlockStore(test._source, Pool, new BlockCacheOptions { CapacityBytes = 64 << 20 }, _disk, null);
        }

        public BlockBufferPool Pool { get; }

        public DiskCachedBlockStore Store { get; }

        public async Task ReadAsync(Locator locator)
        {
            using var lease = await Store.ReadAsync(locator, 0, locator.SizeBytes, default);
            Assert.Equal(locator.Hash, BlockHash.Compute(lease.Memory.Span));
        }

        public async ValueTask DisposeAsync()
        {
            await Store.DisposeAsync();
            _disk.Dispose();
            Assert.Equal(0, Pool.OutBytes);
        }
    }

    private sealed class Source : IBlockSource
    {
        private readonly Dictionary<BlockHash, byte[]> _blocks = [];
        private int _fetches;

        public int Fetches => _fetches;

        public static byte[] Bytes(int number)
        {
            var bytes = new byte[BlockBytes];
            new Random(number).NextBytes(bytes);
            return bytes;
        }

        public Locator Block(int number)
        {
            var bytes = Bytes(number);
            var hash = BlockHash.Compute(bytes);
            _blocks[hash] = bytes;
            return new Locator(hash, bytes.Length);
        }

        public ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _fetches);
            _blocks[locator.Hash].CopyTo(destination.Capacity);
            destination.Length = locator.SizeBytes;
            return default;
        }

        public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
