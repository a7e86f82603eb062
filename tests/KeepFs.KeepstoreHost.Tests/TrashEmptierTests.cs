using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.KeepstoreHost.Tests;

public sealed class TrashEmptierTests
{
    [Fact]
    public async Task Every_mount_that_allows_it_is_emptied_even_after_one_failed()
    {
        var time = new ManualTime();
        var mounts = new MountTable(Enumerable.Range(0, 3).Select(i => new Mount
        {
            Uuid = $"zzzzz-nyw5e-00000000000000{i}",
            Volume = new FaultyVolume(new MemoryVolume(new TrashPolicy(TimeSpan.Zero, TimeSpan.FromHours(1), time))),
            AllowTrash = i != 2,
        }));
        var hash = BlockHash.Compute("foo"u8);
        foreach (var mount in mounts.All)
        {
            await mount.Volume.WriteAsync(hash, "foo"u8.ToArray(), default);
            Assert.Equal(TrashOutcome.Trashed, await mount.Volume.TrashAsync(hash, default));
        }

        var failing = (FaultyVolume)mounts.All[0].Volume;
        failing.WritesFailWith = KeepErrorKind.Unavailable;
        time.Advance(TimeSpan.FromHours(2));
        await using var emptier = new TrashEmptier(mounts, new CollectionsConfig(), time, NullLogger.Instance);

        await emptier.EmptyOnceAsync(default);

        failing.WritesFailWith = null;
        var stillThere = await Task.WhenAll(mounts.All.Select(mount => mount.Volume.UntrashAsync(hash, default).AsTask()));
        Assert.Equal([true, false, true], stillThere);
    }
}
