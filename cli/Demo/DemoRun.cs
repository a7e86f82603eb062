using System.Diagnostics;
using KeepFs.Cli.Output;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Transfer;
using KeepFs.Cli.Verbs;
using KeepFs.Engine.Catalog;
using KeepFs.Hosting.Configuration;
using Spectre.Console;

namespace KeepFs.Cli.Demo;

/// <summary>The main job on real input: put, then get, mount and WebDAV, every byte compared.</summary>
internal static class DemoRun
{
    private const int MaxNamedSkips = 10;

    public static async Task<int> RunAsync(string directory, string? keepIn, CancellationToken cancellationToken)
    {
        directory = Path.GetFullPath(directory);
        if (!Directory.Exists(directory))
        {
            throw new CommandException($"There is no directory \"{directory}\".", 2);
        }

        var folder = keepIn is null ? Directory.CreateTempSubdirectory("keepfs-demo-").FullName : Directory.CreateDirectory(keepIn).FullName;
        await using var cluster = await DemoCluster.StartAsync(folder, keepIn is not null, cancellationToken);
        await using var session = await ClientSession.ConnectAsync(cluster.Settings, new SessionLimits(512 << 20, 256 << 20, 3), cancellationToken);

        var skips = new SkipReport(MaxNamedSkips);
        var entries = new LocalTree(followLinks: false, skips.Add).Walk(directory.TrimEnd('/') + "/").ToList();
        var bytes = entries.Sum(entry => Math.Max(entry.SizeBytes, 0));
        var files = entries.Count(entry => !entry.IsDirectory);
        Console.WriteLine($"storing {directory}: {Readable.Count(files)} files, {Readable.Count(entries.Count - files)} directories, {Readable.Bytes(bytes)}");

        var watch = Stopwatch.StartNew();
        var unread = skips.All.Count;
        var record = await PutCommand.RunAsync(session, [directory.TrimEnd('/') + "/"], "demo", null, new LocalTree(followLinks: false, static _ => { }), skips, isQuiet: false, cancellationToken);
        var put = watch.Elapsed;

        // Files that could not be opened were named above; they are not expected back.
        var unreadable = skips.All.Skip(unread).Select(skipped => skipped.LocalPath).ToHashSet();
        entries.RemoveAll(entry => unreadable.Contains(entry.LocalPath));

        List<(string Way, TimeSpan Time, TreeComparison Result)> ways =
        [
            await TimeAsync("get", entries, comparison => GetAsync(comparison, cluster, record, Path.Combine(folder, "got"), cancellationToken)),
            await TimeAsync("mount", entries, comparison => MountAsync(comparison, Path.Combine(cluster.MountPoint, "by_id", record.Uuid), cancellationToken)),
            await TimeAsync("WebDAV", entries, comparison => WebDavAsync(comparison, cluster, record, cancellationToken)),
        ];
        Print(entries, put, ways);
        await PrintBlocksAsync(cluster.Config, cancellationToken);
        foreach (var (way, _, result) in ways.Where(way => way.Result.Difference is not null))
        {
            Console.Error.WriteLine($"keepfs: {way}: {result.Difference}");
        }

        var failed = ways.Exists(way => way.Result.Difference is not null);
        Console.WriteLine(failed ? "DIFFERENT: see above" : $"identical: every byte of {Readable.Count(entries.Count(entry => !entry.IsDirectory))} files came back in three ways");
        return failed ? 1 : 0;
    }

    private static async Task<(string Way, TimeSpan Time, TreeComparison Result)> TimeAsync(string way, List<LocalEntry> entries, Func<TreeComparison, Task<TimeSpan>> run)
    {
        var comparison = new TreeComparison(entries);
        return (way, await run(comparison), comparison);
    }

