using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Engine.Tests.FileSystems;

public sealed class BlockUploadTests
{
    private const long Bytes = (3L * Locator.MaxBlockSizeBytes) + 5;
    private readonly BlockBufferPool _pool = new(new BlockBufferPoolOptions { BudgetBytes = 5L * Locator.MaxBlockSizeBytes });

    [Theory]
    [InlineData(Bytes)]
    [InlineData(-1)]
    public async Task Blocks_are_stored_at_once_and_listed_in_the_order_of_the_stream(long expected)
    {
        // The first is answered only after the third has come.
        var store = new Store(async (number, all) =>
        {
            if (number == 0)
            {
                await all[2].Task;
            }
        });

        var segments = await BlockUpload.StoreAsync(new Numbers(Bytes), expected, store, _pool, BlockWriteOptions.Default, grows: false, default);

        Assert.Equal([Locator.MaxBlockSizeBytes, Locator.MaxBlockSizeBytes, Locator.MaxBlockSizeBytes, 5], segments.Select(segment => segment.Length));
        Assert.Equal(store.FirstBytes.Select(first => Store.HashOf(first)), segments.Select(segment => segment.Locator.Hash));
        Assert.Equal([0, 1, 2, 3], store.FirstBytes);
        Assert.Equal(0, _pool.OutBytes);
    }

    [Fact]
    public async Task A_block_that_cannot_be_stored_ends_the_upload_and_all_memory_comes_back()
    {
        var store = new Store((number, _) => number == 1 ? Task.FromException(new KeepException(KeepErrorKind.Unavailable, "away")) : Task.CompletedTask);

        await Assert.ThrowsAsync<KeepException>(() => BlockUpload.StoreAsync(new Numbers(Bytes), Bytes, store, _pool, BlockWriteOptions.Default, grows: false, default));

        Assert.Equal(0, _pool.OutBytes);
    }

    [Fact]
    public async Task Without_memory_to_spare_blocks_follow_each_other()
    {
        var small = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
        var store = new Store((_, _) => Task.CompletedTask);

        var segments = await BlockUpload.StoreAsync(new Numbers(Bytes), Bytes, store, small, BlockWriteOptions.Default, grows: false, default);

        Assert.Equal(Bytes, segments.Sum(segment => (long)segment.Length));
        Assert.Equal(0, small.OutBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64 << 10)]
    [InlineData((64 << 10) + 1)]
    [InlineData(Locator.MaxBlockSizeBytes)]
    [InlineData(Locator.MaxBlockSizeBytes + 1)]
    public async Task Memory_that_grows_with_the_bytes_gives_the_same_blocks(int length)
    {
        foreach (var expected in (long[])[-1, length])
        {
            var store = new Store((_, _) => Task.CompletedTask);
            var segments = await BlockUpload.StoreAsync(new Numbers(length), expected, store, _pool, BlockWriteOptions.Default, grows: true, default);
            Assert.Equal(length == 0 ? [] : length > Locator.MaxBlockSizeBytes ? [Locator.MaxBlockSizeBytes, 1] : [length], segments.Select(segment => segment.Length));
            Assert.Equal(0, _pool.OutBytes);
        }
    }

    [Fact]
    public async Task A_stream_that_sends_little_takes_little_and_one_that_finds_no_memory_ends_its_block_early()
    {
        var slow = new Numbers(Bytes) { Pause = new TaskCompletionSource() };
        var store = new Store((_, _) => Task.CompletedTask);
        var small = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
        var upload = BlockUpload.StoreAsync(slow, Bytes, store, small, BlockWriteOptions.Default, grows: true, default);
        Assert.Equal(64 << 10, small.OutBytes);

        // All but 2 MiB is somebody else's.
        var others = Enumerable.Range(0, 63).Select(_ => small.TryRent(2 << 20)!).ToList();
        slow.Pause.SetResult();
        var segments = await upload;
        others.ForEach(buffer => buffer.Release());
        Assert.Equal(Bytes, segments.Sum(segment => (long)segment.Length));
        Assert.All(segments, segment => Assert.InRange(segment.Length, 1, 1 << 20));
        Assert.Equal(0, small.OutBytes);
    }

    /// <summary>Each block's worth of bytes starts with its number.</summary>
    private sealed class Numbers(long length) : MemoryStream
    {
        private long _at;

        /// <summary>Nothing comes before it ends.</summary>
        public TaskCompletionSource? Pause { get; init; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Pause is { } pause)
            {
                await pause.Task;
            }

            var count = (int)Math.Min(buffer.Length, length - _at);
            if (count > 0 && _at % Locator.MaxBlockSizeBytes == 0)
            {
                buffer.Span[0] = (byte)(_at / Locator.MaxBlockSizeBytes);
            }

            _at += count;
            return count;
        }
    }

    /// <summary>Answers a block with the hash of its first byte.</summary>
    private sealed class Store(Func<int, TaskCompletionSource[], Task> before) : IBlockStore
    {
        private readonly TaskCompletionSource[] _came = [.. Enumerable.Range(0, 4).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];

        public List<int> FirstBytes { get; } = [];

        public static BlockHash HashOf(int first) => BlockHash.Compute([(byte)first]);

        public async ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions options, CancellationToken cancellationToken)
        {
            int number = data.Span[0];
            FirstBytes.Add(number);
            _came[Math.Min(number, 3)].TrySetResult();
            await before(number, _came);
            return new WrittenBlock(new Locator(HashOf(number), data.Length), 1);
        }

        public ValueTask<BlockLease> ReadAsync(Locator locator, int offset, int length, CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Prefetch(IReadOnlyList<Locator> next) => throw new NotSupportedException();
    }
}
