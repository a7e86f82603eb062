using System.Buffers;
using System.Runtime.InteropServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Tests.Blocks.Hashing;

public sealed class HashServiceTests
{
    private static readonly HashServiceOptions Eager = new() { Threads = 1, InlineBytes = 4096, ReadyBytes = 1024, MaxBacklogBytes = 8192 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Many_jobs_in_pieces_give_the_hashes_of_the_library(int threads)
    {
        await using var service = new HashService(Eager with { Threads = threads });
        await Parallel.ForAsync(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 40 }, async (seed, _) =>
        {
            var random = new Random(seed);
            var data = Bytes(random, random.Next(1 << 20));
            await using var job = new HashJob(data, service);
            for (var there = 0; there < data.Length;)
            {
                there = Math.Min(data.Length, there + random.Next(1, 100_000));
                job.Advance(there);
                if (random.Next(4) == 0)
                {
                    await Task.Yield();
                }
            }

            Assert.Equal(BlockHash.Compute(data), await job.FinishAsync());
        });
    }

    [Fact]
    public async Task Every_length_around_the_borders_gives_the_hash_of_the_library()
    {
        await using var service = new HashService(Eager);
        var data = Bytes(new Random(1), 9000);
        foreach (var length in Enumerable.Range(0, 200).Concat(Enumerable.Range(4000, 200)).Concat(Enumerable.Range(8150, 100)))
        {
            Assert.Equal(BlockHash.Compute(data.AsSpan(0, length)), await HashJob.ComputeAsync(data.AsMemory(0, length), service));
        }
    }

    [Fact]
    public async Task Blocks_of_the_largest_size_with_the_default_limits_give_the_hash_of_the_library()
    {
        await using var service = new HashService(new HashServiceOptions());
        var data = Bytes(new Random(2), Locator.MaxBlockSizeBytes);
        var hashes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => HashJob.ComputeAsync(data, service).AsTask()));
        Assert.Equal([BlockHash.Compute(data)], hashes.Distinct());
    }

    [Fact]
    public async Task Job_without_a_service_hashes_on_the_callers_thread()
    {
        var data = Bytes(new Random(3), 100_000);
        await using var job = new HashJob(data, null);
        job.Advance(10);
        job.Advance(70_000);
        job.Advance(70_000);
        job.Advance(data.Length);
        var finish = job.FinishAsync().AsTask();
        Assert.True(finish.IsCompleted);
        Assert.Equal(BlockHash.Compute(data), await finish);
    }

    [Fact]
    public async Task Small_job_is_finished_at_once_and_costs_no_more_memory_than_itself()
    {
        await using var service = new HashService(new HashServiceOptions());
        var data = new byte[64 << 10];
        HashOne();
        var before = GC.GetAllocatedBytesForCurrentThread();
        HashOne();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 256);

        void HashOne()
        {
            var job = new HashJob(data, service);
            job.Advance(data.Length);
            var finish = job.FinishAsync();
            Assert.True(finish.IsCompletedSuccessfully);
        }
    }

    [Fact]
    public async Task Jobs_that_receive_nothing_do_not_hold_up_others()
    {
        await using var service = new HashService(Eager);
        var data = Bytes(new Random(4), 200_000);
        var stalled = Enumerable.Range(0, 20).Select(_ => new HashJob(data, service)).ToArray();
        foreach (var job in stalled)
        {
            job.Advance(4500);
        }

        Assert.Equal(BlockHash.Compute(data), await HashJob.ComputeAsync(data, service));
        foreach (var job in stalled)
        {
            job.Advance(data.Length);
            Assert.Equal(BlockHash.Compute(data), await job.FinishAsync());
            await job.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Disposed_job_leaves_its_memory_alone_and_others_go_on(int threads)
    {
        await using var service = new HashService(Eager with { Threads = threads });
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 30 }, async (seed, _) =>
        {
            var random = new Random(seed);
            using var memory = new CountedMemory(Bytes(random, 300_000));
            var job = new HashJob(memory.Memory, service);
            job.Advance(random.Next(200_000));
            await Task.Yield();
            job.Advance(memory.Memory.Length);
            switch (seed % 4)
            {
                case 0:
                    Assert.Equal(BlockHash.Compute(memory.Memory.Span), await job.FinishAsync());
                    break;
                case 1:
                    // Somebody waits while it is given up: either it was done by then, or the wait is cancelled.
                    var expected = BlockHash.Compute(memory.Memory.Span);
                    var finish = job.FinishAsync().AsTask();
                    await job.DisposeAsync();
                    Assert.False(job.IsRunning);
                    await Task.WhenAny(finish);
                    Assert.True(finish.IsCanceled || await finish == expected);
                    break;
            }

            await job.DisposeAsync();
            Assert.False(job.IsRunning);
            Assert.Equal(0, memory.Pins);
            await job.DisposeAsync();
        });
    }

    [Fact]
    public async Task Jobs_outlive_the_service()
    {
        var service = new HashService(Eager);
        var data = Bytes(new Random(5), 100_000);
        await using var before = new HashJob(data, service);
        before.Advance(50_000);
        await service.DisposeAsync();
        await service.DisposeAsync();
        before.Advance(data.Length);
        Assert.Equal(BlockHash.Compute(data), await before.FinishAsync());
        Assert.Equal(BlockHash.Compute(data), await HashJob.ComputeAsync(data, service));
    }

    [Fact]
    public async Task Job_used_against_its_contract_throws()
    {
        await using var job = new HashJob(new byte[100], null);
        job.Advance(50);
        Assert.Throws<ArgumentOutOfRangeException>(() => job.Advance(49));
        Assert.Throws<ArgumentOutOfRangeException>(() => job.Advance(101));
        await job.FinishAsync();
        Assert.Throws<InvalidOperationException>(() => job.Advance(60));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await job.FinishAsync());
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Memory that knows how many hold it pinned, and that is gone when disposed: a late reader would crash.</summary>
    private sealed class CountedMemory : MemoryManager<byte>
    {
        private readonly int _length;
        private int _pins;
        private unsafe byte* _start;

        public unsafe CountedMemory(ReadOnlySpan<byte> data)
        {
            _length = data.Length;
            _start = (byte*)NativeMemory.Alloc((nuint)_length);
            data.CopyTo(GetSpan());
        }

        public int Pins => Volatile.Read(ref _pins);

        public override unsafe Span<byte> GetSpan() => new(_start, _length);

        public override unsafe MemoryHandle Pin(int elementIndex = 0)
        {
            Interlocked.Increment(ref _pins);
            return new MemoryHandle(_start + elementIndex, default, this);
        }

        public override void Unpin() => Interlocked.Decrement(ref _pins);

        protected override unsafe void Dispose(bool disposing)
        {
            NativeMemory.Free(_start);
            _start = null;
        }
    }
}
