using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;

namespace KeepFs.Engine.Tests.Client;

public sealed class CachedBlockStoreTests
{
    private const int BlockBytes = 64 << 20;
    private readonly Source _source = new();

    [Fact]
    public async Task A_block_is_fetched_once_for_all_its_readers()
    {
        var store = Store(out var pool);
        var locator = LocatorOf(1, 4096);
        _source.Gate = new TaskCompletionSource();
        var reads = Enumerable.Range(0, 50).Select(i => store.ReadAsync(locator, i, 10, default).AsTask()).ToList();
        _source.Gate.SetResult();
        foreach (var read in reads)
        {
            using var lease = await read;
            Assert.Equal(10, lease.Memory.Length);
        }

        Assert.Equal(1, _source.Fetches);
        await store.DisposeAsync();
        Assert.Equal(0, pool.OutBytes);
    }

    [Fact]
    public async Task A_failure_reaches_every_waiting_reader_and_is_not_remembered()
    {
        var store = Store(out var pool);
        var locator = LocatorOf(2, 4096);
        _source.Failure = new KeepException(KeepErrorKind.Unavailable, "away");
        await Assert.ThrowsAsync<KeepException>(() => store.ReadAsync(locator, 0, 1, default).AsTask());
        _source.Failure = null;
        using (await store.ReadAsync(locator, 0, 1, default))
        {
            Assert.Equal(2, _source.Fetches);
        }

        await store.DisposeAsync();
        Assert.Equal(0, pool.OutBytes);
    }

    [Fact]
    public async Task A_reader_that_gives_up_does_not_end_the_fetch_for_others()
    {
        var store = Store(out var pool);
        var locator = LocatorOf(3, 4096);
        _source.Gate = new TaskCompletionSource();
        using var impatient = new CancellationTokenSource();
        var first = store.ReadAsync(locator, 0, 1, impatient.Token).AsTask();
        var second = store.ReadAsync(locator, 0, 1, default).AsTask();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _source.Gate.SetResult();
        (await second).Dispose();
        await store.DisposeAsync();
        Assert.Equal(0, pool.OutBytes);
    }

    [Fact]
    public async Task Blocks_that_nobody_reads_make_room_and_the_budget_holds()
    {
        await using var store = Store(out var pool, budgetBlocks: 2);
        for (var i = 0; i < 6; i++)
        {
            using var lease = await store.ReadAsync(LocatorOf(i, BlockBytes), 0, 1, default);
            Assert.True(pool.OutBytes <= pool.BudgetBytes);
        }

        Assert.Equal(6, _source.Fetches);
    }

    [Fact]
    public async Task A_reader_waits_for_memory_until_another_lets_go_of_a_block()
    {
        await using var store = Store(out _, budgetBlocks: 2);
        var a = await store.ReadAsync(LocatorOf(1, BlockBytes), 0, 1, default);
        var b = await store.ReadAsync(LocatorOf(2, BlockBytes), 0, 1, default);
        var third = store.ReadAsync(LocatorOf(3, BlockBytes), 0, 1, default).AsTask();
        store.Prefetch([LocatorOf(4, BlockBytes)]);
        Assert.False(third.IsCompleted);
        a.Dispose();
        (await third).Dispose();
        b.Dispose();
        Assert.Equal(3, _source.Fetches);
    }

    [Fact]
    public async Task Read_ahead_is_used_by_the_reader_that_follows()
    {
        await using var store = Store(out _);
        var locator = LocatorOf(5, 4096);
        store.Prefetch([locator]);
        (await store.ReadAsync(locator, 0, 4096, default)).Dispose();
        Assert.Equal(1, _source.Fetches);
        Assert.Equal((1, 0), (store.Hits, store.Misses));
    }

