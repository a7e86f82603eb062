using System.CommandLine;
using KeepFs.Cli.Bench.Catalog;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs bench catalog</c>.</summary>
internal static class BenchCatalogCommand
{
    private const string Both = "both";

    public static Command Create()
    {
        var folder = new Option<string>("--folder") { Description = "A folder on a disk, with room for 10 KiB for each collection.", DefaultValueFactory = _ => Path.GetTempPath() };
        var database = new Option<string?>("--database") { Description = "sqlite, postgres or both (default: both where Debian's PostgreSQL is installed)." };
        database.AcceptOnlyFromAmong(CatalogBenchOptions.Sqlite, CatalogBenchOptions.Postgres, Both);
        var collections = new Option<int>("--collections") { Description = "Collections that are there; the bars are for 1000000.", DefaultValueFactory = _ => 100_000 };
        var users = new Option<int>("--users") { Description = "Users that are there.", DefaultValueFactory = _ => 10_000 };
        var creates = new Option<int>("--creates") { Description = "Collections that are created in a round.", DefaultValueFactory = _ => 2000 };
        var lists = new Option<int>("--lists") { Description = "Lists that are asked for in a round.", DefaultValueFactory = _ => 400 };
        var large = new Option<int>("--files") { Description = "Files of the large manifest, with a tenth as many blocks.", DefaultValueFactory = _ => 100_000 };
        var rounds = new Option<int>("--rounds") { Description = "How often each load runs on each database.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<double>("--seconds") { Description = "How long a reading load runs.", DefaultValueFactory = _ => 2 };
        var only = new Option<string>("--only") { Description = "Only loads whose name contains this, such as 'create'.", DefaultValueFactory = _ => "" };
        var json = new Option<bool>("--json") { Description = "One JSON object a row." };

        // The bench starts itself with these.
        var serve = new Option<string?>("--serve") { Hidden = true };
        var port = new Option<int>("--port") { Hidden = true };
        foreach (var (number, least) in ((Option<int>, int)[])[(collections, 1000), (users, 1), (creates, 1), (lists, 11), (large, 10), (rounds, 1)])
        {
            number.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<int>() < least)
                {
                    result.AddError($"{number.Name}: at least {least}");
                }
            });
        }

        var command = new Command("catalog", "Our catalogue on both databases: rates, latencies, processor time and memory with many records.")
        {
            folder, database, collections, users, creates, lists, large, rounds, seconds, only, json, serve, port,
        };
        command.SetAction((parsed, cancellationToken) => parsed.GetValue(serve) is { } config
            ? BenchCatalogServer.RunAsync(config, parsed.GetValue(port), cancellationToken)
            : new CatalogBench(new CatalogBenchOptions
            {
                Folder = parsed.GetValue(folder)!,
                Databases = Databases(parsed.GetValue(database)),
                Collections = parsed.GetValue(collections),
                Users = parsed.GetValue(users),
                Creates = parsed.GetValue(creates),
                Lists = parsed.GetValue(lists),
                LargeFiles = parsed.GetValue(large),
                Rounds = parsed.GetValue(rounds),
                Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                Only = parsed.GetValue(only)!,
                Json = parsed.GetValue(json),
            }).RunAsync(cancellationToken));
        return command;
    }

    private static string[] Databases(string? given) => given switch
    {
        CatalogBenchOptions.Sqlite or CatalogBenchOptions.Postgres => [given],
        null when !BenchPostgres.IsInstalled => [CatalogBenchOptions.Sqlite],
        _ => [CatalogBenchOptions.Sqlite, CatalogBenchOptions.Postgres],
    };
}
