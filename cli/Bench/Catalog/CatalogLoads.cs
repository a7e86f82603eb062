using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>What clients do with one catalogue, as the ordinary users of <see cref="CatalogData"/>.</summary>
internal sealed class CatalogLoads(CatalogProcess catalog, CatalogBenchOptions options)
{
    /// <summary>Connections of the loads that measure throughput.</summary>
    public const int Clients = 16;

    private const string Collections = "/arvados/v1/collections", Links = "/arvados/v1/links";

    /// <summary>Who creates and gets.</summary>
    private const int Author = 0;

    /// <summary>To whom the large project is given and taken away; owns none of it.</summary>
    private const int Viewer = 3;

    private string? _middle;
    private string? _large;

    /// <summary>Rate of small collections with one block, each durable before it is answered, and the processor time of one; the same bytes go to the peer.</summary>
    public async Task<(double Rate, double Cpu, double PeerRate)> CreateAsync(CancellationToken cancellationToken)
    {
        var bodies = Enumerable.Range(0, options.Creates).Select(i =>
        {
            var name = Guid.NewGuid().ToString();
            return Body(name, $". {Locator()} 0:1000:data-{i % 10}.txt\\n", """{"sample":"S1","type":"fastq"}""");
        }).ToList();
        byte[][] requests = [.. bodies.Select(body => ApiConnection.Request("POST", Collections, CatalogData.Token(Author), body))];
        var (load, cpu) = await TimeAsync(() => ApiLoad.RunAsync(catalog.Address, Clients, requests, null, cancellationToken));
        var raw = await new RawInserts(catalog).RunAsync([.. bodies.Select(Encoding.UTF8.GetBytes)], Clients, cancellationToken);
        return (load.RequestsPerSecond, cpu / load.Requests * 1e6, bodies.Count / raw.TotalSeconds);
    }

    /// <summary>Rate of getting a collection with 100 blocks, signed.</summary>
    public async Task<(double Rate, double Cpu)> GetAsync(CancellationToken cancellationToken)
    {
        _middle ??= (await CreateAsync(files: 100, blocks: 100, cancellationToken)).Uuid;
        var (load, cpu) = await TimeAsync(() => ApiLoad.RunAsync(catalog.Address, Clients, [Get(_middle)], options.Duration, cancellationToken));
        return (load.RequestsPerSecond, cpu / load.Requests * 1e6);
    }

    /// <summary>Milliseconds until a collection of the large manifest is stored, all of its blocks new.</summary>
    public async Task<(double Milliseconds, double Cpu)> CreateLargeAsync(CancellationToken cancellationToken)
    {
        var ((uuid, milliseconds), cpu) = await TimeAsync(() => CreateAsync(options.LargeFiles, Math.Max(1, options.LargeFiles / 10), cancellationToken));
        _large = uuid;
        return (milliseconds, cpu * 1e6);
    }

    /// <summary>Milliseconds until the large manifest is there, signed.</summary>
    public async Task<(double Milliseconds, double Cpu)> GetLargeAsync(CancellationToken cancellationToken)
    {
        const int Times = 5;
        if (_large is null)
        {
            await CreateLargeAsync(cancellationToken);
        }

        var (load, cpu) = await TimeAsync(() => ApiLoad.RunAsync(catalog.Address, 1, [.. Enumerable.Repeat(Get(_large!), Times)], null, cancellationToken));
        return (load.Percentile(0.5), cpu / Times * 1e6);
    }

    /// <summary>Milliseconds of each list by its kind; one at a time, so that they do not wait for each other.</summary>
    public async Task<(List<(string Kind, double Milliseconds)> Lists, double Cpu)> ListAsync(List<(string Kind, byte[] Request)> queries, CancellationToken cancellationToken)
    {
        var taken = new List<(string, double)>();
        var (load, cpu) = await TimeAsync(() => ApiLoad.RunAsync(
            catalog.Address, 1, [.. queries.Select(query => query.Request)], null, cancellationToken, (number, milliseconds) => taken.Add((queries[number].Kind, milliseconds))));
        return (taken, cpu / load.Requests * 1e6);
    }

