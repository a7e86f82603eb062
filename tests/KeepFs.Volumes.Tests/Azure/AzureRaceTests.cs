using System.Collections.Concurrent;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;
using KeepFs.Volumes.Azure;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.Azure;

/// <summary>What two servers of one container do to each other, and half written blobs, on Azurite.</summary>
[Collection(Azurite.Collection)]
public sealed class AzureRaceTests(Azurite azurite)
{
    // Everything may be trashed at once, where a test says nothing else.
    private static readonly TrashPolicy Policy = new(TimeSpan.Zero, TimeSpan.FromHours(2), TimeProvider.System);
    private static readonly byte[] Data = "foo"u8.ToArray();
    private static readonly BlockHash Hash = BlockHash.Compute(Data);
    private readonly ManualTime _time = new();

    [Fact]
    public async Task Touch_between_look_and_trash_keeps_the_block()
    {
        var (options, container) = await OpenClockedAsync(Policy);
        await using var other = new AzureVolume(options, container);
        await other.WriteAsync(Hash, Data, default);
        _time.Advance(TimeSpan.FromHours(1));
        await using var volume = new AzureVolume(options, new InterruptedContainer(container, before: "set_metadata", async () =>
        {
            Assert.True(await other.TouchAsync(Hash, default));
        }));

        Assert.Equal(TrashOutcome.TooYoung, await volume.TrashAsync(Hash, default));
        Assert.Equal(CopyState.Identical, await other.CompareAsync(Hash, Data, default));
    }

    [Fact]
    public async Task Write_between_look_and_delete_survives()
    {
        var (options, container) = await OpenClockedAsync(Policy with { Lifetime = TimeSpan.Zero });
        await using var other = new AzureVolume(options, container);
        await other.WriteAsync(Hash, Data, default);
        _time.Advance(TimeSpan.FromHours(1));
        await using var volume = new AzureVolume(options, new InterruptedContainer(container, before: "delete", async () => await other.WriteAsync(Hash, Data, default)));

        Assert.Equal(TrashOutcome.TooYoung, await volume.TrashAsync(Hash, default));
        Assert.Equal(CopyState.Identical, await other.CompareAsync(Hash, Data, default));
    }

    [Fact]
    public async Task Trash_between_look_and_touch_makes_the_touch_fail()
    {
        var (parameters, other) = await OpenAsync();
        await other.WriteAsync(Hash, Data, default);
        await using var volume = Interrupted(parameters, Policy, before: "set_metadata", async () =>
        {
            Assert.Equal(TrashOutcome.Trashed, await other.TrashAsync(Hash, default));
        });

        Assert.False(await volume.TouchAsync(Hash, default));
        await other.DisposeAsync();
    }

    [Fact]
    public async Task Untrash_between_listing_and_deletion_survives()
    {
        var (parameters, other) = await OpenAsync(Policy with { Lifetime = TimeSpan.FromMilliseconds(1) });
        await other.WriteAsync(Hash, Data, default);
        Assert.Equal(TrashOutcome.Trashed, await other.TrashAsync(Hash, default));
        await using var volume = Interrupted(parameters, Policy, before: "delete", async () => Assert.True(await other.UntrashAsync(Hash, default)));

        var totals = await volume.EmptyTrashAsync(1, default);

        Assert.Equal(0, totals.DeletedBlocks);
        Assert.Equal(CopyState.Identical, await other.CompareAsync(Hash, Data, default));
        await other.DisposeAsync();
    }

