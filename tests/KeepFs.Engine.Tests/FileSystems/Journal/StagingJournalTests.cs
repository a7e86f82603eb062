using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.FileSystems.Journal;
using static KeepFs.Engine.Tests.FileSystems.CollectionWorld;

namespace KeepFs.Engine.Tests.FileSystems.Journal;

public sealed class StagingJournalTests
{
    private static readonly JournalOptions ByHand = new() { SyncInterval = TimeSpan.FromHours(1), MaxInlineBytes = 1000, FileBytes = 20_000 };

    [Fact]
    public async Task A_journal_that_cannot_be_written_makes_every_change_wait_for_its_save()
    {
        await using var world = new JournalWorld();
        var uuid = await world.World.CreateAsync();
        var collection = await world.World.OpenAsync(uuid);
        BreakDisk(world);
        await WriteAsync(collection, "small", "1");
        Assert.Equal("small=1", await world.World.SavedAsync(uuid));
        await WriteAsync(collection, "large", new string('x', 5000));
        await collection.Root.RenameAsync("small", collection.Root, "moved", true, default);
        Assert.Equal($"large={new string('x', 5000)}|moved=1", await world.World.SavedAsync(uuid));

        world.World.Catalog.UpdateFailure = new CatalogException(CatalogErrorKind.Unavailable, "away");
        Assert.Equal(FsError.NoSpace, (await Assert.ThrowsAsync<FsException>(() => WriteAsync(collection, "moved", "2"))).Error);
        world.World.Catalog.UpdateFailure = null;
        await collection.SaveAsync(default);
        Assert.EndsWith("moved=2", await world.World.SavedAsync(uuid), StringComparison.Ordinal);
        Assert.Contains(world.Log, line => line.Contains("journal cannot be written", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_full_journal_makes_writers_save_and_without_a_catalogue_answers_no_space()
    {
        await using var world = new JournalWorld(ByHand with { MaxBytes = 50_000, MaxWait = TimeSpan.Zero });
        var uuid = await world.World.CreateAsync();
        var collection = await world.World.OpenAsync(uuid);
        for (var i = 0; i < 30; i++)
        {
            await WriteAsync(collection, $"f{i}", new string('x', 9000));
            Assert.InRange(world.Journal.Bytes, 0, 60_000);
        }

        Assert.InRange(world.World.Catalog.Updates, 3, 15);
        world.World.Catalog.UpdateFailure = new CatalogException(CatalogErrorKind.Unavailable, "away");
        var failure = await Assert.ThrowsAsync<FsException>(async () =>
        {
            for (var i = 0; i < 30; i++)
            {
                await WriteAsync(collection, $"g{i}", new string('x', 900));
                await WriteAsync(collection, $"h{i}", new string('x', 9000));
            }
        });
        Assert.Equal(FsError.NoSpace, failure.Error);
        Assert.Contains("away", failure.Message, StringComparison.Ordinal);
        world.World.Catalog.UpdateFailure = null;
        var expected = await JournalWorld.DescribeAsync(collection.Root);
        await collection.SaveAsync(default);
        Assert.Equal(expected, await world.DescribeSavedAsync(world.World.Catalog, uuid));
    }

    [Fact]
    public async Task A_replay_that_fails_is_tried_again_and_leaves_the_journal_until_it_succeeds()
    {
        await using var world = new JournalWorld();
        var uuid = await world.World.CreateAsync();
        var collection = await world.World.OpenAsync(uuid);
        await WriteAsync(collection, "f", "precious");
        var expected = await JournalWorld.DescribeAsync(collection.Root);
        var crash = world.Crash();
        foreach (var catalogFails in (bool[])[true, false])
        {
            crash.Catalog.UpdateFailure = catalogFails ? new CatalogException(CatalogErrorKind.Unavailable, "away") : null;
            world.World.Store.WriteFailure = catalogFails ? null : new KeepException(KeepErrorKind.InsufficientReplicas, "no keepstore");
            Assert.Equal("", await crash.ReplayAsync(uuid, mustSucceed: false));
            Assert.Contains(crash.Log, line => line.Contains(catalogFails ? "away" : "no keepstore", StringComparison.Ordinal));
        }

        await using (var journal = StagingJournal.Open(crash.Root, "token", world.JournalOptions, TimeProvider.System, crash.Log.Add))
        {
            var again = new CollectionWorld { Store = world.World.Store, Catalog = crash.Catalog, Journal = journal, Options = new CollectionOptions { RetryDelay = TimeSpan.FromMilliseconds(1) } };
            await journal.ReplayAsync(again.Services(), TimeSpan.FromMinutes(1), default);
            Assert.Equal("no keepstore", Assert.Single(journal.Pending).LastError);
            world.World.Store.WriteFailure = null;
            while (journal.Pending.Count > 0)
            {
                await Task.Yield();
            }
        }

        Assert.Equal(expected, await world.DescribeSavedAsync(crash.Catalog, uuid));
        Assert.Equal(expected, await crash.ReplayAsync(uuid));
    }

    [Fact]
    public async Task What_others_changed_before_the_replay_stays_and_ours_is_kept_beside_it()
    {
        await using var world = new JournalWorld();
        var uuid = await world.World.CreateAsync();
        var collection = await world.World.OpenAsync(uuid);
        foreach (var name in (string[])["both", "ours", "removed here", "removed there", "moved"])
        {
            await WriteAsync(collection, name, "old");
        }

        await collection.SaveAsync(default);
        await WriteAsync(collection, "both", "ours");
        await WriteAsync(collection, "ours", "ours");
        await WriteAsync(collection, "removed there", "ours");
        await WriteAsync(collection, "new", "ours");
        await collection.Root.RemoveAsync("removed here", NodeKind.File, default);
        await collection.Root.RenameAsync("moved", collection.Root, "target", true, default);
        var crash = world.Crash();
        var theirs = CollectionFileSystem.Open(
            world.World.Services() with { Catalog = crash.Catalog, Journal = null }, (await crash.Catalog.FindCollectionAsync(uuid, null, default))!, true, _ => { });
        await WriteAsync(theirs, "both", "theirs");
        await WriteAsync(theirs, "new", "theirs");
        await WriteAsync(theirs, "removed here", "theirs");
        await WriteAsync(theirs, "target", "theirs");
        await theirs.Root.RemoveAsync("removed there", NodeKind.File, default);
        await theirs.SaveAsync(default);

        var saved = await crash.ReplayAsync(uuid);
        Assert.Matches(
            """
            \Aboth 6 theirs
            both~[-0-9]+~conflict~ 4 ours
            new 6 theirs
            new~[-0-9]+~conflict~ 4 ours
            ours 4 ours
            removed here 6 theirs
            removed there 4 ours
            target 6 theirs
            target~[-0-9]+~conflict~ 3 old
            \z
            """.ReplaceLineEndings("\n"),
            saved);
    }

    [Fact]
    public async Task Two_processes_never_share_a_journal_and_the_journal_of_a_dead_one_is_adopted()
    {
        await using var world = new JournalWorld();
        var uuid = await world.World.CreateAsync();
        var second = StagingJournal.Open(world.Root, "token", ByHand, TimeProvider.System, world.Log.Add);
        Assert.NotEqual(world.Journal.Folder, second.Folder);
        var collection = await world.World.OpenAsync(uuid, world.World.Services() with { Journal = second });
        await WriteAsync(collection, "f", "left behind");
        Assert.Empty(StagingJournal.Abandoned(second.Folder));
        await collection.DisposeAsync();
        await second.DisposeAsync();
        Assert.Equal(uuid, Assert.Single(StagingJournal.Abandoned(second.Folder)).Uuid);

        await using (var third = StagingJournal.Open(world.Root, "token", ByHand, TimeProvider.System, world.Log.Add))
        {
            await third.ReplayAsync(world.World.Services() with { Journal = third }, TimeSpan.FromMinutes(1), default);
            Assert.Empty(third.Pending);
        }

        Assert.Equal("f=left behind", await world.World.SavedAsync(uuid));
    }

    [Fact]
    public async Task Only_the_file_that_could_not_be_saved_several_times_answers_with_an_error()
    {
        var world = new CollectionWorld { Options = new CollectionOptions { SaveDelay = TimeSpan.Zero, RetryDelay = TimeSpan.FromMilliseconds(1) } };
        var (attempts, written, reached, gate) = (0, new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        world.Catalog.UpdateFailure = new CatalogException(CatalogErrorKind.Unavailable, "away");
        world.Catalog.BeforeUpdate = async () =>
        {
            await written.Task;
            if (++attempts > 3)
            {
                reached.TrySetResult();
                await gate.Task;
            }
        };
        var uuid = await world.CreateAsync();
        var services = world.Services();
        var collection = await world.OpenAsync(uuid, services);
        await WriteAsync(collection, "f", "text");
        written.SetResult();
        await reached.Task;

        var failure = await Assert.ThrowsAsync<FsException>(() => WriteAsync(collection, "f", "more"));
        Assert.Equal(FsError.InputOutput, failure.Error);
        Assert.Contains("away", failure.Message, StringComparison.Ordinal);
        await WriteAsync(collection, "other", "fine");
        var unsaved = Assert.Single(services.Unsaved());
        Assert.Equal(("away", 2), (unsaved.LastError, unsaved.FileCount));
        Assert.Equal(["f", "other"], unsaved.Files.Select(file => file.Path));

        world.Catalog.UpdateFailure = null;
        gate.SetResult();
        await collection.SaveAsync(default);
        await WriteAsync(collection, "f", "more");
        await collection.SaveAsync(default);
        Assert.Equal("f=more|other=fine", await world.SavedAsync(uuid));
        Assert.Empty(services.Unsaved());
    }

    [Fact]
    public async Task Twenty_thousand_small_files_fit_into_a_small_budget()
    {
        await using var world = new JournalWorld(new JournalOptions { SyncInterval = TimeSpan.FromHours(1) });
        var pool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 });
        var uuid = await world.World.CreateAsync();
        var collection = await world.World.OpenAsync(uuid, world.World.Services() with { WritePool = pool });
        var text = new string('x', 2000);
        for (var i = 0; i < 20_000; i++)
        {
            var file = await collection.Root.CreateFileAsync($"f{i}", default);
            await using var handle = await file.OpenAsync(FileAccess.Write, default);
            await handle.WriteAsync(0, System.Text.Encoding.ASCII.GetBytes(text), default);
            await handle.FlushAsync(default);
        }

        Assert.InRange(pool.OutBytes, 1, 128 << 20);
        await collection.SaveAsync(default);
        Assert.Equal(0, pool.OutBytes);
        Assert.InRange(world.World.Store.Blocks.Count, 1, 5);
    }

    /// <summary>From now on the journal can neither make folders nor files.</summary>
    private static void BreakDisk(JournalWorld world)
    {
        Directory.Move(world.Journal.Folder, world.Journal.Folder + ".away");
        File.WriteAllText(world.Journal.Folder, "");
    }
}
