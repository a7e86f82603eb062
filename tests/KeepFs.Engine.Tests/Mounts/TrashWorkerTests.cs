using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Mounts;

public sealed class TrashWorkerTests
{
    private static readonly BlockHash Foo = BlockHash.Compute("foo"u8);
    private readonly ManualTime _time = new();
    private readonly TrashPolicy _policy;
    private readonly RecordedEvents _events = new();
    private readonly MountTable _mounts;

    public TrashWorkerTests()
    {
        _policy = new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(1), _time);
        _mounts = new MountTable(Enumerable.Range(0, 3).Select(i => new Mount
        {
            Uuid = $"zzzzz-nyw5e-{new string((char)('0' + i), 15)}",
            Volume = new FaultyVolume(new MemoryVolume(_policy)),
            AllowTrash = i != 2,
        }));
    }

    [Fact]
    public async Task Item_without_a_mount_is_trashed_wherever_that_is_allowed()
    {
        var mtime = await StoreAsync();
        _time.Advance(TimeSpan.FromHours(2));

        await TrashAsync(mtime, "");

        Assert.Equal("..2", await WhereAsync());
        Assert.Equal(["trashed 0", "trashed 1"], _events.Lines);
    }

    [Theory]
    [InlineData("zzzzz-nyw5e-111111111111111", 0, "0.2", "trashed 1")]
    [InlineData("zzzzz-nyw5e-222222222222222", 0, "012", "kept 2")] // may not be trashed
    [InlineData("zzzzz-nyw5e-333333333333333", 0, "012", "kept 3")] // unknown
    [InlineData("", 1, "012", "kept 0,kept 1")] // another copy than the one on the list
    [InlineData("", -1, "012", "kept 0,kept 1")]
    public async Task Item_is_trashed_only_where_mount_and_mtime_fit(string mount, long nanosecondsOff, string left, string events)
    {
        var mtime = await StoreAsync();
        _time.Advance(TimeSpan.FromHours(2));

        await TrashAsync(mtime + nanosecondsOff, mount);

        Assert.Equal(left, await WhereAsync());
        Assert.Equal(events.Split(','), _events.Lines);
    }

    [Fact]
    public async Task Listed_mtime_that_is_too_young_keeps_the_block()
    {
        var mtime = await StoreAsync();
        _time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        await TrashAsync(mtime, "");
        Assert.Equal("012", await WhereAsync());

        _time.Advance(TimeSpan.FromTicks(1));
        await TrashAsync(mtime, "");
        Assert.Equal("..2", await WhereAsync());
    }

    [Fact]
    public async Task Failure_on_one_mount_leaves_the_others_to_be_trashed()
    {
        var mtime = await StoreAsync();
        _time.Advance(TimeSpan.FromHours(2));
        ((FaultyVolume)_mounts.All[0].Volume).WritesFailWith = KeepErrorKind.Unavailable;

        await TrashAsync(mtime, "");

        Assert.Equal("0.2", await WhereAsync());
        Assert.Equal(["trash 0", "trashed 1"], _events.Lines);
    }

    private ValueTask TrashAsync(long mtime, string mount) => new TrashWorker(_mounts, _policy, _events).TrashAsync(new TrashItem(Foo, mtime, mount), default);

    private async Task<long> StoreAsync()
    {
        foreach (var mount in _mounts.All)
        {
            await mount.Volume.WriteAsync(Foo, "foo"u8.ToArray(), default);
        }

        return _time.Nanoseconds;
    }

    private async Task<string> WhereAsync() =>
        string.Concat(await Task.WhenAll(_mounts.All.Select(async mount => await mount.Volume.GetMtimeAsync(Foo, default) is null ? '.' : mount.Uuid[^1])));
}
