using System.Net;
using System.Text.Json;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

public sealed class ServiceEndpointTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const HttpStatusCode Ok = HttpStatusCode.OK;
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public async Task Arvados_volume_is_indexed_and_served_in_place()
    {
        Place(_one, "acb/" + Foo, "foo", new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddTicks(1234567));
        Place(_one, "37b/37b51d194a7513e45b56f6524f2d51f2", "bar", DateTime.UnixEpoch.AddDays(1));
        Place(_one, "37b/37b51d194a7513e45b56f6524f2d51f2.trash.2000000000", "bar", DateTime.UnixEpoch);
        Place(_one, "37b/tmp37b51d194a7513e45b56f6524f2d51f2123", "ba", DateTime.UnixEpoch);
        Place(_one, "lost+found/" + Foo, "x", DateTime.UnixEpoch);
        Place(_two, "acb/" + Foo, "foo", DateTime.UnixEpoch);
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one, _two));
        const string BarLine = "37b51d194a7513e45b56f6524f2d51f2+3 86400000000000\n";
        const string FooLine = Foo + "+3 1577836800123456700\n";
        const string FooLineTwo = Foo + "+3 0\n";

        foreach (var (path, expected) in new[]
        {
            ("/index", BarLine + FooLine + FooLineTwo + "\n"),
            ("/index/", BarLine + FooLine + FooLineTwo + "\n"),
            ("/index/acbd", FooLine + FooLineTwo + "\n"),
            ("/index/acbd?prefix=37", BarLine + "\n"),
            ("/index/000", "\n"),
            ("/mounts/zzzzz-nyw5e-000000000000000/blocks", BarLine + FooLine + "\n"),
            ("/mounts/zzzzz-nyw5e-111111111111111/blocks/a", FooLineTwo + "\n"),
        })
        {
            Assert.Equal(expected, await keepstore.ExpectAsync(Ok, "GET", path, TestKeepstore.SystemToken));
        }

        await keepstore.ExpectAsync(HttpStatusCode.NotFound, "GET", "/mounts/zzzzz-nyw5e-222222222222222/blocks", TestKeepstore.SystemToken);
        Assert.Equal("foo", await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff"));
    }

    [Fact]
    public async Task Index_that_cannot_be_completed_has_no_empty_line_at_its_end()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one, _two));
        Place(_one, "acb/" + Foo, "foo", DateTime.UnixEpoch);
        Directory.Delete(_two.Path);

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => keepstore.SendAsync("GET", "/index", TestKeepstore.SystemToken));
        await keepstore.ExpectAsync(HttpStatusCode.InternalServerError, "GET", "/mounts/zzzzz-nyw5e-111111111111111/blocks", TestKeepstore.SystemToken);
        Directory.CreateDirectory(_two.Path);
    }

    [Fact]
    public async Task Mounts_are_listed_with_what_they_allow()
    {
        var config = TestKeepstore.ConfigFor(_one, _two);
        config = config with
        {
            StorageClasses = new Dictionary<string, StorageClassConfig> { ["hot"] = new() { Priority = 7 } },
            Volumes = new Dictionary<string, VolumeConfig>
            {
                ["zzzzz-nyw5e-000000000000000"] = config.Volumes["zzzzz-nyw5e-000000000000000"] with
                {
                    AccessViaHosts = new Dictionary<string, VolumeAccessConfig> { [TestKeepstore.Url] = new() { ReadOnly = true } },
                    StorageClasses = new Dictionary<string, bool> { ["hot"] = true, ["off"] = false },
                },
                ["zzzzz-nyw5e-111111111111111"] = config.Volumes["zzzzz-nyw5e-111111111111111"] with { Replication = 3, ReadOnly = true, AllowTrashWhenReadOnly = true },
                ["zzzzz-nyw5e-222222222222222"] = new() { AccessViaHosts = new Dictionary<string, VolumeAccessConfig> { ["http://other:1"] = new() } },
            },
        };
        await using var keepstore = await TestKeepstore.StartAsync(config);

        var text = await keepstore.ExpectAsync(Ok, "GET", "/mounts", TestKeepstore.SystemToken);

        Assert.EndsWith("]\n", text, StringComparison.Ordinal);
        var mounts = JsonDocument.Parse(text).RootElement.EnumerateArray().Select(mount => mount.GetRawText()).ToArray();
        Assert.Equal(2, mounts.Length);
        Assert.StartsWith("{\"uuid\":\"zzzzz-nyw5e-000000000000000\",\"device_id\":\"", mounts[0], StringComparison.Ordinal);
        Assert.EndsWith("\"allow_write\":false,\"allow_trash\":false,\"replication\":1,\"storage_classes\":{\"hot\":true}}", mounts[0], StringComparison.Ordinal);
        Assert.EndsWith("\"allow_write\":false,\"allow_trash\":true,\"replication\":3,\"storage_classes\":{\"default\":true}}", mounts[1], StringComparison.Ordinal);
        Assert.Equal(7, keepstore.Server.Keepstore.Mounts.All[0].Priority);
    }

    [Theory]
    [InlineData("/index")]
    [InlineData("/mounts")]
    [InlineData("/mounts/zzzzz-nyw5e-000000000000000/blocks")]
    public async Task System_endpoints_need_the_system_token_in_any_place(string path)
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        Assert.Equal("Unauthorized\n", await keepstore.ExpectAsync(HttpStatusCode.Unauthorized, "GET", path, token: null));
        Assert.Equal("Forbidden\n", await keepstore.ExpectAsync(HttpStatusCode.Forbidden, "GET", path));
        await keepstore.ExpectAsync(Ok, "GET", path + "?api_token=" + TestKeepstore.SystemToken);
        await keepstore.ExpectAsync(Ok, "HEAD", path, TestKeepstore.SystemToken);
    }

    [Fact]
    public async Task Health_and_metrics_follow_the_management_token()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        Assert.Equal("{\"health\":\"OK\"}\n", await keepstore.ExpectAsync(Ok, "GET", "/_health/ping", "manage"));
        foreach (var path in new[] { "/_health/ping", "/metrics" })
        {
            Assert.Equal("authorization required\n", await keepstore.ExpectAsync(HttpStatusCode.Unauthorized, "GET", path, token: null));
            Assert.Equal("authorization error\n", await keepstore.ExpectAsync(HttpStatusCode.Forbidden, "GET", path, "wrong"));
        }

        var metrics = await keepstore.ExpectAsync(Ok, "GET", "/metrics", "manage");
        Assert.Contains("arvados_max_concurrent_requests{queue=\"api\"} 64\n", metrics, StringComparison.Ordinal);
        Assert.Contains("request_duration_seconds_count{code=\"200\",method=\"get\"} 1\n", metrics, StringComparison.Ordinal);

        await using var open = await TestKeepstore.StartAsync(keepstore.Config with { ManagementToken = "" });
        Assert.Equal("disabled\n", await open.ExpectAsync(HttpStatusCode.NotFound, "GET", "/_health/ping", "manage"));
        await open.ExpectAsync(Ok, "GET", "/metrics", token: null);
    }

    [Fact]
    public void Unsafe_or_incomplete_configuration_does_not_start()
    {
        var config = TestKeepstore.ConfigFor(_one) with
        {
            SystemRootToken = "",
            Collections = new CollectionsConfig(),
            API = new ApiConfig { MaxKeepBlobBuffers = 0 },
            Volumes = new Dictionary<string, VolumeConfig>
            {
                ["zzzzz-nyw5e-000000000000000"] = new() { Driver = "Tape" },
                ["zzzzz-nyw5e-111111111111111"] = new() { DriverParameters = new Dictionary<string, string> { ["Root"] = "relative" } },
            },
        };

        var failure = Assert.Throws<ConfigException>(() => KeepstoreServer.Create(config, "http://unknown:1", new KeepstoreServerOptions()));

        Assert.Equal(
            ["SystemRootToken", "Collections.BlobSigningKey", "API.MaxKeepBlobBuffers", "Services.Keepstore.InternalURLs",
                "Volumes.zzzzz-nyw5e-000000000000000.Driver", "Volumes.zzzzz-nyw5e-111111111111111"],
            failure.Faults.Select(fault => fault["Clusters.zzzzz.".Length..fault.IndexOf(": ", StringComparison.Ordinal)]));
        Assert.Contains("none is mounted", Assert.Throws<ConfigException>(() => KeepstoreServer.Create(
            TestKeepstore.ConfigFor(), TestKeepstore.Url, new KeepstoreServerOptions())).Message, StringComparison.Ordinal);
    }

    private static void Place(TemporaryFolder folder, string path, string content, DateTime mtime)
    {
        var full = Path.Join(folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        File.SetLastWriteTimeUtc(full, mtime);
    }
}
