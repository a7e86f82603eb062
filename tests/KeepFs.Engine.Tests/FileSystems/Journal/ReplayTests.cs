using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using static KeepFs.Engine.Tests.FileSystems.CollectionWorld;

namespace KeepFs.Engine.Tests.FileSystems.Journal;

public sealed class ReplayTests : IAsyncDisposable
{
    private readonly JournalWorld _world = new();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_save_of_the_dead_process_that_arrives_during_the_replay_is_no_conflict()
    {
        await using var world = new JournalWorld();
        var uuid = await world.World.CreateAsync();
        await using var collection = await world.World.OpenAsync(uuid);
        await WriteAsync(collection, "a", "1");
        var directory = await collection.Root.CreateDirectoryAsync("d", default);
        await WriteAsync(collection, "d/gone", "x");
        await collection.SaveAsync(default);
        await WriteAsync(collection, "a", "2");
        await WriteAsync(collection, "new", "first");
        await directory.RemoveAsync("gone", NodeKind.File, default);
        Crash? crash = null;
        world.World.Catalog.BeforeUpdate = async () =>
        {
            // The request is under way; what is written now is for the next one.
            world.World.Catalog.BeforeUpdate = () => Task.CompletedTask;
            await WriteAsync(collection, "a", "3");
            await WriteAsync(collection, "new", "other");
            crash = world.Crash();
        };
        await collection.SaveAsync(default);
        var late = await world.World.Catalog.FindCollectionAsync(uuid, null, default);
        crash!.Catalog.BeforeUpdate = async () =>
        {
            crash.Catalog.BeforeUpdate = () => Task.CompletedTask;
            await crash.Catalog.UpdateCollectionAsync(uuid, new CollectionChange { Collection = new CollectionWrite { ManifestText = late!.ManifestText } }, default);
        };

        Assert.Equal("a 1 3\nd/\nnew 5 other\n", await crash.ReplayAsync(uuid));
        Assert.DoesNotContain(crash.Log, line => line.Contains("conflict", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Everything_answered_is_there_after_a_kill()
    {
        var uuid = await _world.World.CreateAsync();
        var collection = await _world.World.OpenAsync(uuid);
        await WriteAsync(collection, "a", "alpha");
        await WriteAsync(collection, "d/b", new string('b', 30_000));
        await DirectoryAsync(collection, "d/empty");
        await WriteAsync(collection, "gone", "x");
        await collection.Root.RemoveAsync("gone", NodeKind.File, default);
        await collection.Root.RenameAsync("a", await DirectoryAsync(collection, "d"), "moved", true, default);
        await WriteAsync(collection, "d/moved", "PH", 2);

        var crash = _world.Crash();
        Assert.Equal(await JournalWorld.DescribeAsync(collection.Root), await crash.ReplayAsync(uuid));
        Assert.Contains("d/moved 5 alPHa\n", await _world.DescribeSavedAsync(crash.Catalog, uuid), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_saved_collection_leaves_no_files()
    {
        var uuid = await _world.World.CreateAsync();
        var collection = await _world.World.OpenAsync(uuid);
        await WriteAsync(collection, "a", new string('a', 50_000));
        Assert.NotEmpty(_world.Files);
        await collection.SaveAsync(default);
        _world.Journal.SyncNow();
        Assert.Empty(_world.Files);
        Assert.Equal(0, _world.Journal.Bytes);
    }

    [Fact]
    public async Task Data_that_keepstores_have_leaves_the_journal_while_the_file_is_still_open()
    {
        var uuid = await _world.World.CreateAsync();
        var collection = await _world.World.OpenAsync(uuid);
        var file = await collection.Root.CreateFileAsync("big", default);
        await using var handle = await file.OpenAsync(FileAccess.Write, default);
        for (var i = 0; i < 20; i++)
        {
            await handle.WriteAsync(i * 10_000, new byte[10_000], default);
        }

        Assert.True(_world.Journal.Bytes > 200_000);
        await collection.FlushAsync(default);
        _world.Journal.SyncNow();
        Assert.InRange(_world.Journal.Bytes, 1, 5_000);
        await handle.WriteAsync(200_000, new byte[5], default);
        Assert.Equal(await JournalWorld.DescribeAsync(collection.Root), await _world.Crash().ReplayAsync(uuid));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public async Task Random_operations_with_saves_are_all_there_after_a_kill_at_any_time(int seed)
    {
        var random = new Random(seed);
        var uuid = await _world.World.CreateAsync();
        var collection = await _world.World.OpenAsync(uuid);
        var operations = new RandomOperations(collection, random);
        for (var step = 0; step < 400; step++)
        {
            await operations.NextAsync();
            switch (random.Next(30))
            {
                case 0:
                    await collection.SaveAsync(default);
                    break;
                case 1:
                    await collection.FlushAsync(default);
                    break;
                case 2:
                    _world.Journal.SyncNow();
                    break;
                case 3:
                    await SaveWithAccidentAsync(collection, operations, random);
                    break;
                case 4:
                    await collection.SaveClosedAsync(default);
                    break;
            }

            if (step % 4 == 0)
            {
                var expected = await JournalWorld.DescribeAsync(collection.Root);
                var crash = _world.Crash();
                var actual = await crash.ReplayAsync(uuid);
                Assert.True(expected == actual, $"step {step}\n{string.Join('\n', operations.History.TakeLast(60))}\nexpected:\n{expected}\nactual:\n{actual}\n{string.Join('\n', crash.Log)}");
            }
        }

        await operations.CloseAsync();
        await collection.SaveAsync(default);
        _world.Journal.SyncNow();
        Assert.Empty(_world.Files);
        Assert.Equal(0, _world.World.WritePool.OutBytes);
    }

    /// <summary>A save whose upload or update fails, or gets through without an answer, while work goes on; a kill in the middle of it.</summary>
    private async Task SaveWithAccidentAsync(CollectionFileSystem collection, RandomOperations operations, Random random)
    {
        var (store, catalog) = (_world.World.Store, _world.World.Catalog);
        switch (random.Next(4))
        {
            case 0:
                store.WriteFailure = new KeepException(KeepErrorKind.InsufficientReplicas, "no keepstore");
                break;
            case 1:
                catalog.UpdateFailure = new CatalogException(CatalogErrorKind.Unavailable, "away");
                break;
            case 2:
                catalog.LoseAnswers = true;
                break;
        }

        catalog.BeforeUpdate = async () =>
        {
            catalog.BeforeUpdate = () => Task.CompletedTask;
            for (var i = random.Next(6); i > 0; i--)
            {
                await operations.NextAsync();
            }
        };
        operations.History.Add("save with accident");
        try
        {
            await collection.SaveAsync(default);
        }
        catch (FsException e)
        {
            operations.History.Add(e.Message);
        }

        (store.WriteFailure, catalog.UpdateFailure, catalog.LoseAnswers, catalog.BeforeUpdate) = (null, null, false, () => Task.CompletedTask);
    }
}
