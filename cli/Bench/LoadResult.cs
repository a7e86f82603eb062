namespace KeepFs.Cli.Bench;

/// <summary>What a load did.</summary>
/// <param name="Requests">Answered.</param>
/// <param name="Bytes">Of blocks, moved in either direction.</param>
/// <param name="Elapsed">From the first request to the last answer.</param>
/// <param name="SortedMilliseconds">How long each took.</param>
internal sealed record LoadResult(int Requests, long Bytes, TimeSpan Elapsed, IReadOnlyList<double> SortedMilliseconds)
{
    public double RequestsPerSecond => Requests / Elapsed.TotalSeconds;

    public double BytesPerSecond => Bytes / Elapsed.TotalSeconds;

    public double Percentile(double part) => SortedMilliseconds.Count == 0 ? 0 : SortedMilliseconds[(int)Math.Min(SortedMilliseconds.Count - 1, part * SortedMilliseconds.Count)];
}
