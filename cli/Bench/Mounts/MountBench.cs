using System.Diagnostics;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>
/// Measures our mount and its peers in interleaved rounds on this machine: every one does the same work in turn, and what is compared are rounds
/// that ran next to each other.
/// </summary>
internal sealed class MountBench(MountBenchOptions options)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"keepfs-bench-{Environment.ProcessId}")).FullName;
        try
        {
            var data = new BenchData(Path.Combine(folder, "source"), options.FileBytes, options.Files);
            await data.CreateAsync(cancellationToken);
            await using var cluster = await BenchCluster.StartAsync(Path.Combine(folder, "cluster"), data, cancellationToken);
            await MeasureAsync(folder, data, cluster, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task MeasureAsync(string folder, BenchData data, BenchCluster cluster, CancellationToken cancellationToken)
    {
        List<MountPeer> peers = [new KeepFsPeer(cluster, Path.Combine(folder, "ours"), isReadOnly: false), new KeepFsPeer(cluster, Path.Combine(folder, "ours-ro"), isReadOnly: true)];
        peers.AddRange(options.Peers.Select(name => (MountPeer)(name switch
        {
            PassthroughPeer.Title => new PassthroughPeer(data, Path.Combine(folder, "passthrough")),
            RclonePeer.Title => new RclonePeer(cluster, Path.Combine(folder, "rclone")),
            _ => new LocalPeer(data, Path.Combine(folder, "local")),
        })));
        var table = new ComparisonTable("mount", options.Json);
        try
        {
            foreach (var peer in peers)
            {
                await peer.StartAsync(cancellationToken);
            }

            foreach (var load in MountLoad.All(options).Where(load => load.Name.Contains(options.Only, StringComparison.OrdinalIgnoreCase)))
            {
                table.Add(load.Name, load.Unit, await RunAsync(load, [.. peers.Where(peer => !load.Writes || peer.Writable is not null)], data, cancellationToken));
            }
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        table.Print();
    }

    /// <summary>Rates of each peer, by round.</summary>
    private async Task<IReadOnlyList<(string Peer, double[] Rates)>> RunAsync(MountLoad load, MountPeer[] peers, BenchData data, CancellationToken cancellationToken)
    {
        var rates = peers.Select(_ => new double[options.Rounds]).ToArray();
        for (var round = 0; round < options.Rounds; round++)
        {
            for (var i = 0; i < peers.Length; i++)
            {
                await peers[i].RefreshAsync(cancellationToken);
                await load.PrepareAsync(peers[i], data, cancellationToken);
                var started = Stopwatch.GetTimestamp();
                var amount = await load.RunAsync(peers[i], data, cancellationToken);
                rates[i][round] = amount / Stopwatch.GetElapsedTime(started).TotalSeconds;
                await load.CleanAsync(peers[i], data, cancellationToken);
            }
        }

        return [.. peers.Select(peer => peer.Name).Zip(rates)];
    }
}
