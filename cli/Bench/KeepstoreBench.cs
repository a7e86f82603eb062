using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using KeepFs.Cli.Output;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Cli.Bench;

/// <summary>What <c>keepfs bench keepstore</c> is asked to do.</summary>
internal sealed record KeepstoreBenchOptions
{
    /// <summary>A folder in memory.</summary>
    public required string MemoryFolder { get; init; }

    /// <summary>A folder on a disk.</summary>
    public required string DiskFolder { get; init; }

    /// <summary>A running Keep-compatible server to compare with.</summary>
    public Uri? Against { get; init; }

    /// <summary>Sent to it.</summary>
    public string Token { get; init; } = "benchmarktoken";

    /// <summary>Compare reading with nginx on the same files.</summary>
    public bool UsesNginx { get; init; } = true;

    /// <summary>How often each load runs on each server.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>How long a reading load runs.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>What to measure.</summary>
    public IReadOnlyList<KeepstoreLoad> Loads { get; init; } = KeepstoreLoad.Usual;

    /// <summary>Blocks of the volume whose index is measured; 0: none is.</summary>
    public int IndexedBlocks { get; init; } = 1_000_000;

    /// <summary>One JSON object for each row instead of a table.</summary>
    public bool Json { get; init; }
}

/// <summary>
/// Measures our keepstore and its peers in interleaved rounds on this machine: every server gets the same load in turn, and what is
/// compared are rounds that ran next to each other.
/// </summary>
internal sealed class KeepstoreBench(KeepstoreBenchOptions options) : IAsyncDisposable
{
    /// <summary>What an empty file takes of a volume in memory, generously.</summary>
    private const long IndexedFileBytes = 1500;

    private readonly HashService _hashing = new(new HashServiceOptions());
    private readonly List<ChildServer> _children = [];
    private readonly List<string> _folders = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var table = new KeepstoreTable(options.Json);
        foreach (var group in options.Loads.GroupBy(load => (load.OnDisk, load.SizeBytes, load.Mixes)))
        {
            // A daemon of its own for each size, so that its peak memory belongs to the row.
            var work = NewFolder(options.DiskFolder, 0);
            var volume = NewFolder(group.Key.OnDisk ? options.DiskFolder : options.MemoryFolder, group.Max(load => (long)load.SizeBytes * (load.StoredPerRound + load.ReadSet)));
            var servers = await StartAsync(volume, work, group.Any(load => load.Method == "GET"), group.Any(load => load.IsAboutSyncs), cancellationToken);
            foreach (var load in group)
            {
                await MeasureAsync(load, servers, cancellationToken);
                table.Add(load, servers);
            }

            Stop();
        }

        if (options.IndexedBlocks > 0)
        {
            var volume = NewFolder(options.MemoryFolder, options.IndexedBlocks * IndexedFileBytes);
            IndexMeasurement.Fill(volume, options.IndexedBlocks);
            _children.Add(await KeepstorePeers.StartKeepstoreAsync(volume, NewFolder(options.DiskFolder, 0), syncsAlone: false, cancellationToken));
            table.AddIndex(await IndexMeasurement.RunAsync(_children[^1], KeepstorePeers.SystemToken, options.IndexedBlocks, cancellationToken));
            Stop();
        }

