using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Testing.Volumes;

/// <summary>What every <see cref="IVolume"/> must do for readers, however its blocks came there. A subclass makes one with given blocks.</summary>
public abstract class ReadableVolumeContract
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>Makes a volume that holds these blocks, and nothing else.</summary>
    protected abstract Task<IVolume> CreateAsync(IReadOnlyList<byte[]> blocks);

    [Theory]
    [InlineData(1)]
    [InlineData((3 << 20) + 7)]
    public async Task Held_block_is_read_and_compared(int length)
    {
        var data = new byte[length];
        new Random(length).NextBytes(data);
        await using var volume = await CreateAsync([data]);
        var hash = BlockHash.Compute(data);
        var read = new byte[length + 5];

        Assert.Equal(length, await volume.ReadAsync(hash, read, None));
        Assert.Equal(data, read[..length]);
        Assert.Equal(new byte[5], read[length..]);
        Assert.Equal(CopyState.Identical, await volume.CompareAsync(hash, data, None));
        Assert.NotNull(await volume.GetMtimeAsync(hash, None));
    }

    [Fact]
    public async Task Block_that_is_not_held_is_a_value_everywhere()
    {
        await using var volume = await CreateAsync([Encoding.UTF8.GetBytes("another")]);
        var hash = BlockHash.Compute("never held"u8);

        Assert.Null(await volume.ReadAsync(hash, new byte[16], None));
        Assert.Equal(CopyState.Absent, await volume.CompareAsync(hash, new byte[1], None));
        Assert.Null(await volume.GetMtimeAsync(hash, None));
        Assert.False(await volume.TouchAsync(hash, None));
        Assert.Equal(TrashOutcome.NotFound, await volume.TrashAsync(hash, None));
        Assert.False(await volume.UntrashAsync(hash, None));
    }

    [Fact]
    public async Task Too_little_room_gets_the_size_and_no_bytes()
    {
        await using var volume = await CreateAsync([Encoding.UTF8.GetBytes("four")]);
        var room = new byte[3];

        Assert.Equal(4, await volume.ReadAsync(BlockHash.Compute("four"u8), room, None));
        Assert.Equal(new byte[3], room);
    }

    [Fact]
    public async Task Cancelled_read_is_not_begun()
    {
        await using var volume = await CreateAsync([Encoding.UTF8.GetBytes("four")]);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await volume.ReadAsync(BlockHash.Compute("four"u8), new byte[4], new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task Touched_block_has_a_newer_mtime()
    {
        await using var volume = await CreateAsync([Encoding.UTF8.GetBytes("touch me")]);
        var hash = BlockHash.Compute("touch me"u8);
        var before = await volume.GetMtimeAsync(hash, None);
        PassTime();

        Assert.True(await volume.TouchAsync(hash, None));
        Assert.True(await volume.GetMtimeAsync(hash, None) > before);
    }

    [Fact]
    public async Task Index_lists_every_block_once_in_hash_order_and_honours_prefixes()
    {
        var blocks = Enumerable.Range(0, 300).Select(i => Encoding.UTF8.GetBytes($"block {i}")).ToArray();
        await using var volume = await CreateAsync(blocks);
        var expected = blocks.Select(block => new { Hash = BlockHash.Compute(block), block.Length }).OrderBy(entry => entry.Hash).ToArray();
        var one = expected[17].Hash.ToString();

        foreach (var prefix in Enumerable.Range(0, BlockHash.TextLength + 1).Select(length => one[..length]))
        {
            var listed = new List<IndexEntry>();
            await foreach (var entry in volume.IndexAsync(prefix, None))
            {
                listed.Add(entry);
            }

            var wanted = expected.Where(entry => entry.Hash.ToString().StartsWith(prefix, StringComparison.Ordinal)).ToArray();
            Assert.Equal(wanted.Select(entry => entry.Hash), listed.Select(entry => entry.Hash));
            Assert.Equal(wanted.Select(entry => (long)entry.Length), listed.Select(entry => entry.SizeBytes));
        }
    }

    /// <summary>Moves the clock of the volume by a second or more.</summary>
    protected abstract void PassTime();
}
