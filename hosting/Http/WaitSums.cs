namespace KeepFs.Hosting.Http;

/// <summary>How many waited, and how long altogether.</summary>
public readonly record struct WaitSums(long Count, double Seconds)
{
    internal WaitSums Plus(TimeSpan waited) => new(Count + 1, Seconds + waited.TotalSeconds);
}
