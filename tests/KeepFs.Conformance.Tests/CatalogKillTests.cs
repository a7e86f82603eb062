using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace KeepFs.Conformance.Tests;

/// <summary>The catalogue is killed while clients save collections: whatever it acknowledged is there afterwards, on both databases.</summary>
public sealed class CatalogKillTests
{
    private const int Clients = 4;

    private static int Kills => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 40 : 3;

    [Fact]
    public Task Killed_catalogue_on_sqlite_has_what_it_acknowledged() => RunAsync([]);

    [Fact]
    public async Task Killed_catalogue_on_postgresql_has_what_it_acknowledged()
    {
        await using var server = await PostgresServer.StartAsync(isDurable: true);
        await server.CreateDatabaseAsync("keepfs");
        await RunAsync(["--database", $"Host={server.Host};Database=keepfs;Username=postgres"]);
    }

    private static async Task RunAsync(string[] database)
    {
        var folder = Directory.CreateTempSubdirectory("keepfs-catalog-kill-").FullName;
        var portBase = FreePorts.Base();
        var random = new Random(5);
        var acknowledged = new SortedSet<string>(StringComparer.Ordinal);
        try
        {
            for (var kill = 0; kill <= Kills; kill++)
            {
                using var up = Shell.Start(KeepFsProcess.Program, ["up", "--data", Path.Join(folder, "data"), "--port-base", portBase.ToString(CultureInfo.InvariantCulture), .. database], new Dictionary<string, string>(), folder);
                while (await up.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit) is var line && line != "ready")
                {
                    Assert.True(line is not null, "keepfs up ended before it was ready");
                }

                var token = (await File.ReadAllLinesAsync(Path.Join(folder, "data", "env"))).Select(entry => entry.Split("ARVADOS_API_TOKEN=")).Single(parts => parts.Length == 2)[1].Trim('"', '\'');
                using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
                using var http = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{portBase}/arvados/v1/") };
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
                foreach (var name in acknowledged)
                {
                    Assert.Equal(1, (await ListAsync(http, name))["items_available"]!.GetValue<int>());
                }

                if (kill == Kills)
                {
                    await Shell.SignalAsync(up, "TERM");
                    await up.WaitForExitAsync();
                    break;
                }

                var enough = new TaskCompletionSource();
                var wanted = acknowledged.Count + random.Next(1, 60);
                var saving = Enumerable.Range(0, Clients).Select(client => SaveAsync(http, $"{kill}-{client}", acknowledged, wanted, enough)).ToArray();
                await enough.Task.WaitAsync(Shell.Limit);
                up.Kill();
                await up.WaitForExitAsync();
                await Task.WhenAll(saving);
            }

            Assert.True(acknowledged.Count >= Kills);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task SaveAsync(HttpClient http, string client, SortedSet<string> acknowledged, int wanted, TaskCompletionSource enough)
    {
        for (var i = 0; ; i++)
        {
            var name = $"{client}-{i}";
            try
            {
                using var body = new StringContent(new JsonObject { ["name"] = name }.ToJsonString(), Encoding.UTF8, "application/json");
                using var answer = await http.PostAsync("collections", body);
                answer.EnsureSuccessStatusCode();
            }
            catch (HttpRequestException)
            {
                // Killed. This one may be there or not.
                return;
            }

            lock (acknowledged)
            {
                acknowledged.Add(name);
                if (acknowledged.Count >= wanted)
                {
                    enough.TrySetResult();
                }
            }
        }
    }

    private static async Task<JsonNode> ListAsync(HttpClient http, string name) => JsonNode.Parse(await http.GetStringAsync(
        $"collections?limit=0&filters={Uri.EscapeDataString(new JsonArray(new JsonArray("name", "=", name)).ToJsonString())}"))!;
}
