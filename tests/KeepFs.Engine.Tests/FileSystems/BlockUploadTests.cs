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

        var segments = await BlockUpload.StoreAsync(new Numbers(Bytes), expected, store, _pool, BlockWriteOptions.Default, default);

        Assert.Equal([Locator.MaxBlockSizeBytes, Locator.MaxBlockSizeBytes, Locator.MaxBlockSizeBytes, 5], segments.Select(segment => segment.Length));
        Assert.Equal(store.FirstBytes.Select(first => Store.HashOf(first)), segments.Select(segment => segment.Locator.Hash));
        Assert.Equal([0, 1, 2, 3], store.FirstBytes);
        Assert.Equal(0, _pool.OutBytes);
    }

    [Fact]
    public async Task A_block_that_cannot_be_stored_ends_the_upload_and_all_memory_comes_back()
    {
        var store = new Store((number, _) => number == 1 ? Task.FromException(new KeepException(KeepErrorKind.Unavailable, "away")) : Task.CompletedTask);

        await Assert.ThrowsAsync<KeepException>(() => BlockUpload.StoreAsync(new Numbers(Bytes), Bytes, store, _pool, BlockWriteOptions.Default, default));

        Assert.Equal(0, _pool.OutBytes);
    }

    [Fact]
    public async Task Without_memory_to_spare_blocks_follow_each_other()
    {
        var small = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
        var store = new Store((_, _) => Task.CompletedTask);

        var segments = await BlockUpload.StoreAsync(new Numbers(Bytes), Bytes, store, small, BlockWriteOptions.Default, default);

        Assert.Equal(Bytes, segments.Sum(segment => (long)segment.Length));
        Assert.Equal(0, small.OutBytes);
    }

    /// <summary>Each block's worth of bytes starts with its number.</summary>
    private sealed class Numbers(long length) : MemoryStream
    {
        private long _at;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = (int)Math.Min(buffer.Length, length - _at);
            if (count > 0 && _at % Locator.MaxBlockSizeBytes == 0)
            {
                buffer.Span[0] = (byte)(_at / Locator.MaxBlockSizeBytes);
            }

            _at += count;
            return new(count);
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
            _came[number].TrySetResult();
            await before(number, _came);
            return new WrittenBlock(new Locator(HashOf(number), data.Length), 1);
        }

        public ValueTask<BlockLease> ReadAsync(Locator locator, int offset, int length, CancellationToken cancellationToken) => throw new NotSupportedException();

        public void Prefetch(Locator locator) => throw new NotSupportedException();
    }
}