    /// <summary>Fetches with a session of its own, whose cache is empty, then compares; the comparison does not count as time.</summary>
    private static async Task<TimeSpan> GetAsync(TreeComparison comparison, DemoCluster cluster, Collection record, string target, CancellationToken cancellationToken)
    {
        await using var session = await ClientSession.ConnectAsync(cluster.Settings, new SessionLimits(512 << 20, 128 << 20, 3), cancellationToken);
        var watch = Stopwatch.StartNew();
        var location = new SourceLocation(record.Uuid, "");
        var (_, node) = await location.LoadAsync(session.Catalog, cancellationToken);
        await GetCommand.RunAsync(session, node, location, target, overwrite: false, isQuiet: false, cancellationToken);
        var time = watch.Elapsed;
        await CompareFolderAsync(comparison, target, cancellationToken);
        Directory.Delete(target, recursive: true);
        return time;
    }

    private static async Task<TimeSpan> MountAsync(TreeComparison comparison, string folder, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        await CompareFolderAsync(comparison, folder, cancellationToken);
        return watch.Elapsed;
    }

    private static async Task<TimeSpan> WebDavAsync(TreeComparison comparison, DemoCluster cluster, Collection record, CancellationToken cancellationToken)
    {
        using var http = ClientSession.CreateHttp(insecure: true);
        var watch = Stopwatch.StartNew();
        var dav = WebDavListing.Open(http, cluster.WebDavUrl, cluster.Settings, record.Uuid);
        comparison.CompareNames(await dav.ListAsync(cancellationToken));
        await comparison.CompareContentAsync((entry, token) => dav.OpenAsync(entry.Path, token), cancellationToken);
        return watch.Elapsed;
    }

    private static async Task CompareFolderAsync(TreeComparison comparison, string folder, CancellationToken cancellationToken)
    {
        comparison.CompareNames(
            new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, MaxRecursionDepth = int.MaxValue })
                .Select(info => Path.GetRelativePath(folder, info.FullName) + (info is DirectoryInfo ? "/" : "")));
        await comparison.CompareContentAsync(
            (entry, _) => Task.FromResult<Stream>(new FileStream(Path.Combine(folder, entry.Path), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0)), cancellationToken);
    }

    private static void Print(List<LocalEntry> entries, TimeSpan put, List<(string Way, TimeSpan Time, TreeComparison Result)> ways)
    {
        var bytes = entries.Sum(entry => Math.Max(entry.SizeBytes, 0));
        var files = Readable.Count(entries.Count(entry => !entry.IsDirectory));
        var table = new Table().AddColumns("", "files", "bytes", "seconds", "rate", "result");
        table.AddRow("put", files, Readable.Count(bytes), $"{put.TotalSeconds:0.0}", Readable.Rate(bytes, put), "stored");
        foreach (var (way, time, result) in ways)
        {
            table.AddRow(way, files, Readable.Count(result.ComparedBytes), $"{time.TotalSeconds:0.0}", Readable.Rate(result.ComparedBytes, time), result.Difference is null ? "identical" : "DIFFERENT");
        }

        AnsiConsole.Write(table);
    }

    /// <summary>Asks each keepstore for its index, with the system's token.</summary>
    private static async Task PrintBlocksAsync(ClusterConfig config, CancellationToken cancellationToken)
    {
        using var http = ClientSession.CreateHttp(insecure: true);
        var table = new Table().AddColumns("keepstore", "blocks", "bytes");
        var copies = new Dictionary<string, int>();
        foreach (var url in config.Services.Keepstore.InternalURLs.Keys)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(url), "index"));
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + config.SystemRootToken);
            using var response = await http.SendAsync(request, cancellationToken);
            response.EnsureSuccessStatusCode();
            var locators = (await response.Content.ReadAsStringAsync(cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]).ToList();
            locators.ForEach(locator => copies[locator] = copies.GetValueOrDefault(locator) + 1);
            table.AddRow(url, Readable.Count(locators.Count), Readable.Count(locators.Sum(locator => (long)Engine.Blocks.Locator.Parse(locator).SizeBytes)));
        }

        AnsiConsole.Write(table);
        Console.WriteLine($"{Readable.Count(copies.Count)} blocks; copies of each: {string.Join(", ", copies.Values.GroupBy(count => count).OrderBy(group => group.Key).Select(group => $"{group.Key} ({Readable.Count(group.Count())} blocks)"))}");
    }
}
