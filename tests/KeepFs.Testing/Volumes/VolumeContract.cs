using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Testing.Volumes;

/// <summary>What every <see cref="IVolume"/> must do. A subclass makes an empty one.</summary>
public abstract class VolumeContract : IAsyncLifetime
{
    // Two blocks with one MD5 (Wang and Yu, 2004), which differ in six bytes.
    private const string CollisionHex =
        "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b" +
        "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";

    private static readonly CancellationToken None = CancellationToken.None;
    private IVolume? _volume;

    /// <summary>The clock of the volume.</summary>
    protected ManualTime Time { get; } = new();

    /// <summary>Blocks may be trashed after an hour and stay in the trash for two.</summary>
    protected TrashPolicy Policy => new(TimeSpan.FromHours(1), TrashLifetime, Time);

    /// <summary>Set before the first use of <see cref="Volume"/>.</summary>
    protected TimeSpan TrashLifetime { get; set; } = TimeSpan.FromHours(2);

    /// <summary>The volume under test.</summary>
    protected IVolume Volume => _volume ??= Create();

    /// <summary>Where this kind of volume differs, as the specification allows it.</summary>
    protected virtual VolumeTraits Traits { get; } = new();

    /// <summary>Makes an empty volume with <see cref="Policy"/>.</summary>
    protected abstract IVolume Create();

    /// <inheritdoc/>
    public virtual Task InitializeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public virtual async Task DisposeAsync()
    {
        if (_volume is not null)
        {
            await _volume.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((3 << 20) + 7)]
    public async Task Written_block_is_read_back(int length)
    {
        var data = new byte[length];
        new Random(length).NextBytes(data);
        var hash = BlockHash.Compute(data);

        await Volume.WriteAsync(hash, data, None);

        var read = new byte[length];
        Assert.Equal(length, await Volume.ReadAsync(hash, read, None));
        Assert.Equal(data, read);
        Assert.Equal(CopyState.Identical, await Volume.CompareAsync(hash, data, None));
    }

    [Fact]
    public async Task Absent_block_is_a_value_everywhere()
    {
        var hash = BlockHash.Compute("never written"u8);

        Assert.Null(await Volume.ReadAsync(hash, new byte[16], None));
        Assert.Equal(CopyState.Absent, await Volume.CompareAsync(hash, new byte[1], None));
        Assert.Null(await Volume.GetMtimeAsync(hash, None));
        Assert.False(await Volume.TouchAsync(hash, None));
        Assert.Equal(TrashOutcome.NotFound, await Volume.TrashAsync(hash, None));
        Assert.False(await Volume.UntrashAsync(hash, None));
        Assert.Empty(await IndexAsync(""));
    }

    [Fact]
    public async Task Read_with_too_little_room_tells_the_size()
    {
        var hash = await WriteAsync("four");
        var room = new byte[3];

        Assert.Equal(4, await Volume.ReadAsync(hash, room, None));
        Assert.Equal(new byte[3], room);
    }

    [Theory]
    [InlineData("Foo")]
    [InlineData("fo")]
    [InlineData("fooo")]
    [InlineData("")]
    public async Task Compare_with_damaged_copy_says_corrupt(string stored)
    {
        var hash = BlockHash.Compute("foo"u8);
        await PlantAsync(hash, Encoding.UTF8.GetBytes(stored));

        Assert.Equal(CopyState.Corrupt, await Volume.CompareAsync(hash, "foo"u8.ToArray(), None));
    }

    [Fact]
    public async Task Compare_with_other_bytes_of_the_same_hash_says_collision()
    {
        var one = Convert.FromHexString(CollisionHex);
        var other = one.ToArray();
        foreach (var at in new[] { 19, 45, 59, 83, 109, 123 })
        {
            other[at] ^= 0x80;
        }

        var hash = BlockHash.Compute(one);
        Assert.Equal(hash, BlockHash.Compute(other));
        await Volume.WriteAsync(hash, one, None);

        Assert.Equal(CopyState.Collision, await Volume.CompareAsync(hash, other, None));
    }

    [Fact]
    public async Task Write_replaces_what_was_there()
    {
        var hash = BlockHash.Compute("good"u8);
        await PlantAsync(hash, "damaged and longer"u8.ToArray());
        await Volume.WriteAsync(hash, "good"u8.ToArray(), None);

        var read = new byte[4];
        Assert.Equal(4, await Volume.ReadAsync(hash, read, None));
        Assert.Equal("good"u8.ToArray(), read);
    }

    [Fact]
    public async Task Cancelled_write_leaves_nothing()
    {
        var hash = BlockHash.Compute("foo"u8);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Volume.WriteAsync(hash, "foo"u8.ToArray(), new CancellationToken(canceled: true)));

        Assert.Null(await Volume.GetMtimeAsync(hash, None));
    }

    [Fact]
    public async Task Write_and_touch_set_the_mtime()
    {
        var hash = await WriteAsync("foo");
        Assert.Equal(Now, await Volume.GetMtimeAsync(hash, None));

        Time.Advance(TimeSpan.FromSeconds(100.1234567));
        Assert.True(await Volume.TouchAsync(hash, None));
        Assert.Equal(Now, await Volume.GetMtimeAsync(hash, None));
    }

    [Fact]
    public async Task Trash_keeps_a_block_that_was_touched_within_the_minimum_age()
    {
        var hash = await WriteAsync("foo");
        Time.Advance(TimeSpan.FromMinutes(50));
        await Volume.TouchAsync(hash, None);
        Time.Advance(TimeSpan.FromMinutes(59));

        Assert.Equal(TrashOutcome.TooYoung, await Volume.TrashAsync(hash, None));
        Assert.Equal(CopyState.Identical, await Volume.CompareAsync(hash, "foo"u8.ToArray(), None));
    }

