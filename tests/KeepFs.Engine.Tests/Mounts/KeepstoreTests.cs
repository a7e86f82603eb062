using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Mounts;

public sealed class KeepstoreTests
{
    private static readonly byte[] Foo = "foo"u8.ToArray();
    private static readonly BlockHash FooHash = BlockHash.Compute(Foo);
    private readonly ManualTime _time = new();
    private readonly BlockBufferPool _buffers = new(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
    private readonly RecordedEvents _events = new();

    [Fact]
    public void Mounts_are_ordered_by_priority_then_lightest_first()
    {
        // Vectors W1 and W2 of blocks.md 5.
        var table = new MountTable([Mount('1'), Mount('0'), Mount('2')]);
        Assert.Equal("201", Letters(table.ForReading(FooHash)));
        Assert.Equal("021", Letters(table.ForReading(BlockHash.Compute("bar"u8))));
        Assert.Equal("012", Letters(table.All));

        var withPriority = new MountTable([Mount('0'), Mount('1') with { Priority = 5 }, Mount('2') with { AllowWrite = false }]);
        Assert.Equal("120", Letters(withPriority.ForReading(FooHash)));
        Assert.Equal("10", Letters(withPriority.ForWriting(FooHash)));

        static string Letters(IEnumerable<Mount> mounts) => string.Concat(mounts.Select(mount => mount.Uuid[^1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9999)]
    [InlineData(int.MaxValue)]
    public async Task Read_returns_the_real_block_whatever_the_size_hint(int hint)
    {
        var large = new byte[300_000];
        var keepstore = Create(Mount('0'));
        await keepstore.WriteAsync(BlockHash.Compute(large), large, [], default);

        var block = await keepstore.ReadAsync(BlockHash.Compute(large), hint, default);

        Assert.Equal(large, block.Memory.ToArray());
        block.Release();
        Assert.Equal(0, _buffers.OutBytes);
    }

    [Theory]
    [InlineData("bad")]
    [InlineData("")]
    [InlineData("foo and more")]
    public async Task Read_with_corrupt_first_copy_uses_the_next_mount(string damage)
    {
        var keepstore = Create(Mount('0'), Mount('2'));
        await DamageAsync(keepstore.Mounts.ForReading(FooHash)[0], damage);
        await keepstore.Mounts.ForReading(FooHash)[1].Volume.WriteAsync(FooHash, Foo, default);

        var block = await keepstore.ReadAsync(FooHash, 3, default);

        Assert.Equal(Foo, block.Memory.ToArray());
        block.Release();
        Assert.Equal(1, keepstore.Counters.CorruptCopies);
        Assert.Equal(["corrupt 2"], _events.Lines);
        Assert.Equal(0, _buffers.OutBytes);
    }

    [Theory]
    [InlineData(true, true, KeepErrorKind.Corrupt)]
    [InlineData(true, false, KeepErrorKind.Corrupt)]
    [InlineData(false, true, KeepErrorKind.Unavailable)]
    [InlineData(false, false, KeepErrorKind.NotFound)]
    public async Task Read_without_a_good_copy_says_the_worst_that_was_met(bool isDamaged, bool isFailing, KeepErrorKind expected)
    {
        var faulty = new FaultyVolume(Memory()) { ReadsFailWith = isFailing ? KeepErrorKind.Unavailable : null };
        var keepstore = Create(Mount('0'), Mount('1', faulty), Mount('2'));
        if (isDamaged)
        {
            await DamageAsync(keepstore.Mounts.Find(Uuid('2'))!, "bad");
        }

        var failure = await Assert.ThrowsAsync<KeepException>(async () => await keepstore.ReadAsync(FooHash, 3, default));

        Assert.Equal(expected, failure.Kind);
        Assert.Equal(0, _buffers.OutBytes);
    }

    [Theory]
    [InlineData("", 1, "")]
    [InlineData("testclass2", 1, "testclass2=1")]
    [InlineData("testclass1,testclass2", 2, "testclass1=1,testclass2=1")]
    [InlineData("testclass2,nowhere", 1, "testclass2=1")]
    public async Task Write_satisfies_classes_as_in_the_example_of_the_specification(string classes, int replicas, string confirmed)
    {
        var keepstore = Create(Mount('1') with { StorageClasses = ["testclass1"] }, Mount('2') with { StorageClasses = ["testclass2"] });

        for (var round = 0; round < 2; round++)
        {
            var stored = await keepstore.WriteAsync(FooHash, Foo, classes.Split(',', StringSplitOptions.RemoveEmptyEntries), default);
            Assert.Equal(replicas, stored.Replicas);
            if (confirmed.Length > 0)
            {
                Assert.Equal(confirmed, string.Join(',', stored.ClassesConfirmed.Select(entry => $"{entry.Key}={entry.Value}")));
            }
        }

        // The second round compared and touched only.
        Assert.Equal(3 * replicas, keepstore.Counters.BytesWritten);
    }

    [Fact]
    public async Task Write_counts_the_replication_and_every_class_of_a_mount_once()
    {
        var keepstore = Create(Mount('0') with { StorageClasses = ["a", "b"], Replication = 3 }, Mount('1') with { StorageClasses = ["b"], Priority = -1 });

        var stored = await keepstore.WriteAsync(FooHash, Foo, ["b", "a"], default);

        Assert.Equal(3, stored.Replicas);
        Assert.Equal([("a", 3), ("b", 3)], stored.ClassesConfirmed.Select(entry => (entry.Key, entry.Value)));
    }

    [Fact]
    public async Task Write_repairs_a_corrupt_copy()
    {
        var keepstore = Create(Mount('0'), Mount('1'), Mount('2'));
        var last = keepstore.Mounts.ForWriting(FooHash)[2];
        await DamageAsync(last, "bad");

        var stored = await keepstore.WriteAsync(FooHash, Foo, [], default);

        Assert.Equal(2, stored.Replicas);
        Assert.Equal(CopyState.Identical, await last.Volume.CompareAsync(FooHash, Foo, default));
        Assert.Equal((1, 1), (keepstore.Counters.CorruptCopies, keepstore.Counters.RepairedCopies));
    }

    [Fact]
    public async Task Write_stores_again_when_the_touch_misses()
    {
        var faulty = new FaultyVolume(Memory()) { TouchesMiss = true };
        var keepstore = Create(Mount('0', faulty));
        await keepstore.WriteAsync(FooHash, Foo, [], default);
        await keepstore.WriteAsync(FooHash, Foo, [], default);

        Assert.Equal(2, faulty.Writes);
    }

    [Fact]
    public async Task Write_refreshes_the_mtime_of_an_identical_copy()
    {
        var keepstore = Create(Mount('0'));
        await keepstore.WriteAsync(FooHash, Foo, [], default);
        _time.Advance(TimeSpan.FromDays(1));
        await keepstore.WriteAsync(FooHash, Foo, [], default);

        Assert.Equal(_time.Nanoseconds, await keepstore.Mounts.All[0].Volume.GetMtimeAsync(FooHash, default));
    }

    [Theory]
    [InlineData(KeepErrorKind.Full, KeepErrorKind.Full, KeepErrorKind.Full)]
    [InlineData(KeepErrorKind.Full, KeepErrorKind.Unavailable, KeepErrorKind.Unavailable)]
    [InlineData(KeepErrorKind.Unavailable, KeepErrorKind.Full, KeepErrorKind.Unavailable)]
    public async Task Write_that_nobody_takes_says_full_only_if_all_are(KeepErrorKind first, KeepErrorKind second, KeepErrorKind expected)
    {
        var keepstore = Create(
            Mount('0', new FaultyVolume(Memory()) { WritesFailWith = first }), Mount('2', new FaultyVolume(Memory()) { WritesFailWith = second }));

        var failure = await Assert.ThrowsAsync<KeepException>(async () => await keepstore.WriteAsync(FooHash, Foo, [], default));

        Assert.Equal(expected, failure.Kind);
    }

    [Fact]
    public async Task Write_goes_on_to_the_next_mount_when_one_is_full()
    {
        var keepstore = Create(Mount('0'), Mount('2', new FaultyVolume(Memory()) { WritesFailWith = KeepErrorKind.Full, ReadsFailWith = KeepErrorKind.Unavailable }));

        Assert.Equal(1, (await keepstore.WriteAsync(FooHash, Foo, ["default"], default)).Replicas);
    }

    [Theory]
    [InlineData(false, "default")]
    [InlineData(true, "nowhere")]
    public async Task Write_without_a_candidate_says_full(bool allowWrite, string storageClass)
    {
        var keepstore = Create(Mount('0') with { AllowWrite = allowWrite });

        var failure = await Assert.ThrowsAsync<KeepException>(async () => await keepstore.WriteAsync(FooHash, Foo, [storageClass], default));

        Assert.Equal(KeepErrorKind.Full, failure.Kind);
    }

    [Fact]
    public async Task Trash_touches_only_mounts_that_allow_it()
    {
        var keepstore = Create(Mount('0') with { AllowTrash = false }, Mount('1'));
        foreach (var mount in keepstore.Mounts.All)
        {
            await mount.Volume.WriteAsync(FooHash, Foo, default);
        }

        _time.Advance(TimeSpan.FromHours(2));
        Assert.True(await keepstore.TrashAsync(FooHash, default));

        Assert.NotNull(await keepstore.Mounts.All[0].Volume.GetMtimeAsync(FooHash, default));
        Assert.Null(await keepstore.Mounts.All[1].Volume.GetMtimeAsync(FooHash, default));
        Assert.False(await keepstore.TrashAsync(FooHash, default));
        Assert.True(await keepstore.UntrashAsync(FooHash, default));
        Assert.NotNull(await keepstore.Mounts.All[1].Volume.GetMtimeAsync(FooHash, default));
    }

    private static string Uuid(char digit) => "zzzzz-nyw5e-" + new string(digit, 15);

    private static async Task DamageAsync(Mount mount, string content) =>
        await mount.Volume.WriteAsync(FooHash, System.Text.Encoding.UTF8.GetBytes(content), default);

    private Keepstore Create(params Mount[] mounts) => new(new MountTable(mounts), _buffers, _events);

    private MemoryVolume Memory() => new(new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(1), _time));

    private Mount Mount(char digit, IVolume? volume = null) => new() { Uuid = Uuid(digit), Volume = volume ?? Memory() };
}
