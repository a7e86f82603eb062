using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>Reading, writing, truncating, times.</summary>
public abstract partial class FileSystemContract
{
    [Fact]
    public async Task New_file_is_empty()
    {
        await Ops.CreateFileAsync(At("f"));

        Assert.Equal(0, await SizeOfAsync("f"));
        Assert.Empty(await GetAsync("f"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4097)]
    [InlineData(3_000_001)]
    public async Task Written_bytes_are_read_back(int length)
    {
        await PutAsync("f", Bytes(length));

        Assert.Equal(Bytes(length), await GetAsync("f"));
    }

    [Fact]
    public async Task Read_past_the_end_is_short_or_empty()
    {
        await PutAsync("f", Bytes(10));
        await using var file = await Ops.OpenAsync(At("f"), FileAccess.Read);

        Assert.Equal(Bytes(10)[7..], await file.ReadAsync(7, 100));
        Assert.Empty(await file.ReadAsync(10, 1));
        Assert.Empty(await file.ReadAsync(1_000_000, 1));
    }

    [Fact]
    public async Task Write_is_seen_at_once_through_another_handle()
    {
        await PutAsync("f", Bytes(100));
        await using var reader = await Ops.OpenAsync(At("f"), FileAccess.Read);
        await using var writer = await Ops.OpenAsync(At("f"), FileAccess.ReadWrite);
        Assert.Equal(Bytes(100), await reader.ReadAsync(0, 200));

        await writer.WriteAsync(50, Bytes(100, 2));

        Assert.Equal(150, await SizeOfAsync("f"));
        Assert.Equal(Join(Bytes(100)[..50], Bytes(100, 2)), await reader.ReadAsync(0, 200));
    }

    [Fact]
    public async Task Write_at_the_end_appends()
    {
        await PutAsync("f", Bytes(1000));
        for (var i = 0; i < 20; i++)
        {
            await using var file = await Ops.OpenAsync(At("f"), FileAccess.Write);
            await file.WriteAsync(1000 + (i * 7), Bytes(7, i));
        }

        Assert.Equal(Join([Bytes(1000), .. Enumerable.Range(0, 20).Select(i => Bytes(7, i))]), await GetAsync("f"));
    }

    [Fact]
    public async Task Write_past_the_end_leaves_zeros()
    {
        await PutAsync("f", Bytes(10));
        await using (var file = await Ops.OpenAsync(At("f"), FileAccess.Write))
        {
            await file.WriteAsync(100_000, Bytes(10, 2));
        }

        Assert.Equal(Join(Bytes(10), new byte[99_990], Bytes(10, 2)), await GetAsync("f"));
    }

    [Fact]
    public async Task Empty_write_past_the_end_does_not_extend()
    {
        await PutAsync("f", Bytes(10));
        await using (var file = await Ops.OpenAsync(At("f"), FileAccess.Write))
        {
            await file.WriteAsync(1000, ReadOnlyMemory<byte>.Empty);
        }

        Assert.Equal(10, await SizeOfAsync("f"));
    }

    [Fact]
    public async Task Random_overwrites_equal_those_of_an_array()
    {
        const int Size = 500_000;
        var expected = Bytes(Size);
        await PutAsync("f", expected);
        var random = new Random(7);
        await using (var file = await Ops.OpenAsync(At("f"), FileAccess.ReadWrite))
        {
            for (var i = 0; i < 200; i++)
            {
                var (offset, piece) = (random.Next(Size - 20_000), Bytes(random.Next(1, 20_000), i));
                await file.WriteAsync(offset, piece);
                piece.CopyTo(expected.AsSpan(offset));
                var (from, length) = (random.Next(Size), random.Next(1, 5000));
                Assert.Equal(expected[from..Math.Min(from + length, Size)], await file.ReadAsync(from, length));
            }
        }

        Assert.Equal(expected, await GetAsync("f"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5000)]
    public async Task Truncate_keeps_the_start_and_growing_again_shows_zeros(int size)
    {
        await PutAsync("f", Bytes(10_000));

        await Ops.SetSizeAsync(At("f"), size);
        Assert.Equal(Bytes(10_000)[..size], await GetAsync("f"));

        await Ops.SetSizeAsync(At("f"), 20_000);
        Assert.Equal(Join(Bytes(10_000)[..size], new byte[20_000 - size]), await GetAsync("f"));
    }

    [Fact]
    public async Task Truncate_is_seen_through_an_open_handle()
    {
        await PutAsync("f", Bytes(10_000));
        await using var file = await Ops.OpenAsync(At("f"), FileAccess.ReadWrite);
        Assert.Equal(10_000, (await file.ReadAsync(0, 20_000)).Length);

        await Ops.SetSizeAsync(At("f"), 100);

        Assert.Equal(Bytes(10_000)[..100], await file.ReadAsync(0, 20_000));
    }

    [Fact]
    public async Task Sync_of_an_open_file_succeeds_and_changes_nothing()
    {
        await Ops.CreateFileAsync(At("f"));
        await using (var file = await Ops.OpenAsync(At("f"), FileAccess.Write))
        {
            await file.WriteAsync(0, Bytes(100));
            await file.SyncAsync();
        }

        Assert.Equal(Bytes(100), await GetAsync("f"));
    }

    [Fact]
    public async Task Open_of_a_directory_is_an_error()
    {
        await Ops.CreateDirectoryAsync(At("d"));

        await FailsAsync(FsError.IsADirectory, () => Ops.OpenAsync(At("d"), FileAccess.Write));
    }

    [Fact]
    public async Task Modification_time_is_that_of_the_last_change()
    {
        // File systems keep seconds at worst.
        var before = Clock.GetUtcNow() - TimeSpan.FromSeconds(1);
        await PutAsync("f", Bytes(10));
        var created = (await Ops.StatAsync(At("f")))!.ModifiedAt;

        await using (var file = await Ops.OpenAsync(At("f"), FileAccess.Write))
        {
            await file.WriteAsync(5, Bytes(10));
        }

        var changed = (await Ops.StatAsync(At("f")))!.ModifiedAt;
        Assert.InRange(created, before, changed);
        Assert.InRange(changed, created, Clock.GetUtcNow() + TimeSpan.FromSeconds(1));
    }
}