    /// <summary>Milliseconds until a user sees the large project that was shared with it or a group that it is in, and until it does not any more.</summary>
    public async Task<(double Given, double Taken)> ShareAsync(string with, CancellationToken cancellationToken)
    {
        await using var owner = await ApiConnection.OpenAsync(catalog.Address, cancellationToken);
        await using var viewer = await ApiConnection.OpenAsync(catalog.Address, cancellationToken);
        var token = CatalogData.Token(CatalogData.Readers - 1);
        var link = new JsonObject
        {
            ["link"] = new JsonObject { ["link_class"] = "permission", ["name"] = "can_read", ["tail_uuid"] = with, ["head_uuid"] = CatalogData.Large },
        };
        await RequireVisibleAsync(viewer, false, cancellationToken);
        var started = Stopwatch.GetTimestamp();
        var uuid = (string)(await JsonAsync(owner, ApiConnection.Request("POST", Links, token, link.ToJsonString()), cancellationToken))["uuid"]!;
        await RequireVisibleAsync(viewer, true, cancellationToken);
        var given = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        started = Stopwatch.GetTimestamp();
        await owner.SendAsync(ApiConnection.Request("DELETE", $"{Links}/{uuid}", token), null, cancellationToken);
        await RequireVisibleAsync(viewer, false, cancellationToken);
        return (given, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    public static string ViewerUuid => CatalogData.User(Viewer);

    private static async Task RequireVisibleAsync(ApiConnection viewer, bool expected, CancellationToken cancellationToken)
    {
        var filters = Uri.EscapeDataString(new JsonArray(new JsonArray("owner_uuid", "=", CatalogData.Large)).ToJsonString());
        var page = await JsonAsync(viewer, ApiConnection.Request("GET", $"{Collections}?limit=10&count=none&filters={filters}", CatalogData.Token(Viewer)), cancellationToken);
        if (page["items"]!.AsArray().Count > 0 != expected)
        {
            throw new IOException(expected ? "what was shared is not to be seen" : "what is not shared any more is still to be seen");
        }
    }

    private async Task<(string Uuid, double Milliseconds)> CreateAsync(int files, int blocks, CancellationToken cancellationToken)
    {
        var manifest = new StringBuilder(".");
        for (var i = 0; i < blocks; i++)
        {
            manifest.Append(' ').Append(Locator());
        }

        var bytes = blocks * 1000L / files;
        for (var i = 0; i < files; i++)
        {
            manifest.Append(CultureInfo.InvariantCulture, $" {i * bytes}:{bytes}:measurement-{i:d6}.dat");
        }

        await using var connection = await ApiConnection.OpenAsync(catalog.Address, cancellationToken);
        var request = ApiConnection.Request("POST", Collections, CatalogData.Token(Author), Body(Guid.NewGuid().ToString(), manifest.Append("\\n").ToString(), "{}"));
        var started = Stopwatch.GetTimestamp();
        var answer = await JsonAsync(connection, request, cancellationToken);
        return ((string)answer["uuid"]!, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    private static string Body(string name, string manifest, string properties) =>
        $$$"""{"collection":{"name":"{{{name}}}","manifest_text":"{{{manifest}}}","properties":{{{properties}}}}}""";

    private string Locator() => catalog.Signer.Sign($"{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}+1000", CatalogData.Token(Author), DateTimeOffset.UtcNow.AddDays(1));

    private static byte[] Get(string uuid) => ApiConnection.Request("GET", $"{Collections}/{uuid}", CatalogData.Token(Author));

    private static async Task<JsonNode> JsonAsync(ApiConnection connection, byte[] request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await connection.SendAsync(request, body, cancellationToken);
        return JsonNode.Parse(body.GetBuffer().AsSpan(0, (int)body.Length))!;
    }

    private async Task<(T Result, double CpuSeconds)> TimeAsync<T>(Func<Task<T>> load)
    {
        var before = catalog.Process.CpuSeconds();
        return (await load(), catalog.Process.CpuSeconds() - before);
    }
}
