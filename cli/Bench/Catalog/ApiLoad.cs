using System.Diagnostics;
using System.Net;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>Keeps a number of TLS connections busy with requests.</summary>
internal static class ApiLoad
{
    /// <summary>Runs the requests in turn until all were sent once, or round and round until the time is up.</summary>
    /// <param name="server">Where.</param>
    /// <param name="connections">Kept busy at once; opening them is not timed.</param>
    /// <param name="requests">What to send.</param>
    /// <param name="duration">Null: each request once.</param>
    /// <param name="cancellationToken">Breaks it off.</param>
    /// <param name="onAnswer">Given the index of a request and how many milliseconds it took; by one connection at a time only.</param>
    public static async Task<LoadResult> RunAsync(
        IPEndPoint server, int connections, IReadOnlyList<byte[]> requests, TimeSpan? duration, CancellationToken cancellationToken, Action<int, double>? onAnswer = null)
    {
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => ApiConnection.OpenAsync(server, cancellationToken)));
        try
        {
            var (next, bytes, gate) = (-1, 0L, new Lock());
            var latencies = new List<double>(requests.Count);
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(all.Select(async connection =>
            {
                while (true)
                {
                    var number = Interlocked.Increment(ref next);
                    if (duration is { } limit ? Stopwatch.GetElapsedTime(started) >= limit : number >= requests.Count)
                    {
                        return;
                    }

                    var sent = Stopwatch.GetTimestamp();
                    var count = await connection.SendAsync(requests[number % requests.Count], null, cancellationToken);
                    var took = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
                    lock (gate)
                    {
                        bytes += count;
                        latencies.Add(took);
                        onAnswer?.Invoke(number % requests.Count, took);
                    }
                }
            }));
            var elapsed = Stopwatch.GetElapsedTime(started);
            latencies.Sort();
            return new LoadResult(latencies.Count, bytes, elapsed, latencies);
        }
        finally
        {
            foreach (var connection in all)
            {
                await connection.DisposeAsync();
            }
        }
    }
}