    [Fact]
    public async Task What_a_reader_awaits_is_not_dropped_for_what_it_wants_later()
    {
        await using var store = Store(out _);
        var file = Enumerable.Range(0, 30).Select(i => LocatorOf(i, BlockBytes)).ToList();
        for (var i = 0; i < file.Count; i++)
        {
            // More ahead than there is memory for.
            for (var part = 0; part < 4; part++)
            {
                using (await store.ReadAsync(file[i], part * (BlockBytes / 4), BlockBytes / 4, default))
                {
                    store.Prefetch([.. file.Skip(i + 1).Take(6)]);
                }
            }
        }

        Assert.Equal(file.Count, _source.Fetches);
    }

    [Fact]
    public async Task What_no_reader_came_for_goes_in_the_end()
    {
        await using var store = Store(out _);
        List<Locator> forgotten = [LocatorOf(253, BlockBytes), LocatorOf(254, BlockBytes), LocatorOf(255, BlockBytes)];
        store.Prefetch(forgotten);
        for (var i = 0; i < 200; i++)
        {
            (await store.ReadAsync(LocatorOf(i, BlockBytes), 0, 1, default)).Dispose();
        }

        (await store.ReadAsync(forgotten[0], 0, 1, default)).Dispose();
        Assert.Equal(forgotten.Count + 200 + 1, _source.Fetches);
    }

    [Fact]
    public async Task Blocks_are_fetched_ahead_several_at_a_time_but_the_next_one_at_once()
    {
        await using var store = Store(out var pool);
        var file = Enumerable.Range(0, 8).Select(i => LocatorOf(i, 4096)).ToList();
        store.Prefetch(file[..4]);
        Assert.Equal(4 * 4096, pool.OutBytes);

        store.Prefetch(file[1..5]);
        Assert.Equal(4 * 4096, pool.OutBytes);

        store.Prefetch(file[2..6]);
        Assert.Equal(6 * 4096, pool.OutBytes);

        store.Prefetch([file[7], .. file[3..6]]);
        Assert.Equal(7 * 4096, pool.OutBytes);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public async Task What_was_read_once_makes_room_before_new_memory_is_taken_if_asked_for(bool reuses, int kept)
    {
        await using var store = Store(out var pool, options: new BlockCacheOptions { CapacityBytes = long.MaxValue, ReusesWhatWasRead = reuses });
        for (var i = 0; i < 3; i++)
        {
            (await store.ReadAsync(LocatorOf(i, 4096), 0, 4000, default)).Dispose();
            (await store.ReadAsync(LocatorOf(i, 4096), 4000, 96, default)).Dispose();
        }

        Assert.Equal(kept * 4096, pool.OutBytes);
    }

    [Fact]
    public async Task Blocks_that_are_read_in_part_or_now_are_not_reused()
    {
        await using var store = Store(out var pool, options: new BlockCacheOptions { CapacityBytes = long.MaxValue, ReusesWhatWasRead = true });
        (await store.ReadAsync(LocatorOf(0, 4096), 0, 4095, default)).Dispose();
        using (await store.ReadAsync(LocatorOf(1, 4096), 0, 4096, default))
        {
            (await store.ReadAsync(LocatorOf(2, 4096), 0, 1, default)).Dispose();
            Assert.Equal(3 * 4096, pool.OutBytes);
        }
    }

    private static Locator LocatorOf(int number, int size) => new(BlockHash.Compute([(byte)number]), size);

    private CachedBlockStore Store(out BlockBufferPool pool, int budgetBlocks = 4, BlockCacheOptions? options = null)
    {
        pool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = (long)budgetBlocks * BlockBytes });
        return new CachedBlockStore(_source, pool, options ?? new BlockCacheOptions { CapacityBytes = long.MaxValue });
    }

    private sealed class Source : IBlockSource
    {
        private int _fetches;

        public int Fetches => _fetches;

        public TaskCompletionSource? Gate { get; set; }

        public KeepException? Failure { get; set; }

        public async ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _fetches);
            if (Gate is { } gate)
            {
                await gate.Task.WaitAsync(cancellationToken);
            }

            if (Failure is { } failure)
            {
                throw failure;
            }

            destination.Length = locator.SizeBytes;
        }

        public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
