using System.Net;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>A server whose only volume is a gateway to a folder (keep-gateway.md 7 and 8), over HTTP.</summary>
public sealed class GatewayTests : IAsyncLifetime, IDisposable
{
    private const string Hello = "720ace04639b981a5832bce8cd3e3738";
    private readonly TemporaryFolder _folder = new();
    private TestKeepstore _gateway = null!;

    private string Mappings => Path.Combine(_folder.Path, "mappings");

    private string Objects => Path.Combine(_folder.Path, "objects");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Mappings);
        Directory.CreateDirectory(Path.Combine(Objects, "archive"));
        await File.WriteAllTextAsync(Path.Combine(Objects, "greeting.txt"), "hello gateway");
        await File.WriteAllTextAsync(Path.Combine(Objects, "archive", "all.bin"), "xxhello gatewayyy");
        Map(Hello, "0:13:greeting.txt\n2:13:archive/all.bin\n");
        _gateway = await TestKeepstore.StartAsync(Config());
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Block_is_read_with_its_signature_whatever_the_order_of_hints()
    {
        foreach (var locator in new[] { $"{Hello}+13+K@zzzzz-bi6l4-gateway00000000+{Signature()}", $"{Hello}+13+{Signature()}+K@zzzzz-bi6l4-gateway00000000+Zodd" })
        {
            using var answer = await _gateway.SendAsync("GET", "/" + locator);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(("application/octet-stream", 13L), (answer.Content.Headers.ContentType!.ToString(), answer.Content.Headers.ContentLength));
            Assert.Equal("hello gateway", await answer.Content.ReadAsStringAsync());
        }

        await _gateway.ExpectAsync(HttpStatusCode.OK, "HEAD", $"/{Hello}+13+{Signature()}");
    }

    [Fact]
    public async Task Wrong_missing_and_expired_signatures_get_the_answers_of_a_keepstore()
    {
        await _gateway.ExpectAsync(HttpStatusCode.BadRequest, "GET", $"/{Hello}+13+{Signature()}", token: "another");
        await _gateway.ExpectAsync(HttpStatusCode.BadRequest, "GET", $"/{Hello}+13");
        await _gateway.ExpectAsync(HttpStatusCode.Unauthorized, "GET", $"/{Hello}+13+{Signature()}", token: null);
        await _gateway.ExpectAsync(HttpStatusCode.Unauthorized, "GET", $"/{Hello}+13+{Signature(TimeSpan.FromHours(-1))}");
    }

    [Fact]
    public async Task Candidate_that_disappeared_or_changed_is_replaced_by_the_next_and_none_is_404()
    {
        await File.WriteAllTextAsync(Path.Combine(Objects, "greeting.txt"), "HELLO GATEWAY");
        Assert.Equal("hello gateway", await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", $"/{Hello}+13+{Signature()}"));
        Assert.Equal(["2:13:archive/all.bin", "0:13:greeting.txt"], await File.ReadAllLinesAsync(Path.Combine(Mappings, "720", Hello)));

        File.Delete(Path.Combine(Objects, "archive", "all.bin"));
        await _gateway.RestartAsync();
        await _gateway.ExpectAsync(HttpStatusCode.NotFound, "GET", $"/{Hello}+13+{Signature()}");
        File.Delete(Path.Combine(Objects, "greeting.txt"));
        await _gateway.ExpectAsync(HttpStatusCode.NotFound, "GET", $"/{Hello}+13+{Signature()}");
        await _gateway.ExpectAsync(HttpStatusCode.NotFound, "GET", $"/{new string('0', 32)}+13+{Signature(hash: new string('0', 32))}");
    }

    [Fact]
    public async Task Store_that_does_not_answer_is_503_and_its_clients_try_again()
    {
        // A bucket at a port where nobody listens.
        await using var gateway = await TestKeepstore.StartAsync(Config(new VolumeConfig
        {
            Driver = GatewayDriver.S3,
            DriverParameters = new Dictionary<string, string>
            {
                ["MappingsDir"] = Mappings,
                ["Bucket"] = "bucket",
                ["Endpoint"] = "http://127.0.0.1:1",
                ["AccessKeyID"] = "a",
                ["SecretAccessKey"] = "s",
                ["UsePathStyle"] = "true",
            },
        }));
        using var answer = await gateway.SendAsync("GET", $"/{Hello}+13+{Signature()}");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("remote storage unavailable\n", await answer.Content.ReadAsStringAsync());
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task Nothing_can_be_written_or_deleted()
    {
        await _gateway.ExpectAsync(HttpStatusCode.MethodNotAllowed, "PUT", "/acbd18db4cc2f85cedef654fccc4a4d8", body: "foo"u8.ToArray());
        await _gateway.ExpectAsync(HttpStatusCode.MethodNotAllowed, "DELETE", "/" + Hello, TestKeepstore.SystemToken);
        await _gateway.ExpectAsync(HttpStatusCode.Forbidden, "DELETE", "/" + Hello);
        await _gateway.ExpectAsync(HttpStatusCode.OK, "PUT", "/trash", TestKeepstore.SystemToken, Encoding.UTF8.GetBytes($"[{{\"locator\":\"{Hello}+13\",\"block_mtime\":1}}]"));
        await _gateway.ExpectAsync(HttpStatusCode.NotFound, "PUT", "/untrash/" + Hello, TestKeepstore.SystemToken);
        Assert.Equal(["archive/all.bin", "greeting.txt"], Directory.EnumerateFiles(Objects, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Objects, file)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Touch_sets_the_time_in_the_index_and_mounts_are_read_only()
    {
        await _gateway.ExpectAsync(HttpStatusCode.OK, "TOUCH", "/" + Hello, TestKeepstore.SystemToken);
        await _gateway.ExpectAsync(HttpStatusCode.NotFound, "TOUCH", "/" + new string('0', 32), TestKeepstore.SystemToken);
        Map("acbd18db4cc2f85cedef654fccc4a4d8", "0:3:foo\n");

        Assert.Equal($"{Hello}+13 {_gateway.Time.Nanoseconds}\n\n", await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", "/index/72", TestKeepstore.SystemToken));
        Assert.Equal("\n", await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", $"/index/{Hello[..31]}f", TestKeepstore.SystemToken));
        var index = await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", "/index", TestKeepstore.SystemToken);
        Assert.Equal([Hello + "+13", "acbd18db4cc2f85cedef654fccc4a4d8+3", "", ""], index.Split('\n').Select(line => line.Split(' ')[0]));
        using var mounts = JsonDocument.Parse(await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", "/mounts", TestKeepstore.SystemToken));
        var mount = Assert.Single(mounts.RootElement.EnumerateArray());
        Assert.StartsWith("file://", mount.GetProperty("device_id").GetString(), StringComparison.Ordinal);
        Assert.False(mount.GetProperty("allow_write").GetBoolean() || mount.GetProperty("allow_trash").GetBoolean());
    }

    [Fact]
    public async Task Status_and_metrics_count_index_and_candidates()
    {
        await File.WriteAllTextAsync(Path.Combine(Objects, "greeting.txt"), "HELLO GATEWAY");
        await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", $"/{Hello}+13+{Signature()}");

        using var status = JsonDocument.Parse(await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", "/status.json", token: null));
        Assert.Equal((1, 2, 0), (Number("Hashes"), Number("Candidates"), Number("Objects")));
        Assert.Equal(2, status.RootElement.GetProperty("Remote").GetProperty("Requests").GetInt32());
        Assert.Equal(0, status.RootElement.GetProperty("LastScan").GetProperty("Finished").GetInt64());
        var metrics = await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", "/metrics", "manage");
        foreach (var line in (string[])["arvados_keepgw_candidates_total{outcome=\"ok\"} 1", "arvados_keepgw_candidates_total{outcome=\"changed\"} 1", "arvados_keepgw_candidates_total{outcome=\"gone\"} 0", "arvados_keepgw_candidates_total{outcome=\"unavailable\"} 0", "arvados_keepgw_index_hashes 1", "arvados_keepgw_index_candidates 2"])
        {
            Assert.Contains(line + "\n", metrics, StringComparison.Ordinal);
        }

        int Number(string name) => status.RootElement.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Size_hint_of_another_length_finds_nothing_and_the_empty_block_is_there()
    {
        await _gateway.ExpectAsync(HttpStatusCode.NotFound, "GET", $"/{Hello}+12+{Signature()}");
        Assert.Equal("", await _gateway.ExpectAsync(HttpStatusCode.OK, "GET", $"/{BlockHash.Empty}+0+{Signature(hash: BlockHash.Empty.ToString())}"));
    }

    [Fact]
    public void Faults_of_a_gateway_volume_are_told_with_their_path()
    {
        Assert.Contains("MappingsDir", Fault(new VolumeConfig { Driver = GatewayDriver.Directory, DriverParameters = new Dictionary<string, string> { ["Root"] = Objects } }), StringComparison.Ordinal);
        Assert.Contains("Root", Fault(new VolumeConfig { Driver = GatewayDriver.Directory, DriverParameters = new Dictionary<string, string> { ["MappingsDir"] = Mappings } }), StringComparison.Ordinal);
        Assert.Contains("Bucket", Fault(new VolumeConfig { Driver = GatewayDriver.S3, DriverParameters = new Dictionary<string, string> { ["MappingsDir"] = Mappings } }), StringComparison.Ordinal);
        Assert.Contains(
            "cannot serve a volume of the driver Directory",
            Fault(new VolumeConfig
            {
                AccessViaHosts = new Dictionary<string, VolumeAccessConfig> { [TestKeepstore.Url] = new() },
                DriverParameters = new Dictionary<string, string> { ["Root"] = Objects },
            }),
            StringComparison.Ordinal);

        string Fault(VolumeConfig volume) =>
            Assert.Single(Assert.Throws<ConfigException>(() => KeepstoreServer.Create(Config(volume), TestKeepstore.Url, new KeepstoreServerOptions())).Faults);
    }

    [Fact]
    public async Task Keepstore_may_mount_a_gateway_volume_beside_its_own()
    {
        using var own = new TemporaryFolder();
        var config = TestKeepstore.ConfigFor(own);
        config = config with { Volumes = config.Volumes.Append(new("zzzzz-nyw5e-gatewaygateway0", Volume())).ToDictionary() };
        await using var keepstore = await TestKeepstore.StartAsync(config);

        Assert.Equal("hello gateway", await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", $"/{Hello}+13+{Signature()}"));
        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", "/acbd18db4cc2f85cedef654fccc4a4d8", body: "foo"u8.ToArray());
        Assert.Single(own.Files());
    }

    private void Map(string hash, string lines)
    {
        Directory.CreateDirectory(Path.Combine(Mappings, hash[..3]));
        File.WriteAllText(Path.Combine(Mappings, hash[..3], hash), lines);
    }

    private VolumeConfig Volume() => new()
    {
        Driver = GatewayDriver.Directory,
        DriverParameters = new Dictionary<string, string> { ["MappingsDir"] = Mappings, ["Root"] = Objects },
    };

    private ClusterConfig Config(VolumeConfig? volume = null)
    {
        var config = TestKeepstore.ConfigFor();
        return config with
        {
            Services = new ServicesConfig { Keepgw = config.Services.Keepstore },
            Volumes = new Dictionary<string, VolumeConfig> { ["zzzzz-nyw5e-000000000000000"] = volume ?? Volume() },
        };
    }

    private static string Signature(TimeSpan? lifetime = null, string hash = Hello)
    {
        var signer = new LocatorSigner(TestKeepstore.Key, new CollectionsConfig().BlobSigningTTL);
        return signer.Sign(hash, TestKeepstore.Token, new ManualTime().GetUtcNow() + (lifetime ?? TimeSpan.FromHours(1)))[(hash.Length + 1)..];
    }
}
