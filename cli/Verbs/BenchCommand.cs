using System.CommandLine;
using KeepFs.Cli.Bench;
using KeepFs.Cli.Bench.Mounts;
using KeepFs.Cli.Bench.Web;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs bench</c>: measures a part of the program against its peers on this machine.</summary>
internal static class BenchCommand
{
    public static Command Create() => new("bench", "Measure against other programs on this machine, in interleaved rounds.") { Keepstore(), Mount(), Web(), BenchCatalogCommand.Create() };

    internal static Uri ServerAt(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttp
            ? address
            : throw new CommandException($"--against '{url}': must be a URL such as http://127.0.0.1:25107", 2);

    private static Command Keepstore()
    {
        var memory = new Option<string>("--memory") { Description = "A folder in memory, for volumes.", DefaultValueFactory = _ => "/dev/shm" };
        var disk = new Option<string>("--disk") { Description = "A folder on a disk, for volumes.", DefaultValueFactory = _ => Path.GetTempPath() };
        var against = new Option<string?>("--against") { Description = "Compare with this running Keep-compatible server, such as http://127.0.0.1:25107." };
        var token = new Option<string>("--token") { Description = "The token that it is sent.", DefaultValueFactory = _ => "benchmarktoken" };
        var noNginx = new Option<bool>("--no-nginx") { Description = "Do not compare reading with nginx." };
        var rounds = new Option<int>("--rounds") { Description = "How often each load runs on each server.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<double>("--seconds") { Description = "How long a reading load runs.", DefaultValueFactory = _ => 3 };
        var all = new Option<bool>("--all") { Description = "Every combination of PUT, GET, HEAD; 4 KiB, 1 MiB, 64 MiB; 1, 8, 64 connections." };
        var only = new Option<string?>("--only") { Description = "Only loads whose name contains this, such as 'GET 4 KiB'." };
        var json = new Option<bool>("--json") { Description = "One JSON object a row." };
        var command = new Command("keepstore", "Our keepstore: throughput, latency, processor time and memory.") { memory, disk, against, token, noNginx, rounds, seconds, all, only, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var loads = (parsed.GetValue(all) ? KeepstoreLoad.All : KeepstoreLoad.Usual)
                .Where(load => load.ToString().Contains(parsed.GetValue(only) ?? "", StringComparison.OrdinalIgnoreCase)).ToArray();
            var measuresIndex = "INDEX".Contains(parsed.GetValue(only) ?? "", StringComparison.OrdinalIgnoreCase);
            if (loads.Length == 0 && !measuresIndex)
            {
                throw new CommandException($"no load is called '{parsed.GetValue(only)}'; there are:\n{string.Join('\n', KeepstoreLoad.Usual)}\nINDEX", 2);
            }

            await using var bench = new KeepstoreBench(new KeepstoreBenchOptions
            {
                MemoryFolder = parsed.GetValue(memory)!,
                DiskFolder = parsed.GetValue(disk)!,
                Against = parsed.GetValue(against) is { } url ? ServerAt(url) : null,
                Token = parsed.GetValue(token)!,
                UsesNginx = !parsed.GetValue(noNginx),
                Rounds = parsed.GetValue(rounds),
                Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                Loads = loads,
                IndexedBlocks = measuresIndex ? 1_000_000 : 0,
                Json = parsed.GetValue(json),
            });
            await bench.RunAsync(cancellationToken);
        });
        return command;
    }

    private static Command Mount()
    {
        string[] peers = [PassthroughPeer.Title, Bench.Mounts.RclonePeer.Title, LocalPeer.Title];
        var folder = new Option<string>("--folder") { Description = "A folder on a disk with room for eight times the large file.", DefaultValueFactory = _ => Path.GetTempPath() };
        var rounds = new Option<int>("--rounds") { Description = "How often each load runs on each mount.", DefaultValueFactory = _ => 3 };
        var size = new Option<int>("--mib") { Description = "Size of the large file.", DefaultValueFactory = _ => 1024 };
        var files = new Option<int>("--files") { Description = "Small files.", DefaultValueFactory = _ => 10_000 };
        var seconds = new Option<double>("--seconds") { Description = "How long random reading lasts.", DefaultValueFactory = _ => 2 };
        var only = new Option<string>("--only") { Description = "Only loads whose name contains this, such as 'read'.", DefaultValueFactory = _ => "" };
        var without = new Option<string[]>("--without") { Description = $"Leave a peer out: {string.Join(", ", peers.Select(name => $"'{name}'"))}." };
        var json = new Option<bool>("--json") { Description = "One JSON object a row." };
        var command = new Command("mount", "Our mount against libfuse's passthrough_ll, rclone mount and the disk itself.") { folder, rounds, size, files, seconds, only, without, json };
        command.SetAction(async (parsed, cancellationToken) => await new MountBench(new MountBenchOptions
        {
            Folder = parsed.GetValue(folder)!,
            Rounds = parsed.GetValue(rounds),
            FileBytes = (long)parsed.GetValue(size) << 20,
            Files = parsed.GetValue(files),
            Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            Only = parsed.GetValue(only)!,
            Peers = [.. peers.Except(parsed.GetValue(without) ?? [])],
            Json = parsed.GetValue(json),
        }).RunAsync(cancellationToken));
        return command;
    }

    private static Command Web()
    {
        string[] peers = [Bench.Web.RclonePeer.Title, NginxPeer.Title, ApachePeer.Title];
        var folder = new Option<string>("--folder") { Description = "A folder on a disk with room for eight times the large file.", DefaultValueFactory = _ => Path.GetTempPath() };
        var rounds = new Option<int>("--rounds") { Description = "How often each load runs on each server.", DefaultValueFactory = _ => 3 };
        var size = new Option<int>("--mib") { Description = "Size of the large file, at most 1024.", DefaultValueFactory = _ => 512 };
        var files = new Option<int>("--files") { Description = "Small files of a round.", DefaultValueFactory = _ => 1000 };
        var listed = new Option<int[]>("--listed") { Description = "Files in a folder that is listed; may be given again.", DefaultValueFactory = _ => [10_000, 100_000] };
        var seconds = new Option<double>("--seconds") { Description = "How long a reading load runs.", DefaultValueFactory = _ => 2 };
        var only = new Option<string>("--only") { Description = "Only loads whose name contains this, such as 'PUT'.", DefaultValueFactory = _ => "" };
        var without = new Option<string[]>("--without") { Description = $"Leave a peer out: {string.Join(", ", peers.Select(name => $"'{name}'"))}." };
        var json = new Option<bool>("--json") { Description = "One JSON object a row." };
        size.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 1024)
            {
                result.AddError("--mib: 1 to 1024");
            }
        });
        var command = new Command("web", "Our WebDAV server against rclone serve webdav, nginx and Apache mod_dav.") { folder, rounds, size, files, listed, seconds, only, without, json };
        command.SetAction(async (parsed, cancellationToken) => await new WebBench(new WebBenchOptions
        {
            Folder = parsed.GetValue(folder)!,
            Rounds = parsed.GetValue(rounds),
            FileBytes = parsed.GetValue(size) << 20,
            Files = parsed.GetValue(files),
            Listed = parsed.GetValue(listed)!,
            Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            Only = parsed.GetValue(only)!,
            Peers = [.. peers.Except(parsed.GetValue(without) ?? [])],
            Json = parsed.GetValue(json),
        }).RunAsync(cancellationToken));
        return command;
    }
}
