using System.Diagnostics;
using System.Net;

namespace KeepFs.Cli.Bench;

/// <summary>
/// Keeps a number of connections busy with requests, from one thread that never blocks and never copies an answer, so that it takes as
/// little as possible of the processors that the server is measured on.
/// </summary>
internal static class LoadGenerator
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs the requests in turn until all were sent once, or round and round until the time is up.</summary>
    /// <param name="server">Where.</param>
    /// <param name="connections">Kept busy at once.</param>
    /// <param name="requests">What to send.</param>
    /// <param name="duration">Null: each request once.</param>
    /// <param name="onAnswer">Given the index of a request and the body of its answer, if that was small.</param>
    /// <exception cref="IOException">A failure of any request: what is measured must work.</exception>
    public static LoadResult Run(IPEndPoint server, int connections, IReadOnlyList<LoadRequest> requests, TimeSpan? duration, Action<int, string>? onAnswer = null)
    {
        using var poll = new LinuxPoll();
        var all = new List<LoadConnection>();
        try
        {
            for (var i = 0; i < connections; i++)
            {
                all.Add(new LoadConnection(server));
                poll.Add(all[i].Socket, i);
            }

            return Drive(poll, all, requests, duration, onAnswer);
        }
        finally
        {
            all.ForEach(connection => connection.Dispose());
        }
    }

    private static LoadResult Drive(
        LinuxPoll poll, List<LoadConnection> all, IReadOnlyList<LoadRequest> requests, TimeSpan? duration, Action<int, string>? onAnswer)
    {
        var started = Stopwatch.GetTimestamp();
        var latencies = new List<double>(1 << 16);
        var running = new int[all.Count];
        var ready = new int[all.Count];
        var (next, bytes, busy) = (0, 0L, 0);
        for (var i = 0; i < all.Count; i++)
        {
            StartNext(i);
            Progress(i);
        }

        while (busy > 0)
        {
            var count = poll.Wait(ready, Patience);
            if (count == 0)
            {
                throw new IOException($"the server answered nothing for {Patience.TotalSeconds:0} s");
            }

            for (var i = 0; i < count; i++)
            {
                Progress(ready[i]);
            }
        }

        latencies.Sort();
        return new LoadResult(latencies.Count, bytes, Stopwatch.GetElapsedTime(started), latencies);

        void StartNext(int connection)
        {
            var goesOn = duration is { } limit ? Stopwatch.GetElapsedTime(started) < limit : next < requests.Count;
            if (goesOn)
            {
                running[connection] = next++ % requests.Count;
                all[connection].Start(requests[running[connection]]);
                busy++;
            }
        }

        void Progress(int connection)
        {
            while (!all[connection].IsIdle && all[connection].Continue(out var took))
            {
                busy--;
                latencies.Add(took.TotalMilliseconds);
                bytes += requests[running[connection]].BodyBytes + all[connection].AnswerBytes;
                onAnswer?.Invoke(running[connection], all[connection].LastBody);
                StartNext(connection);
            }
        }
    }
}
