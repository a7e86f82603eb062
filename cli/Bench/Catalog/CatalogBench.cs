using System.Globalization;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>
/// Measures the catalogue in interleaved rounds on this machine, on one database and the other in turn, each in a process of its own that holds as many
/// records as a large site, and creating also against what the database does by itself.
/// </summary>
internal sealed class CatalogBench(CatalogBenchOptions options)
{
    private const double Mib = 1 << 20;

    private readonly CatalogTable _table = new(options.Json);
    private readonly CatalogData _data = new(options);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"keepfs-bench-{Environment.ProcessId}")).FullName;
        BenchPostgres? postgres = null;
        var catalogs = new List<(string Database, CatalogProcess Catalog)>();
        try
        {
            foreach (var database in options.Databases)
            {
                postgres ??= database == CatalogBenchOptions.Postgres ? await BenchPostgres.StartAsync(Path.Combine(folder, "server"), cancellationToken) : null;
                var catalog = new CatalogProcess(Path.Combine(folder, database), database == CatalogBenchOptions.Postgres ? postgres!.Connection : null);
                catalogs.Add((database, catalog));
                await PrepareAsync(database, catalog, cancellationToken);
            }

            await MeasureAsync(catalogs, cancellationToken);
        }
        finally
        {
            foreach (var (_, catalog) in catalogs)
            {
                catalog.Dispose();
            }

            if (postgres is not null)
            {
                await postgres.DisposeAsync();
            }

            Directory.Delete(folder, recursive: true);
        }

        _table.Print(
        [
            $"{options.Collections:N0} collections, {_data.Users:N0} users, {_data.Teams:N0} teams in 10 departments, {_data.Projects:N0} projects inside each other (the bars are for 1,000,000 and 10,000).",
            "Over TLS on connections that are kept open, as clients have; CPU is the catalogue's own for one request (PostgreSQL's is not in it).",
        ]);
    }

    private async Task PrepareAsync(string database, CatalogProcess catalog, CancellationToken cancellationToken)
    {
        await catalog.StartAsync(cancellationToken);
        _table.Add("memory, idle", database, [Resident(catalog)], "MiB", bar: 150);
        var elapsed = await _data.ImportAsync(catalog, cancellationToken);
        _table.Add("import", database, [options.Collections / elapsed.TotalSeconds], "collections/s");
        _table.Add("memory, import", database, [catalog.Process.PeakBytes() / Mib], "MiB");

        // What an import needed does not count as what serving needs.
        await catalog.StartAsync(cancellationToken);
    }

    private async Task MeasureAsync(List<(string Database, CatalogProcess Catalog)> catalogs, CancellationToken cancellationToken)
    {
        var loads = catalogs.Select(pair => (pair.Database, pair.Catalog, Loads: new CatalogLoads(pair.Catalog, options))).ToList();
        await RoundsAsync("collection create, small, durable, 16 clients", loads, async (name, all) =>
        {
            var measured = await InterleavedAsync(all, (load, _) => load.CreateAsync(cancellationToken));
            foreach (var (database, catalog, rounds) in measured)
            {
                _table.Add(name, database, [.. rounds.Select(round => round.Rate)], "requests/s", 1000, isMore: true, [.. rounds.Select(round => round.Cpu)], (RawInserts.Name(catalog), [.. rounds.Select(round => round.PeerRate)]));
            }
        });
        await RoundsAsync("collection get, 100 blocks signed, 16 clients", loads, async (name, all) =>
        {
            foreach (var (database, _, rounds) in await InterleavedAsync(all, (load, _) => load.GetAsync(cancellationToken)))
            {
                _table.Add(name, database, [.. rounds.Select(round => round.Rate)], "requests/s", 5000, isMore: true, [.. rounds.Select(round => round.Cpu)]);
            }
        });
        await RoundsAsync($"create, {options.LargeFiles:N0} files, all blocks new", loads, async (name, all) =>
        {
            foreach (var (database, _, rounds) in await InterleavedAsync(all, (load, _) => load.CreateLargeAsync(cancellationToken)))
            {
                _table.Add(name, database, [.. rounds.Select(round => round.Milliseconds)], "ms", cpu: [.. rounds.Select(round => round.Cpu)]);
            }
        });
        await RoundsAsync($"get, {options.LargeFiles:N0} files, signed", loads, async (name, all) =>
        {
            foreach (var (database, _, rounds) in await InterleavedAsync(all, (load, _) => load.GetLargeAsync(cancellationToken)))
            {
                _table.Add(name, database, [.. rounds.Select(round => round.Milliseconds)], "ms", 100, cpu: [.. rounds.Select(round => round.Cpu)]);
            }
        });
        await RoundsAsync("list", loads, (name, all) => ListAsync(name, all, cancellationToken));
        foreach (var (whom, uuid) in ((string, string)[])[("a user", CatalogLoads.ViewerUuid), ("100 users", CatalogData.Hundred), ("a tenth of all users", CatalogData.Tenth), ("all users", CatalogData.Everybody)])
        {
            await RoundsAsync($"share with {whom}", loads, async (name, all) =>
            {
                foreach (var (database, _, rounds) in await InterleavedAsync(all, (load, _) => load.ShareAsync(uuid, cancellationToken)))
                {
                    _table.Add(name + ", until it is seen", database, [.. rounds.Select(round => round.Given)], "ms", 1000);
                    _table.Add("unshare, until it is not", database, [.. rounds.Select(round => round.Taken)], "ms", 1000);
                }
            });
        }

        foreach (var (database, catalog) in catalogs)
        {
            _table.Add("memory, most under all this", database, [catalog.Process.PeakBytes() / Mib], "MiB", 500);
        }
    }

    private async Task ListAsync(string name, List<(string Database, CatalogProcess Catalog, CatalogLoads Loads)> all, CancellationToken cancellationToken)
    {
        var measured = await InterleavedAsync(all, (load, round) => load.ListAsync(new CatalogQueries(_data, 100 + round).Make(options.Lists), cancellationToken));
        foreach (var (database, _, rounds) in measured)
        {
            var cpu = rounds.Select(round => round.Cpu).ToList();
            _table.Add(name + ", p50", database, [.. rounds.Select(round => Percentile(round.Lists.Select(list => list.Milliseconds), 0.5))], "ms", cpu: cpu);
            _table.Add(name + ", p99", database, [.. rounds.Select(round => Percentile(round.Lists.Select(list => list.Milliseconds), 0.99))], "ms", 50);
            foreach (var kind in rounds[0].Lists.Select(list => list.Kind).Distinct())
            {
                var taken = rounds.SelectMany(round => round.Lists).Where(list => list.Kind == kind).Select(list => list.Milliseconds).ToList();
                _table.Add(string.Create(CultureInfo.InvariantCulture, $"  {kind}, p99 (p50 {Percentile(taken, 0.5):0.0})"), database, [Percentile(taken, 0.99)], "ms", 50);
            }
        }
    }

    private Task RoundsAsync<T>(string name, List<T> loads, Func<string, List<T>, Task> measure) =>
        name.Contains(options.Only, StringComparison.OrdinalIgnoreCase) ? measure(name, loads) : Task.CompletedTask;

    /// <summary>What was measured on each, by round. The first round does not count: a server is up for days.</summary>
    private async Task<List<(string Database, CatalogProcess Catalog, List<T> Rounds)>> InterleavedAsync<T>(
        List<(string Database, CatalogProcess Catalog, CatalogLoads Loads)> all, Func<CatalogLoads, int, Task<T>> measure)
    {
        var measured = all.Select(one => (one.Database, one.Catalog, Rounds: new List<T>())).ToList();
        for (var round = -1; round < options.Rounds; round++)
        {
            for (var i = 0; i < all.Count; i++)
            {
                var result = await measure(all[i].Loads, round);
                if (round >= 0)
                {
                    measured[i].Rounds.Add(result);
                }
            }
        }

        return measured;
    }

    private static double Resident(CatalogProcess catalog)
    {
        catalog.Process.ResetPeak();
        return catalog.Process.PeakBytes() / Mib;
    }

    private static double Percentile(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)Math.Min(sorted.Length - 1, part * sorted.Length)];
    }
}
