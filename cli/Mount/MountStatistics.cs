using System.Globalization;
using KeepFs.Cli.Settings;
using KeepFs.Fuse;

namespace KeepFs.Cli.Mount;

/// <summary><c>--crunchstat-interval</c>: what happened since the last time and altogether, one line for each group (mount.md section 8).</summary>
internal sealed class MountStatistics(Func<IEnumerable<StatisticsGroup>> read, TextWriter output, TimeProvider time)
{
    private readonly Dictionary<string, double[]> _last = new(StringComparer.Ordinal);
    private long _lastAt = time.GetTimestamp();

    /// <summary>Reads the counters of a session and its mount.</summary>
    public static IEnumerable<StatisticsGroup> Read(ClientSession session, FuseCounters fuse)
    {
        var traffic = session.Traffic;
        var (hits, misses) = ((double)session.CacheHits, (double)traffic.Fetches);
        var operations = fuse.Operations().ToArray();
        yield return new StatisticsGroup("keepcalls", [("put", traffic.Writes), ("get", hits + misses)]);
        yield return new StatisticsGroup("net:keep0", [("tx", traffic.WrittenBytes), ("rx", traffic.FetchedBytes)]);
        yield return new StatisticsGroup("keepcache", [("hit", hits), ("miss", misses)]);
        yield return new StatisticsGroup("blkio:0:0", [("write", fuse.WrittenBytes), ("read", fuse.ReadBytes)]);
        yield return new StatisticsGroup("fuseops", [("write", Count(operations, "write")), ("read", Count(operations, "read"))]);
        foreach (var (operation, count, elapsed) in operations)
        {
            yield return new StatisticsGroup("fuseop:" + operation, [("count", count), ("time", elapsed.TotalSeconds, IsWhole: false)]);
        }
    }

    /// <summary>Writes all groups every interval until cancelled.</summary>
    public async Task RunAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                Write();
            }
        }
        catch (OperationCanceledException)
        {
            // The mount ends.
        }
    }

    public void Write()
    {
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_lastAt, now).TotalSeconds.ToString("0.0000", CultureInfo.InvariantCulture);
        _lastAt = now;
        foreach (var (name, values) in read())
        {
            var last = _last.GetValueOrDefault(name) ?? new double[values.Count];
            output.WriteLine(
                $"crunchstat: {name} {string.Join(' ', values.Select(value => $"{value.Text(value.Amount)} {value.Name}"))} -- interval {seconds} seconds "
                + string.Join(' ', values.Select((value, i) => $"{value.Text(value.Amount - last[i])} {value.Name}")));
            _last[name] = [.. values.Select(value => value.Amount)];
        }

        output.Flush();
    }

    private static double Count(IEnumerable<(string Operation, long Count, TimeSpan Time)> operations, string name) =>
        operations.Where(entry => entry.Operation == name).Sum(entry => entry.Count);
}

/// <summary>Values that are shown on one line.</summary>
internal sealed record StatisticsGroup(string Name, IReadOnlyList<StatisticsValue> Values);

/// <summary>A counter's name and amount so far; whole numbers or seconds.</summary>
internal readonly record struct StatisticsValue(string Name, double Amount, bool IsWhole = true)
{
    public static implicit operator StatisticsValue((string Name, double Amount) value) => new(value.Name, value.Amount);

    public static implicit operator StatisticsValue((string Name, double Amount, bool IsWhole) value) => new(value.Name, value.Amount, value.IsWhole);

    public string Text(double amount) => amount.ToString(IsWhole ? "0" : "0.000000", CultureInfo.InvariantCulture);
}