    [Fact]
    public async Task Metadata_are_those_of_Arvados()
    {
        var (parameters, volume) = await OpenAsync();
        using var container = new AzureContainer(Azurite.Options(parameters, Policy), null);
        var before = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        await volume.WriteAsync(Hash, Data, default);
        Assert.True(await volume.TouchAsync(Hash, default));
        var touched = await container.GetPropertiesAsync($"{Hash}", default);
        Assert.InRange(long.Parse(touched!.Metadata["touch"]), before, before + 60);

        Assert.Equal(TrashOutcome.Trashed, await volume.TrashAsync(Hash, default));
        var trashed = await container.GetPropertiesAsync($"{Hash}", default);
        Assert.InRange(long.Parse(trashed!.Metadata["expires_at"]), before + 7200, before + 7260);
        Assert.False(trashed.Metadata.ContainsKey("touch"));

        Assert.True(await volume.UntrashAsync(Hash, default));
        var untrashed = await container.GetPropertiesAsync($"{Hash}", default);
        Assert.Empty(untrashed!.Metadata.GetValueOrDefault("expires_at") ?? "");
        await volume.DisposeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Reader_waits_for_the_bytes_of_a_half_written_blob(int maxGetBytes)
    {
        var (parameters, other) = await OpenAsync();
        parameters["MaxGetBytes"] = $"{maxGetBytes}";
        parameters["WriteRacePollTime"] = "20ms";
        var traffic = new RecordedTraffic();
        await using var volume = new AzureVolume(Azurite.Options(parameters, Policy), traffic);
        using var container = new AzureContainer(Azurite.Options(parameters, Policy), null);
        await container.PutAsync($"{Hash}", Array.Empty<byte>(), "1B2M2Y8AsgTpgAmY7PhCfg==", default);
        Assert.Empty(await IndexAsync(volume));

        var read = new byte[3];
        var reading = volume.ReadAsync(Hash, read, default).AsTask();
        while (traffic.Operations.Count < 4)
        {
            Assert.False(reading.IsCompleted);
            await Task.Yield();
        }

        await other.WriteAsync(Hash, Data, default);
        Assert.Equal(3, await reading);
        Assert.Equal(Data, read);
        Assert.Single(await IndexAsync(volume));
        await other.DisposeAsync();
    }

    [Fact]
    public async Task Blob_that_stays_empty_is_told_as_empty_after_the_interval()
    {
        var (parameters, other) = await OpenAsync();
        parameters["WriteRaceInterval"] = "1s";
        parameters["WriteRacePollTime"] = "50ms";
        await using var volume = new AzureVolume(Azurite.Options(parameters, Policy));
        using var container = new AzureContainer(Azurite.Options(parameters, Policy), null);
        await container.PutAsync($"{Hash}", Array.Empty<byte>(), "1B2M2Y8AsgTpgAmY7PhCfg==", default);

        Assert.Equal(0, await volume.ReadAsync(Hash, new byte[3], default));
        Assert.Equal(CopyState.Corrupt, await volume.CompareAsync(Hash, Data, default));
        Assert.Single(await IndexAsync(volume));
        await other.DisposeAsync();
    }

    [Fact]
    public async Task Concurrent_touch_and_trash_lose_no_block()
    {
        var (options, container) = await OpenClockedAsync(Policy);
        await using var one = new AzureVolume(options, container);
        await using var two = new AzureVolume(options, container);
        var blocks = Enumerable.Range(0, 30).Select(BitConverter.GetBytes).ToDictionary(data => BlockHash.Compute(data));
        foreach (var (hash, data) in blocks)
        {
            await one.WriteAsync(hash, data, default);
        }

        _time.Advance(TimeSpan.FromHours(1));
        var outcomes = new ConcurrentBag<(bool IsTouched, TrashOutcome Trash)>();
        await Parallel.ForEachAsync(blocks, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (block, token) =>
        {
            var trashing = two.TrashAsync(block.Key, token).AsTask();
            var isTouched = await one.TouchAsync(block.Key, token);
            outcomes.Add((isTouched, await trashing));
            Assert.Equal(isTouched ? CopyState.Identical : CopyState.Absent, await one.CompareAsync(block.Key, block.Value, token));
        });

        // Exactly one of the two won, each time.
        Assert.All(outcomes, outcome => Assert.Equal(outcome.IsTouched, outcome.Trash == TrashOutcome.TooYoung));
    }

    /// <summary>A container with the test's clock, for volumes that keep blocks for an hour.</summary>
    private async Task<(AzureVolumeOptions Options, IContainer Container)> OpenClockedAsync(TrashPolicy policy)
    {
        var options = Azurite.Options(await azurite.NewContainerAsync(), policy with { MinimumAge = TimeSpan.FromHours(1), Time = _time });
        return (options, new ClockedContainer(new AzureContainer(options, null), _time));
    }

    private async Task<(Dictionary<string, string> Parameters, AzureVolume Volume)> OpenAsync(TrashPolicy? policy = null)
    {
        var parameters = await azurite.NewContainerAsync();
        return (parameters, new AzureVolume(Azurite.Options(parameters, policy ?? Policy)));
    }

    private static AzureVolume Interrupted(Dictionary<string, string> parameters, TrashPolicy policy, string before, Func<Task> work)
    {
        var options = Azurite.Options(parameters, policy);
        return new AzureVolume(options, new InterruptedContainer(new AzureContainer(options, null), before, work));
    }

    private static async Task<List<IndexEntry>> IndexAsync(AzureVolume volume)
    {
        var entries = new List<IndexEntry>();
        await foreach (var entry in volume.IndexAsync("", default))
        {
            entries.Add(entry);
        }

        return entries;
    }
}
