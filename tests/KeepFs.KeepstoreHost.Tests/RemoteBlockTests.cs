using System.Net;
using KeepFs.Catalog;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>A keepstore of this cluster, and catalogue and keepstore of another one, <c>rrrrr</c>.</summary>
public sealed class RemoteBlockTests : IAsyncLifetime, IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const string UserToken = "v2/zzzzz-gj3su-077z32aux8dg2s1/3kg6k6lzmp9kj5cpkcoxie963cmvjahbt2fod9zru30k1jqdmi";
    private const HttpStatusCode Ok = HttpStatusCode.OK;
    private readonly TemporaryFolder _localFolder = new();
    private readonly TemporaryFolder _remoteFolder = new();
    private readonly TemporaryFolder _database = new();
    private TestKeepstore _local = null!;
    private TestKeepstore _remote = null!;
    private CatalogServer _catalog = null!;

    public async Task InitializeAsync()
    {
        var remoteConfig = TestKeepstore.ConfigFor(_remoteFolder);
        _remote = await TestKeepstore.StartAsync(remoteConfig with { Collections = new CollectionsConfig { BlobSigningKey = "thekeyoftheremotecluster" } });
        _catalog = CatalogServer.Create(
            new ClusterConfig
            {
                ClusterId = "rrrrr",
                SystemRootToken = TestKeepstore.SystemToken,
                Collections = new CollectionsConfig { BlobSigningKey = "thekeyoftheremotecluster" },
                Catalog = new CatalogConfig { SqlitePath = Path.Join(_database.Path, "catalog.sqlite") },
                Services = new ServicesConfig
                {
                    Keepstore = new ServiceConfig
                    {
                        InternalURLs = new Dictionary<string, InternalUrlConfig> { [_remote.Address.ToString()] = new() { Rendezvous = "aaaaabbbbbccccc" } },
                    },
                },
            },
            new CatalogServerOptions(),
            certificate: null,
            TimeProvider.System,
            NullLoggerFactory.Instance);
        await _catalog.StartAsync(default);
        _local = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_localFolder) with
        {
            RemoteClusters = new Dictionary<string, RemoteClusterConfig>
            {
                ["rrrrr"] = new() { Host = _catalog.Addresses[0].Authority, Scheme = "http" },
                ["ddddd"] = new() { Host = "127.0.0.1:1", Scheme = "http" },
                ["*"] = new(),
            },
        });
    }

    public async Task DisposeAsync()
    {
        await _local.DisposeAsync();
        await _catalog.StopAsync(default);
        await _catalog.DisposeAsync();
        await _remote.DisposeAsync();
    }

    public void Dispose()
    {
        _localFolder.Dispose();
        _remoteFolder.Dispose();
        _database.Dispose();
    }

    [Fact]
    public async Task Remote_block_is_relayed_and_not_stored()
    {
        var locator = await PutRemoteAsync("foo");

        using var get = await _local.SendAsync("GET", "/" + locator, UserToken);
        Assert.Equal("foo", await get.Content.ReadAsStringAsync());
        Assert.Equal((Ok, (long?)3), (get.StatusCode, get.Content.Headers.ContentLength));
        Assert.False(get.Headers.Contains("X-Keep-Locator"));
        using var head = await _local.SendAsync("HEAD", "/" + locator + "+K@xyzzy", UserToken);
        Assert.Equal((Ok, (long?)3), (head.StatusCode, head.Content.Headers.ContentLength));
        Assert.Empty(_localFolder.Files());
    }

    [Fact]
    public async Task Local_signature_stores_the_block_and_opens_it_to_the_unsalted_token()
    {
        var locator = await PutRemoteAsync("foo");

        using var get = await _local.SendAsync("GET", "/" + locator, UserToken, headers: ("X-Keep-Signature", "local, 2026-01-02T03:04:05Z"));
        Assert.Equal("foo", await get.Content.ReadAsStringAsync());
        var signed = get.Headers.GetValues("X-Keep-Locator").Single();

        Assert.Matches(@"\A" + Foo + @"\+3\+A[0-9a-f]{40}@[0-9a-f]{8}\z", signed);
        Assert.Equal(["acb/" + Foo], _localFolder.Files());
        await _remote.Server.StopAsync(default);
        Assert.Equal("foo", await _local.ExpectAsync(Ok, "GET", "/" + signed, UserToken));
    }

    [Theory]
    [InlineData("+3+Rrrrrr-x@1", null, 401, "no token provided in Authorization header")]
    [InlineData("+3+Rqqqqq-x@1", UserToken, 400, "remote cluster not configured")]
    [InlineData("+3+R*-x@1", UserToken, 400, "invalid remote hint")]
    [InlineData("+3+Rrrrrrx", UserToken, 400, "invalid remote hint")]
    [InlineData("+3+Rrrrrr-", UserToken, 400, "invalid remote hint")]
    [InlineData("+3+R", UserToken, 400, "invalid remote hint")]
    [InlineData("+3+Rrrrrr-x@1", "3kg6k6lzmp9kj5cpkcoxie963cmvjahbt2fod9zru30k1jqdmi", 400, "obsolete token format")]
    [InlineData("+3+Rrrrrr-x@1", "short", 500, "badly formatted token")]
    [InlineData("+3+Rrrrrr-x@1", "v2/zzzzz-gj3su-077z32aux8dg2s1/cc6a529e5f8f26732d000ecb9f4fc803d7e6a6eb", 500, "token already salted")]
    [InlineData("+Rrrrrr-x@1", UserToken, 405, "method not allowed")]
    [InlineData("+67108865+Rrrrrr-x@1", UserToken, 400, "no block can be so large")]
    [InlineData("+3+Rddddd-x@1", UserToken, 404, "file does not exist")]
    [InlineData("+3+Rrrrrr-89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff", UserToken, 404, "file does not exist")]
    public async Task Remote_block_that_cannot_be_had_says_why(string hints, string? token, int status, string text) =>
        Assert.Equal(text + "\n", await _local.ExpectAsync((HttpStatusCode)status, "GET", $"/{Foo}{hints}", token));

    [Fact]
    public async Task Corrupt_remote_block_is_a_bad_gateway_and_stored_nowhere()
    {
        var locator = await PutRemoteAsync("foo");
        await File.WriteAllTextAsync(Path.Join(_remoteFolder.Path, "acb", Foo), "bad");

        using var get = await _local.SendAsync("GET", "/" + locator, UserToken, headers: ("X-Keep-Signature", "local"));

        Assert.Equal(HttpStatusCode.BadGateway, get.StatusCode);
        Assert.False(get.Headers.Contains("X-Keep-Locator"));
        Assert.Empty(_localFolder.Files());
    }

    /// <summary>Stores a block over there for the salted token, and gives the locator as it comes from a federated manifest.</summary>
    private async Task<string> PutRemoteAsync(string data)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(data);
        var signed = await _remote.ExpectAsync(Ok, "PUT", "/" + BlockHash.Compute(bytes), TokenSalt.ForCluster(UserToken, "rrrrr"), bytes);
        return signed.Trim().Replace("+A", "+Rrrrrr-", StringComparison.Ordinal);
    }
}
