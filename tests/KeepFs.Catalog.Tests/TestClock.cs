namespace KeepFs.Catalog.Tests;

/// <summary>A clock that stands near the real time and moves on order; each reading is a microsecond later than the one before.</summary>
internal sealed class TestClock : TimeProvider
{
    private long _ticks = System.GetUtcNow().UtcTicks;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Add(ref _ticks, TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
