using System.Diagnostics;
using System.Globalization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Benchmarks;

/// <summary>
/// Durable 4 KiB writes to a <see cref="DirectoryVolume"/> on a real disk: one after another; 64 at once on one disk thread and on 16
/// with their own syncs; 64 at once that share syncs. The rounds take turns; the medians are printed, with the CPU time per write, in
/// which the waiting of a disk that is quick for its machine does not show.
/// </summary>
internal static class CommitBench
{
    private const int Rounds = 7;
    private const int BlockBytes = 4096;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1.5);

    public static async Task RunAsync(string parent)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetFullPath(parent), $"keepfs-bench-{Environment.ProcessId}")).FullName;
        try
        {
            var trash = new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeProvider.System);
            DirectoryVolume Open(int threads, int shareFrom) => new(new DirectoryVolumeOptions { Root = folder, Trash = trash, Threads = threads, ShareSyncsFrom = shareFrom });
            var counter = new SyncCounter();
            await using var serial = Open(1, 0);
            await using var own = Open(16, 0);
            await using var shared = new DirectoryVolume(new DirectoryVolumeOptions { Root = folder, Trash = trash }, counter);
            (string Name, DirectoryVolume Volume, int Clients)[] cases =
            [
                ("one fsync per write, 1 client", own, 1),
                ("one fsync per write, 64 clients in line", serial, 64),
                ("one fsync per write, 64 clients, 16 at the disk", own, 64),
                ("shared syncs, 64 clients", shared, 64),
            ];
            var results = cases.Select(_ => new List<(double Rate, double CpuMicroseconds)>()).ToArray();
            for (var round = -1; round < Rounds; round++)
            {
                for (var i = 0; i < cases.Length; i++)
                {
                    var result = await MeasureAsync(cases[i].Volume, cases[i].Clients);
                    if (round >= 0)
                    {
                        results[i].Add(result);
                    }
                }
            }

            var limit = Median(results[1].Select(result => result.Rate));
            for (var i = 0; i < cases.Length; i++)
            {
                var rate = Median(results[i].Select(result => result.Rate));
                var cpu = Median(results[i].Select(result => result.CpuMicroseconds));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cases[i].Name,-50} {rate,7:0} /s  {rate / limit,5:0.0} x  {cpu,5:0} us CPU"));
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"writes per shared sync: {(double)counter.Writes / counter.Syncs:0.0}"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(double Rate, double CpuMicroseconds)> MeasureAsync(DirectoryVolume volume, int clients)
    {
        var (clock, cpu, writes) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime, 0);
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            var data = new byte[BlockBytes];
            while (clock.Elapsed < RoundTime)
            {
                Random.Shared.NextBytes(data);
                await volume.WriteAsync(BlockHash.Compute(data), data, CancellationToken.None);
                Interlocked.Increment(ref writes);
            }
        })));
        return (writes / clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / writes);
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
}
