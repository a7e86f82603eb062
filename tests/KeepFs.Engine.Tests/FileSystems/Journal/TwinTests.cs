namespace KeepFs.Engine.Tests.FileSystems.Journal;

/// <summary>Saves and refreshes show nowhere: a collection that is saved in the middle of work always looks like its twin that never is.</summary>
public sealed class TwinTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Saves_and_refreshes_in_the_middle_of_work_change_nothing_that_is_seen(int seed)
    {
        var world = new CollectionWorld();
        var uuid = await world.CreateAsync();
        var saved = await world.OpenAsync(uuid);
        var twin = await world.OpenAsync(await world.CreateAsync());
        var (left, right) = (new RandomOperations(saved, new Random(seed)), new RandomOperations(twin, new Random(seed)));
        var random = new Random(-seed);
        for (var step = 0; step < 1500; step++)
        {
            await StepAsync();
            world.Catalog.BeforeUpdate = async () =>
            {
                world.Catalog.BeforeUpdate = () => Task.CompletedTask;
                for (var i = random.Next(5); i > 0; i--)
                {
                    await StepAsync();
                }
            };
            switch (random.Next(12))
            {
                case 0:
                    await saved.SaveAsync(default);
                    break;
                case < 3:
                    left.History.Add("save closed");
                    await saved.SaveClosedAsync(default);
                    break;
                case 3:
                    left.History.Add("refresh");
                    world.Catalog.BeforeUpdate = () => Task.CompletedTask;
                    var theirs = await world.OpenAsync(uuid);
                    await CollectionWorld.WriteAsync(theirs, "theirs", $"{step}");
                    await theirs.SaveAsync(default);
                    await saved.RefreshAsync(default);
                    await CollectionWorld.WriteAsync(twin, "theirs", $"{step}");
                    break;
            }

            var (actual, expected) = (await JournalWorld.DescribeAsync(saved.Root), await JournalWorld.DescribeAsync(twin.Root));
            Assert.True(expected == actual, $"step {step}\n{string.Join('\n', left.History.TakeLast(60))}\nexpected:\n{expected}\nactual:\n{actual}");
        }

        async Task StepAsync()
        {
            await left.NextAsync();
            await right.NextAsync();
        }
    }
}
