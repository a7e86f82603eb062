using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.FileSystems.Journal;

namespace KeepFs.Engine.Tests.FileSystems.Journal;

/// <summary>Memory for unsaved data is spent while keepstores take nothing (decision 0026).</summary>
public sealed class SpillTests
{
    private const int Chunk = 1 << 20;
    private static readonly KeepException Away = new(KeepErrorKind.Unavailable, "the keepstores are away");

    [Fact]
    public async Task Three_times_the_memory_is_written_while_keepstores_are_away_and_reads_and_saves_right()
    {
        await using var world = new JournalWorld(new JournalOptions { SyncInterval = TimeSpan.FromHours(1) });
        var uuid = await world.World.CreateAsync();
        await using var collection = await world.World.OpenAsync(uuid);
        world.World.Store.WriteFailure = Away;
        var model = new byte[300 * Chunk];
        new Random(5).NextBytes(model);
        var file = await collection.Root.CreateFileAsync("large", default);
        await using var handle = await file.OpenAsync(FileAccess.ReadWrite, default);
        for (var at = 0; at < model.Length; at += Chunk)
        {
            await handle.WriteAsync(at, model.AsMemory(at, Chunk), default);
        }

        // What was put aside is overwritten in part, and small files are among it.
        for (var i = 0; i < 200; i++)
        {
            model.AsSpan(i * 1_500_000, 1000).Fill((byte)i);
            await handle.WriteAsync(i * 1_500_000, model.AsMemory(i * 1_500_000, 1000), default);
            await CollectionWorld.WriteAsync(collection, $"small{i}", $"text {i}");
        }

        Assert.True(world.World.WritePool.OutBytes <= 128 << 20);
        Assert.Contains(world.World.Log, line => line.Contains("put aside", StringComparison.Ordinal));
        await SameAsync(handle, model);
        await Assert.ThrowsAsync<FsException>(() => collection.SaveAsync(default));
        await SameAsync(handle, model);

        world.World.Store.WriteFailure = null;
        await collection.SaveAsync(default);
        await SameAsync(handle, model);
        Assert.Equal("text 7", await CollectionWorld.ReadAsync(collection, "small7"));
        Assert.Equal(0, world.World.WritePool.OutBytes);
    }

    [Fact]
    public async Task Without_a_disk_a_write_waits_for_the_keepstores_to_come_back()
    {
        var world = new CollectionWorld { WritePool = Small(), Options = Hourly with { RetryDelay = TimeSpan.FromMilliseconds(10) } };
        await using var collection = await world.OpenAsync(await world.CreateAsync());
        world.Store.WriteFailure = Away;
        var tries = 0;
        world.Store.BeforeWrite = () =>
        {
            if (++tries == 20)
            {
                world.Store.WriteFailure = null;
            }

            return Task.CompletedTask;
        };

        await FillAsync(collection);

        Assert.True(tries > 20);
        await collection.SaveAsync(default);
    }

    [Fact]
    public async Task Without_a_disk_a_write_ends_with_an_error_when_the_wait_is_over_and_nothing_that_was_written_is_lost()
    {
        var world = new CollectionWorld { WritePool = Small(), Options = Hourly with { RetryDelay = TimeSpan.FromMilliseconds(10), MaxMemoryWait = TimeSpan.FromMilliseconds(200) } };
        var uuid = await world.CreateAsync();
        await using var collection = await world.OpenAsync(uuid);
        await CollectionWorld.WriteAsync(collection, "before", "text");
        world.Store.WriteFailure = Away;

        Assert.Equal(FsError.InputOutput, (await Assert.ThrowsAsync<FsException>(() => FillAsync(collection))).Error);

        world.Store.WriteFailure = null;
        await collection.SaveAsync(default);
        Assert.Equal("text", await CollectionWorld.ReadAsync(collection, "before"));
    }

    private static CollectionOptions Hourly => new() { SaveDelay = TimeSpan.FromHours(1) };

    private static BlockBufferPool Small() => new(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 });

    private static async Task FillAsync(CollectionFileSystem collection)
    {
        var file = await collection.Root.CreateFileAsync("large", default);
        await using var handle = await file.OpenAsync(FileAccess.Write, default);
        var chunk = new byte[Chunk];
        for (var i = 0; i < 200; i++)
        {
            await handle.WriteAsync((long)i * Chunk, chunk, default);
        }
    }

    private static async Task SameAsync(IFileHandle handle, byte[] model)
    {
        for (var at = 0; at < model.Length; at += Chunk)
        {
            using var lease = await handle.ReadAsync(at, Chunk, default);
            Assert.True(lease.Memory.Span.SequenceEqual(model.AsSpan(at, Chunk)), $"at {at}");
        }
    }
}