    [Fact]
    public async Task Trashed_block_is_gone_until_it_is_untrashed_with_its_old_mtime()
    {
        var hash = await WriteAsync("foo");
        var mtime = await Volume.GetMtimeAsync(hash, None);
        Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(TrashOutcome.Trashed, await Volume.TrashAsync(hash, None));
        Assert.Null(await Volume.ReadAsync(hash, new byte[3], None));
        Assert.False(await Volume.TouchAsync(hash, None));
        Assert.Empty(await IndexAsync(""));

        Assert.True(await Volume.UntrashAsync(hash, None));
        Assert.Equal(CopyState.Identical, await Volume.CompareAsync(hash, "foo"u8.ToArray(), None));
        Assert.Equal(Traits.UntrashRenewsMtime ? Now : mtime, await Volume.GetMtimeAsync(hash, None));
        Assert.Equal(Traits.UntrashLeavesTrash, await TrashHasAsync());
    }

    [Fact]
    public async Task Untrash_never_replaces_a_copy_that_is_there()
    {
        var hash = BlockHash.Compute("foo"u8);
        await PlantAsync(hash, "bad"u8.ToArray());
        Time.Advance(TimeSpan.FromHours(1));
        await Volume.TrashAsync(hash, None);
        await WriteAsync("foo");
        var mtime = await Volume.GetMtimeAsync(hash, None);

        Assert.Equal(!Traits.WriteReplacesTrash, await Volume.UntrashAsync(hash, None));

        Assert.Equal(CopyState.Identical, await Volume.CompareAsync(hash, "foo"u8.ToArray(), None));
        Assert.Equal(mtime, await Volume.GetMtimeAsync(hash, None));
    }

    [Fact]
    public async Task Trash_without_lifetime_deletes_at_once()
    {
        TrashLifetime = TimeSpan.Zero;
        var hash = await WriteAsync("foo");
        Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(TrashOutcome.Trashed, await Volume.TrashAsync(hash, None));
        Assert.False(await Volume.UntrashAsync(hash, None));
    }

    [Fact]
    public async Task Empty_trash_deletes_only_what_is_over()
    {
        var first = await WriteAsync("first");
        var second = await WriteAsync("second!");
        var kept = await WriteAsync("kept");
        Time.Advance(TimeSpan.FromHours(1));
        await Volume.TrashAsync(first, None);
        Time.Advance(TimeSpan.FromHours(1));
        await Volume.TrashAsync(second, None);
        Time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(new TrashTotals(1, 5, 1, 7, 0, 0), await Volume.EmptyTrashAsync(2, None));

        Assert.False(await Volume.UntrashAsync(first, None));
        Assert.True(await Volume.UntrashAsync(second, None));
        Assert.NotNull(await Volume.GetMtimeAsync(kept, None));
    }

    [Fact]
    public async Task Index_lists_everything_in_hash_order()
    {
        var expected = new List<IndexEntry>();
        for (var i = 0; i < 50; i++)
        {
            Time.Advance(TimeSpan.FromTicks(1));
            var text = new string('x', i);
            expected.Add(new IndexEntry(await WriteAsync(text), i, Now));
        }

        expected.Sort((a, b) => a.Hash.CompareTo(b.Hash));
        Assert.Equal(expected, await IndexAsync(""));
        foreach (var prefix in new[] { "9", "d4", "d41", "d41d8cd98f00b204e9800998ecf8427e", "0000" })
        {
            Assert.Equal(expected.Where(entry => entry.Hash.ToString().StartsWith(prefix, StringComparison.Ordinal)), await IndexAsync(prefix));
        }
    }

    [Fact]
    public async Task Concurrent_writers_readers_and_touchers_never_see_a_part()
    {
        var data = new byte[200_000];
        new Random(1).NextBytes(data);
        var hash = BlockHash.Compute(data);
        await Volume.WriteAsync(hash, data, None);

        await Parallel.ForAsync(0, 200, async (i, token) =>
        {
            switch (i % 4)
            {
                case 0:
                    await Volume.WriteAsync(hash, data, token);
                    break;
                case 1:
                    Assert.True(await Volume.TouchAsync(hash, token));
                    break;
                default:
                    var read = new byte[data.Length];
                    Assert.Equal(data.Length, await Volume.ReadAsync(hash, read, token));
                    Assert.Equal(hash, BlockHash.Compute(read));
                    break;
            }
        });
    }

    /// <summary>Now, as exactly as the volume tells it.</summary>
    protected long Now => Time.Nanoseconds - (Time.Nanoseconds % (Traits.MtimeResolution.Ticks * TimeSpan.NanosecondsPerTick));

    /// <summary>Puts bytes where a block should be that are not its own.</summary>
    protected virtual async Task PlantAsync(BlockHash hash, byte[] data) => await Volume.WriteAsync(hash, data, None);

    /// <summary>Writes text as a block.</summary>
    protected async Task<BlockHash> WriteAsync(string text)
    {
        var data = Encoding.UTF8.GetBytes(text);
        var hash = BlockHash.Compute(data);
        await Volume.WriteAsync(hash, data, None);
        return hash;
    }

    private async Task<bool> TrashHasAsync() => await Volume.EmptyTrashAsync(1, None) is { KeptBlocks: > 0 } or { DeletedBlocks: > 0 };

    private async Task<List<IndexEntry>> IndexAsync(string prefix)
    {
        var entries = new List<IndexEntry>();
        await foreach (var entry in Volume.IndexAsync(prefix, None))
        {
            entries.Add(entry);
        }

        return entries;
    }
}
