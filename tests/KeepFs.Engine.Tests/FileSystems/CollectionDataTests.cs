using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using static KeepFs.Engine.Tests.FileSystems.CollectionWorld;

namespace KeepFs.Engine.Tests.FileSystems;

public sealed class CollectionDataTests
{
    [Fact]
    public async Task Random_operations_match_an_array_through_saves_and_reopening()
    {
        var world = new CollectionWorld();
        var uuid = await world.CreateAsync();
        var collection = await world.OpenAsync(uuid);
        await WriteAsync(collection, "f", "");
        var random = new Random(7);
        var expected = Array.Empty<byte>();
        var handle = await OpenAsync(collection);
        for (var step = 0; step < 1500; step++)
        {
            switch (random.Next(12))
            {
                case < 6:
                    var data = new byte[random.Next(1, 9000)];
                    random.NextBytes(data);
                    var offset = random.Next(3) == 0 ? expected.Length : random.Next(expected.Length + 5000);
                    await handle.WriteAsync(offset, data, default);
                    Array.Resize(ref expected, Math.Max(expected.Length, offset + data.Length));
                    data.CopyTo(expected, offset);
                    break;
                case 6:
                    Array.Resize(ref expected, random.Next(expected.Length + 3000));
                    await ((IFileNode)(await FindAsync(collection, "f"))!).SetSizeAsync(expected.Length, default);
                    break;
                case 7:
                    await collection.FlushAsync(default);
                    break;
                case 8 when step % 4 == 0:
                    await collection.SaveAsync(default);
                    break;
                case 9 when step % 5 == 0:
                    await handle.DisposeAsync();
                    await collection.SaveAsync(default);
                    collection = await world.OpenAsync(uuid);
                    handle = await OpenAsync(collection);
                    break;
                default:
                    var from = random.Next(expected.Length + 10);
                    var length = random.Next(20000);
                    using (var lease = await handle.ReadAsync(from, length, default))
                    {
                        Assert.True(lease.Memory.Span.SequenceEqual(expected.AsSpan(Math.Min(from, expected.Length), Math.Max(0, Math.Min(length, expected.Length - from)))), $"step {step}");
                    }

                    break;
            }
        }

        await handle.DisposeAsync();
        await collection.SaveAsync(default);
        Assert.Equal(0, world.WritePool.OutBytes);

        static async Task<IFileHandle> OpenAsync(CollectionFileSystem collection) =>
            await ((IFileNode)(await FindAsync(collection, "f"))!).OpenAsync(FileAccess.ReadWrite, default);
    }

    [Fact]
    public async Task A_large_file_becomes_full_blocks_and_a_tail_within_a_small_budget()
    {
        var world = new CollectionWorld { WritePool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 }) };
        var uuid = await world.CreateAsync();
        var collection = await world.OpenAsync(uuid);
        var file = await collection.Root.CreateFileAsync("big", default);
        var handle = await file.OpenAsync(FileAccess.Write, default);
        var piece = new byte[1 << 20];
        for (var i = 0; i < 200; i++)
        {
            piece[0] = (byte)i;
            await handle.WriteAsync((long)i << 20, piece, default);
        }

        await handle.FlushAsync(default);
        await handle.DisposeAsync();
        await collection.SaveAsync(default);
        var manifest = await world.ManifestAsync(uuid);
        Assert.EndsWith($" 0:{200L << 20}:big\n", manifest, StringComparison.Ordinal);
        Assert.Equal(4, world.Store.Blocks.Count);
        Assert.Equal(0, world.WritePool.OutBytes);
    }

    [Fact]
    public async Task Two_hundred_open_files_do_not_exhaust_the_budget()
    {
        var world = new CollectionWorld { WritePool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 }) };
        var collection = await world.OpenAsync(await world.CreateAsync());
        var handles = new List<IFileHandle>();
        for (var i = 0; i < 200; i++)
        {
            handles.Add(await (await collection.Root.CreateFileAsync($"f{i}", default)).OpenAsync(FileAccess.Write, default));
        }

        var piece = new byte[1 << 20];
        foreach (var handle in handles)
        {
            await handle.WriteAsync(0, piece, default);
            await handle.WriteAsync(piece.Length, piece, default);
        }

        foreach (var handle in handles)
        {
            await handle.DisposeAsync();
        }

        await collection.SaveAsync(default);
        Assert.Equal(0, world.WritePool.OutBytes);
    }

    [Fact]
    public async Task A_writer_gets_the_memory_that_open_files_of_another_collection_hold()
    {
        var world = new CollectionWorld { WritePool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 }) };
        var services = world.Services();
        var (idle, busy) = (await world.OpenAsync(await world.CreateAsync(), services), await world.OpenAsync(await world.CreateAsync(), services));
        var piece = new byte[9 << 20];
        var handles = new List<IFileHandle>();
        for (var i = 0; i < 8; i++)
        {
            handles.Add(await (await idle.Root.CreateFileAsync($"f{i}", default)).OpenAsync(FileAccess.Write, default));
            await handles[i].WriteAsync(0, piece, default);
        }

        handles.Add(await (await busy.Root.CreateFileAsync("f", default)).OpenAsync(FileAccess.Write, default));
        await handles[^1].WriteAsync(0, piece, default);
        foreach (var handle in handles)
        {
            await handle.DisposeAsync();
        }

        await idle.SaveAsync(default);
        await busy.SaveAsync(default);
        Assert.Equal(0, world.WritePool.OutBytes);
    }

    [Fact]
    public async Task A_sparse_file_of_5_gib_costs_one_block_of_zeros()
    {
        var world = new CollectionWorld();
        var uuid = await world.CreateAsync();
        var collection = await world.OpenAsync(uuid);
        var file = await collection.Root.CreateFileAsync("sparse", default);
        await file.SetSizeAsync(5L << 30, default);
        await collection.SaveAsync(default);
        Assert.Equal("7f614da9329cd3aebf59b91aadc30bf0", Assert.Single(world.Store.Blocks).Key.ToString());
        Assert.Equal(5L << 30, (await file.GetAttributesAsync(default)).SizeBytes);
    }

    [Fact]
    public async Task An_unlinked_open_file_goes_on_and_gives_its_memory_back_when_closed()
    {
        var world = new CollectionWorld();
        var uuid = await world.CreateAsync();
        var collection = await world.OpenAsync(uuid);
        var handle = await (await collection.Root.CreateFileAsync("t", default)).OpenAsync(FileAccess.ReadWrite, default);
        await handle.WriteAsync(0, "abc"u8.ToArray(), default);
        await collection.Root.RemoveAsync("t", NodeKind.File, default);
        await handle.WriteAsync(3, "def"u8.ToArray(), default);
        using (var lease = await handle.ReadAsync(0, 10, default))
        {
            Assert.Equal("abcdef"u8.ToArray(), lease.Memory.ToArray());
        }

        await collection.SaveAsync(default);
        Assert.Equal("", await world.SavedAsync(uuid));
        await handle.DisposeAsync();
        Assert.Equal(0, world.WritePool.OutBytes);
    }
}
