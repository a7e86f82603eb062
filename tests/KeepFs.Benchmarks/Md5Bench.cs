using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Benchmarks;

/// <summary>
/// Every width of <see cref="Md5Lanes"/>, all lanes full, and a <see cref="HashService"/> of one thread with 1 to 32 blocks at once, against
/// <see cref="MD5.HashData(ReadOnlySpan{byte}, Span{byte})"/>. The rounds take turns, so that whatever else the machine does meets all alike; the
/// medians are printed.
/// </summary>
internal static class Md5Bench
{
    private const int Rounds = 15;
    private const int MessageBytes = 8 << 20;

    // Messages that lie a power of two apart would share cache sets.
    private const int StrideBytes = MessageBytes + (3 * 64);
    private static readonly int[] JobCounts = [1, 2, 4, 8, 16, 32];

    public static async Task RunAsync()
    {
        var memory = GC.AllocateUninitializedArray<byte>(JobCounts[^1] * StrideBytes, pinned: true);
        new Random(1).NextBytes(memory);
        await using var service = new HashService(new HashServiceOptions { Threads = 1 });
        var rows = new List<(string Name, int Messages, Func<Task> Hash)> { ("MD5.HashData", 1, () => Done(() => MD5.HashData(memory.AsSpan(0, MessageBytes)))) };
        foreach (var width in Enum.GetValues<Md5Width>().Where(Md5Lanes.IsSupported))
        {
            rows.Add((width.ToString(), Md5Lanes.LanesOf(width), () => Done(() => Compress(width, memory))));
        }

        foreach (var jobs in JobCounts)
        {
            rows.Add(($"service, {jobs}", jobs, () => Task.WhenAll(
                Enumerable.Range(0, jobs).Select(i => HashJob.ComputeAsync(memory.AsMemory(i * StrideBytes, MessageBytes), service).AsTask()))));
        }

        var speeds = rows.ConvertAll(_ => new List<double>());
        for (var round = -1; round < Rounds; round++)
        {
            for (var i = 0; i < rows.Count; i++)
            {
                var clock = Stopwatch.StartNew();
                await rows[i].Hash();
                if (round >= 0)
                {
                    speeds[i].Add((double)rows[i].Messages * MessageBytes / clock.Elapsed.TotalSeconds / 1e9);
                }
            }
        }

        var library = Median(speeds[0]);
        for (var i = 0; i < rows.Count; i++)
        {
            var median = Median(speeds[i]);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rows[i].Name,-14} {median,6:0.00} GB/s  {median / library,5:0.0} x"));
        }
    }

    private static unsafe void Compress(Md5Width width, byte[] pinned)
    {
        var lanes = Md5Lanes.LanesOf(width);
        Span<nint> messages = stackalloc nint[lanes];
        Span<Md5State> states = stackalloc Md5State[lanes];
        fixed (byte* start = pinned)
        {
            for (var i = 0; i < lanes; i++)
            {
                messages[i] = (nint)start + (i * StrideBytes);
            }

            Md5Lanes.Compress(width, messages, states, MessageBytes / Md5State.BlockBytes);
        }
    }

    private static Task Done(Action work)
    {
        work();
        return Task.CompletedTask;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
