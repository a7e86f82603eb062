namespace KeepFs.Cli.Bench.Web;

/// <summary>
/// Measures our keep-web and its peers in interleaved rounds on this machine: every one does the same work in turn, and what is compared are rounds
/// that ran next to each other.
/// </summary>
internal sealed class WebBench(WebBenchOptions options)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"keepfs-bench-{Environment.ProcessId}")).FullName;
        try
        {
            var data = new WebData(Path.Combine(folder, "source"), options);
            await data.CreateAsync(cancellationToken);
            await MeasureAsync(folder, data, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task MeasureAsync(string folder, WebData data, CancellationToken cancellationToken)
    {
        List<WebPeer> peers = [new KeepWebPeer(Path.Combine(folder, "ours"))];
        peers.AddRange(options.Peers.Select(name => (WebPeer)(name switch
        {
            RclonePeer.Title => new RclonePeer(Path.Combine(folder, "rclone")),
            NginxPeer.Title => new NginxPeer(Path.Combine(folder, "nginx")),
            _ => new ApachePeer(Path.Combine(folder, "apache")),
        })));
        var table = new ComparisonTable("server", options.Json);
        try
        {
            foreach (var peer in peers)
            {
                await peer.StartAsync(data, cancellationToken);
            }

            foreach (var load in WebLoad.All(options).Where(load => load.Name.Contains(options.Only, StringComparison.OrdinalIgnoreCase)))
            {
                table.Add(load.Name, load.Unit, await RunAsync(load, [.. peers.Where(load.SuitsTo)], cancellationToken));
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
    private async Task<IReadOnlyList<(string Peer, double[] Rates)>> RunAsync(WebLoad load, WebPeer[] peers, CancellationToken cancellationToken)
    {
        var rates = peers.Select(_ => new double[options.Rounds]).ToArray();

        // The first round does not count: a server is up for days, not for the seconds in which a program compiles itself.
        for (var round = -1; round < options.Rounds; round++)
        {
            for (var i = 0; i < peers.Length; i++)
            {
                await load.PrepareAsync(peers[i], cancellationToken);
                var (amount, elapsed) = await load.RunAsync(peers[i], cancellationToken);
                if (round >= 0)
                {
                    rates[i][round] = amount / elapsed.TotalSeconds;
                }
            }
        }

        return [.. peers.Select(peer => peer.Name).Zip(rates)];
    }
}
