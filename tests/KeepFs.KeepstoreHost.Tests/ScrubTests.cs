using System.Net;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>Scrubbing through real servers.</summary>
public sealed class ScrubTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const string Scrub = "/_keepfs/scrub";
    private static readonly byte[] Start = """{"action":"start","rate":0}"""u8.ToArray();
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public async Task Flipped_bit_is_found_and_healed_from_another_keepstore()
    {
        await using var other = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_two));
        await using var keepstore = await StartAsync(other.Address.ToString());
        await PutAsync(keepstore);
        await PutAsync(other);
        Flip(_one);

        var mount = Assert.Single((await PassAsync(keepstore)).Mounts);

        Assert.Equal((1, 1, 0), (mount.State.LastPass!.CorruptBlocks, mount.State.LastPass.HealedBlocks, mount.State.LostBlocks));
        Assert.Equal("foo", await File.ReadAllTextAsync(Path.Join(_one.Path, "acb", Foo)));
        Assert.Equal("fon", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Path.Join(_one.Path, "quarantine")))));
        var metrics = await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", "/metrics", "manage");
        Assert.Contains("keepfs_scrub_pass_healed_blocks{mount=\"zzzzz-nyw5e-000000000000000\"} 1", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_everywhere_is_reported_and_no_longer_listed()
    {
        await using var other = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_two));
        await using var keepstore = await StartAsync(other.Address.ToString());
        await PutAsync(keepstore);
        await PutAsync(other);
        Flip(_one);
        Flip(_two);

        Assert.Equal(1, (await PassAsync(keepstore)).Mounts[0].State.LostBlocks);
        Assert.Equal("\n", await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", "/index", TestKeepstore.SystemToken));
        Assert.Contains("keepfs_scrub_lost_blocks{mount=\"zzzzz-nyw5e-000000000000000\"} 1", await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", "/metrics", "manage"), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Path.Join(_one.Path, "quarantine")));
    }

    [Fact]
    public async Task Server_that_does_not_answer_leaves_the_block_to_the_next_pass()
    {
        await using var keepstore = await StartAsync("http://127.0.0.1:9/");
        await PutAsync(keepstore);
        Flip(_one);
        Assert.Equal(1, (await PassAsync(keepstore)).Mounts[0].State.LostBlocks);

        // Somebody stores the block again.
        await PutAsync(keepstore);
        Assert.Equal(0, (await PassAsync(keepstore)).Mounts[0].State.LostBlocks);
    }

    [Fact]
    public async Task Scrub_is_for_the_system_token_and_bad_orders_are_refused()
    {
        await using var keepstore = await StartAsync("http://127.0.0.1:9/");
        await keepstore.ExpectAsync(HttpStatusCode.Unauthorized, "GET", Scrub, token: null);
        await keepstore.ExpectAsync(HttpStatusCode.Forbidden, "GET", Scrub);
        await keepstore.ExpectAsync(HttpStatusCode.Forbidden, "PUT", Scrub, body: Start);
        foreach (var order in new[] { "", "{}", "[]", "null", """{"action":"dance"}""", """{"action":"rate"}""", """{"action":"rate","rate":-1}""", """{"action":"stop","rate":1}""", new string('x', 5000) })
        {
            await keepstore.ExpectAsync(HttpStatusCode.BadRequest, "PUT", Scrub, TestKeepstore.SystemToken, Encoding.UTF8.GetBytes(order));
        }

        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", Scrub, TestKeepstore.SystemToken, """{"action":"rate","rate":123}"""u8.ToArray());
        Assert.Equal(123, (await StatusAsync(keepstore)).BytesPerSecond);
        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", Scrub, TestKeepstore.SystemToken, """{"action":"stop"}"""u8.ToArray());
        Assert.False((await StatusAsync(keepstore)).IsOn);
    }

    private Task<TestKeepstore> StartAsync(string other)
    {
        var config = TestKeepstore.ConfigFor(_one);
        return TestKeepstore.StartAsync(config with
        {
            Services = new ServicesConfig
            {
                Keepstore = new ServiceConfig { InternalURLs = new Dictionary<string, InternalUrlConfig> { [TestKeepstore.Url] = new(), [other] = new() } },
            },
        });
    }

    private static async Task PutAsync(TestKeepstore keepstore) => await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", "/" + Foo, body: "foo"u8.ToArray());

    private static void Flip(TemporaryFolder folder)
    {
        using var file = File.Open(Path.Join(folder.Path, "acb", Foo), FileMode.Open);
        file.Position = 2;
        file.WriteByte((byte)'o' ^ 1);
    }

    private static async Task<ScrubStatus> StatusAsync(TestKeepstore keepstore) =>
        JsonSerializer.Deserialize(await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", Scrub, TestKeepstore.SystemToken), ScrubJson.Default.ScrubStatus)!;

    /// <summary>Asks for a pass and waits for its end, as <c>keepfs scrub --now --watch</c> does.</summary>
    private static async Task<ScrubStatus> PassAsync(TestKeepstore keepstore)
    {
        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", Scrub, TestKeepstore.SystemToken, Start);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        ScrubStatus status;
        do
        {
            Assert.False(limit.IsCancellationRequested, "The pass does not end.");
            status = await StatusAsync(keepstore);
        }
        while (status.Mounts.Any(mount => mount.Activity is "scrubbing" or "yielding"));
        return status;
    }
}