        table.Print(OneStream());
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _hashing.DisposeAsync();
    }

    private async Task<List<MeasuredServer>> StartAsync(string volume, string work, bool reads, bool isAboutSyncs, CancellationToken cancellationToken)
    {
        _children.Add(await KeepstorePeers.StartKeepstoreAsync(volume, work, syncsAlone: false, cancellationToken));
        var servers = new List<MeasuredServer> { new("keepfs", _children[^1].Address, options.Token, volume, servesFiles: false) };
        if (isAboutSyncs)
        {
            var alone = NewFolder(options.DiskFolder, 0);
            _children.Add(await KeepstorePeers.StartKeepstoreAsync(alone, work, syncsAlone: true, cancellationToken));
            servers.Add(new MeasuredServer("keepfs, one fsync per PUT", _children[^1].Address, options.Token, alone, servesFiles: false));
        }

        if (options.UsesNginx && reads)
        {
            _children.Add(await KeepstorePeers.StartNginxAsync(volume, work, cancellationToken));
            servers.Add(new MeasuredServer("nginx", _children[^1].Address, null, null, servesFiles: true));
        }

        if (options.Against is { } other)
        {
            var addresses = await Dns.GetHostAddressesAsync(other.Host, cancellationToken);
            servers.Add(new MeasuredServer(other.Authority, new IPEndPoint(addresses[0], other.Port), options.Token, null, servesFiles: false));
        }

        return servers;
    }

    private async Task MeasureAsync(KeepstoreLoad load, List<MeasuredServer> servers, CancellationToken cancellationToken)
    {
        if (load.Mixes)
        {
            await MeasureMixAsync(load, servers, cancellationToken);
            return;
        }

        if (load.Stores)
        {
            // A daemon runs for months: what it compiles in its first seconds is not what is asked.
            await WarmUpAsync(load, servers);
            for (var round = 0; round < options.Rounds; round++)
            {
                var blocks = await NumberedBlocks.MakeAsync(load.SizeBytes, load.StoredPerRound, _hashing);
                foreach (var server in servers.Where(server => !server.ServesFiles))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    server.Measure(load, blocks, options.Duration);
                    if (load.IsCleaned)
                    {
                        server.Clean(blocks);
                    }
                }
            }

            return;
        }

        var set = await NumberedBlocks.MakeAsync(load.SizeBytes, load.ReadSet, _hashing);
        foreach (var server in servers.Where(server => !server.ServesFiles))
        {
            server.Store(set, Math.Min(8, load.Connections));
        }

        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var server in servers.Where(server => !(server.ServesFiles && load.Method == "HEAD")))
            {
                cancellationToken.ThrowIfCancellationRequested();
                server.Measure(load, set, options.Duration);
            }
        }

        servers[0].Clean(set);
    }

    private async Task MeasureMixAsync(KeepstoreLoad load, List<MeasuredServer> servers, CancellationToken cancellationToken)
    {
        for (var round = 0; round < options.Rounds; round++)
        {
            var (stored, read) = (new List<NumberedBlock>(), new List<NumberedBlock>());
            foreach (var (size, count) in KeepstoreLoad.Mix)
            {
                stored.AddRange(await NumberedBlocks.MakeAsync(size, count, _hashing));
                read.AddRange(await NumberedBlocks.MakeAsync(size, count, _hashing));
            }

            foreach (var server in servers.Where(server => !server.ServesFiles))
            {
                cancellationToken.ThrowIfCancellationRequested();
                server.Store(read, 8);
                server.MeasureMix(load, stored, read);
                server.Clean(stored);
                server.Clean(read);
            }
        }
    }

    private async Task WarmUpAsync(KeepstoreLoad load, List<MeasuredServer> servers)
    {
        var blocks = await NumberedBlocks.MakeAsync(load.SizeBytes, load.StoredPerRound, _hashing);
        foreach (var server in servers.Where(server => !server.ServesFiles))
        {
            server.Store(blocks, load.Connections);
            if (load.IsCleaned)
            {
                server.Clean(blocks);
            }
        }
    }

    /// <summary>The limit for one stream: MD5 of one block on one processor, bytes a second.</summary>
    private static double OneStream()
    {
        var data = new byte[64 << 20];
        MD5.HashData(data.AsSpan(0, 1 << 20));
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < 8; i++)
        {
            MD5.HashData(data);
        }

        return 8 * data.Length / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private string NewFolder(string parent, long needsBytes)
    {
        var free = new DriveInfo(parent).AvailableFreeSpace;
        if (free < needsBytes)
        {
            throw new CommandException($"{parent} has {Readable.Bytes(free)} free and this needs {Readable.Bytes(needsBytes)}: name another folder with --memory or --disk", 2);
        }

        var folder = Path.Combine(parent, string.Create(CultureInfo.InvariantCulture, $"keepfs-bench-{Environment.ProcessId}-{_folders.Count}"));
        Directory.CreateDirectory(folder);
        _folders.Add(folder);
        return folder;
    }

    private void Stop()
    {
        _children.ForEach(child => child.Dispose());
        _children.Clear();
        _folders.ForEach(folder => Directory.Delete(folder, recursive: true));
        _folders.Clear();
    }
}
