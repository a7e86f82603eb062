using System.Text.Json.Nodes;
using KeepFs.Testing;

namespace KeepFs.Catalog.Tests;

/// <summary>The server is ended as by a power failure in the middle of load: the catalogue goes on, and knows what it has acknowledged.</summary>
public sealed class PostgresRestartTests
{
    private const int Clients = 6;

    private static int Restarts => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 30 : 3;

    [Fact]
    public async Task Restarted_server_loses_nothing_that_was_acknowledged_and_service_goes_on()
    {
        await using var server = await PostgresServer.StartAsync(isDurable: true);
        await server.CreateDatabaseAsync("keepfs");
        await using var catalog = await TestCatalog.StartOnAsync(PostgresDatabases.Config(server, "keepfs"));
        using var ending = new CancellationTokenSource();
        var (saved, refused) = (new List<string>(), new List<string>());
        var wrong = new List<string>();
        var count = 0;
        var saving = Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            for (var i = 0; !ending.IsCancellationRequested; i++)
            {
                var name = $"c{client}-{i}";
                var answer = await catalog.PostAsync(catalog.ActiveToken, "collections", new JsonObject { ["name"] = name });
                var read = await catalog.GetAsync(catalog.ActiveToken, "users/current");
                lock (saved)
                {
                    count++;
                    (answer.Status == 200 ? saved : answer.Status == 503 && !answer.Error.Contains("look whether", StringComparison.Ordinal) ? refused : wrong).Add(answer.Status is 200 or 503 ? name : answer.Text);
                    if (read.Status is not (200 or 503))
                    {
                        wrong.Add(read.Text);
                    }
                }
            }
        })).ToArray();
        for (var restart = 0; restart < Restarts; restart++)
        {
            await MoreAsync();
            await server.RestartAsync();
            await MoreAsync();
        }

        await ending.CancelAsync();
        await Task.WhenAll(saving);

        Assert.Empty(wrong);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var offset = 0; ; offset += 1000)
        {
            var page = await catalog.GetAsync(catalog.ActiveToken, $"collections?limit=1000&offset={offset}&order=uuid&select=[\"name\",\"uuid\"]");
            names.UnionWith(page.ItemTexts("name"));
            if (page.Items.Count < 1000)
            {
                break;
            }
        }

        Assert.Empty(saved.Except(names));
        // "Nothing was saved" is true as well.
        Assert.Empty(refused.Intersect(names));

        async Task MoreAsync()
        {
            var until = Volatile.Read(ref count) + 50;
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (Volatile.Read(ref count) < until)
            {
                await Task.Delay(10, limit.Token);
            }
        }
    }
}
