namespace KeepFs.Catalog.Tests;

/// <summary>A clock that stands near the real time and moves on order; each reading is a microsecond later than the one before.</summary>
internal sealed class TestClock : TimeProvider
{
    private long _ticks = System.GetUtcNow().UtcTicks;
    private long _advanced;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Add(ref _ticks, TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    /// <summary>Real time, so that durations are, and what was ordered.</summary>
    public override long GetTimestamp() => System.GetTimestamp() + Interlocked.Read(ref _advanced);

    public void Advance(TimeSpan by)
    {
        Interlocked.Add(ref _ticks, by.Ticks);
        Interlocked.Add(ref _advanced, by.Ticks * (TimestampFrequency / TimeSpan.TicksPerSecond));
    }
}
