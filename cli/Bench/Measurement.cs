namespace KeepFs.Cli.Bench;

/// <summary>One round of a load on one server.</summary>
/// <param name="Load">What the clients saw.</param>
/// <param name="CpuSeconds">What the server's processes used; null when they cannot be seen.</param>
/// <param name="PeakBytes">The most memory they had; null when they cannot be seen.</param>
internal sealed record Measurement(LoadResult Load, double? CpuSeconds, long? PeakBytes)
{
    public double? CpuSecondsPerGiB => CpuSeconds / Load.Bytes * (1L << 30);

    public double? CpuMicrosecondsPerRequest => CpuSeconds / Load.Requests * 1e6;

    /// <summary>The middle one by what the clients saw.</summary>
    public static Measurement Median(IEnumerable<Measurement> rounds)
    {
        var sorted = rounds.OrderBy(round => round.Load.RequestsPerSecond).ToArray();
        return sorted[sorted.Length / 2];
    }

    /// <summary>The middle of the ratios of rounds that ran next to each other: what else the machine does in between cancels out.</summary>
    public static double MedianRatio(IEnumerable<Measurement> ours, IEnumerable<Measurement> theirs)
    {
        var ratios = ours.Zip(theirs, (a, b) => a.Load.RequestsPerSecond / b.Load.RequestsPerSecond).Order().ToArray();
        return ratios[ratios.Length / 2];
    }
}
