using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Tests.Volumes;

public sealed class SyncPaceTests
{
    private readonly Clock _clock = new();
    private readonly SyncPace _pace;

    public SyncPaceTests() => _pace = new SyncPace(shareFrom: 2, _clock);

    [Fact]
    public void Writes_share_from_the_second_on_and_not_beside_a_large_one()
    {
        _pace.Enter(isLarge: false);
        Assert.False(_pace.ShouldShare());
        _pace.Enter(isLarge: false);
        Assert.True(_pace.ShouldShare());
        _pace.Enter(isLarge: true);
        Assert.False(_pace.ShouldShare());
        _pace.Leave(isLarge: true);
        Assert.True(_pace.ShouldShare());
        _pace.Leave(isLarge: false);
        Assert.False(_pace.ShouldShare());
    }

    [Fact]
    public void Shared_sync_that_waits_for_other_peoples_bytes_pauses_sharing_ever_longer()
    {
        _pace.Enter(isLarge: false);
        _pace.Enter(isLarge: false);
        _pace.OwnSyncTook(TimeSpan.FromMilliseconds(5));
        _pace.SharedSyncTook(TimeSpan.FromMilliseconds(49));
        Assert.True(_pace.ShouldShare());

        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 32 })
        {
            _pace.SharedSyncTook(TimeSpan.FromMilliseconds(51));
            _clock.Now += TimeSpan.FromSeconds(seconds - 0.1);
            Assert.False(_pace.ShouldShare());
            _clock.Now += TimeSpan.FromSeconds(0.2);
            Assert.True(_pace.ShouldShare());
        }

        _pace.SharedSyncTook(TimeSpan.FromMilliseconds(49));
        Assert.True(_pace.ShouldShare());
    }

    [Fact]
    public void Slow_disk_is_no_reason_not_to_share()
    {
        _pace.Enter(isLarge: false);
        _pace.Enter(isLarge: false);
        _pace.OwnSyncTook(TimeSpan.FromMilliseconds(30));
        _pace.SharedSyncTook(TimeSpan.FromMilliseconds(200));
        Assert.True(_pace.ShouldShare());
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long GetTimestamp() => Now.Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
