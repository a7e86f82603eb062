using System.Net;
using System.Net.Sockets;
using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

public sealed class BlockEndpointTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const string Signature = "+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff";
    private const HttpStatusCode Ok = HttpStatusCode.OK;
    private static readonly byte[] FooData = "foo"u8.ToArray();
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public async Task Put_returns_a_locator_that_can_be_read_also_after_a_restart()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        using var put = await keepstore.SendAsync("PUT", "/" + Foo, body: FooData);
        var locator = await put.Content.ReadAsStringAsync();

        Assert.Equal(Ok, put.StatusCode);
        Assert.Matches(@"\Aacbd18db4cc2f85cedef654fccc4a4d8\+3\+A[0-9a-f]{40}@[0-9a-f]{8}\n\z", locator);
        Assert.Equal("1", put.Headers.GetValues("X-Keep-Replicas-Stored").Single());
        Assert.Equal("default=1", put.Headers.GetValues("X-Keep-Storage-Classes-Confirmed").Single());
        await keepstore.RestartAsync();
        foreach (var path in new[] { "/" + locator.Trim(), "//" + locator.Trim() })
        {
            using var get = await keepstore.SendAsync("GET", path);
            Assert.Equal(Ok, get.StatusCode);
            Assert.Equal(FooData, await get.Content.ReadAsByteArrayAsync());
            Assert.Equal("application/octet-stream", get.Content.Headers.ContentType?.ToString());
            Assert.Equal("X-Keep-Signature", get.Headers.Vary.Single());
            Assert.Equal("*", get.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.StartsWith("req-", get.Headers.GetValues("X-Request-Id").Single(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData((3 << 20) + 1)]
    [InlineData(1 << 26)]
    public async Task Block_of_any_size_goes_in_and_out(int length)
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        var data = new byte[length];
        new Random(length).NextBytes(data);
        var locator = await keepstore.ExpectAsync(Ok, "PUT", "/" + BlockHash.Compute(data), body: data);

        using var get = await keepstore.SendAsync("GET", "/" + locator.Trim());
        Assert.Equal(length, get.Content.Headers.ContentLength);
        var read = await get.Content.ReadAsByteArrayAsync();
        Assert.True(data.AsSpan().SequenceEqual(read));
        using var head = await keepstore.SendAsync("HEAD", "/" + locator.Trim());
        Assert.Equal((Ok, (long?)length), (head.StatusCode, head.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData("+3" + Signature, 200)] // T1
    [InlineData("+3+K@xyzzy" + Signature + "+Zfoo", 200)] // T2
    [InlineData("+3+Rzzzzz-89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff" + Signature, 200)] // T3
    [InlineData("+999999" + Signature, 502)] // valid, but the size is wrong
    [InlineData("+3", 400)] // T4
    [InlineData("+3+Aaaaaaaaaaaaaaaaa@7fffffff", 400)]
    [InlineData("+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@07fffffff", 400)]
    [InlineData("+3" + Signature + Signature, 400)] // T5
    [InlineData("+3+z" + Signature, 400)]
    [InlineData("+3+A89118B78732C33104A4D6231E8B5A5FA1E4301E3@7fffffff", 400)] // T6
    [InlineData("+3+A99118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff", 400)] // T7
    [InlineData("+3+A781c63a3e9ed6c6159b2b0395fec1bea42f92581@50000000", 401)] // T8
    [InlineData("+3+Rzzzzz-89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff", 400)] // remote, cluster unknown
    [InlineData("" + Signature, 405)] // no size
    [InlineData("++3" + Signature, 400)]
    [InlineData("+3+4" + Signature, 400)]
    public async Task Signature_decides_about_reading(string hints, int status)
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        await keepstore.ExpectAsync(Ok, "PUT", "/" + Foo, body: FooData);

        await keepstore.ExpectAsync((HttpStatusCode)status, "GET", $"/{Foo}{hints}");
    }

    [Fact]
    public async Task Reading_needs_a_token_and_the_right_one()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        await keepstore.ExpectAsync(Ok, "PUT", "/" + Foo, body: FooData);

        Assert.Equal("no token provided in Authorization header\n", await keepstore.ExpectAsync(HttpStatusCode.Unauthorized, "GET", $"/{Foo}+3{Signature}", token: null));
        Assert.Equal("invalid signature\n", await keepstore.ExpectAsync(HttpStatusCode.BadRequest, "GET", $"/{Foo}+3{Signature}", token: "other"));
        using var head = await keepstore.SendAsync("HEAD", $"/{Foo}{Signature}");
        Assert.Equal((Ok, (long?)3), (head.StatusCode, head.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task Signatures_are_ignored_when_they_are_off()
    {
        var config = TestKeepstore.ConfigFor(_one);
        await using var keepstore = await TestKeepstore.StartAsync(config with { Collections = config.Collections with { BlobSigning = false } });
        await keepstore.ExpectAsync(Ok, "PUT", "/" + Foo, token: null, body: FooData);

        Assert.Equal("foo", await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3+Awrong@1", token: null));
        await keepstore.ExpectAsync(HttpStatusCode.NotFound, "GET", "/" + new string('0', 32) + "+3", token: null);
        await keepstore.ExpectAsync(HttpStatusCode.NotFound, "GET", $"/{BlockHash.Empty}", token: null);
        await keepstore.ExpectAsync(HttpStatusCode.NotFound, "HEAD", "/" + new string('0', 32), token: null);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/xyz")]
    [InlineData("GET", "/acbd18db4cc2f85cedef654fccc4a4d8abcdefg")]
    [InlineData("GET", "/untrash")]
    [InlineData("GET", "/mounts/blocks/123")]
    [InlineData("GET", "//index")]
    [InlineData("GET", "//mounts")]
    [InlineData("GET", "/index/xyz")]
    [InlineData("GET", "/status.json")]
    [InlineData("PUT", "//acbd18db4cc2f85cedef654fccc4a4d8")]
    [InlineData("GET", "/pull")]
    [InlineData("PUT", "/trash/x")]
    [InlineData("POST", "/")]
    [InlineData("POST", "/acbd18db4cc2f85cedef654fccc4a4d8")]
    [InlineData("PROPFIND", "/")]
    public async Task Everything_else_is_a_bad_request(string method, string path)
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        await keepstore.ExpectAsync(HttpStatusCode.BadRequest, method, path, TestKeepstore.SystemToken, body: method is "GET" ? null : []);
    }

    [Fact]
    public async Task Options_is_answered_for_any_path()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        using var response = await keepstore.SendAsync("OPTIONS", "/any/thing", token: null);

        Assert.Equal(Ok, response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync());
        Assert.Equal("86486400", response.Headers.GetValues("Access-Control-Max-Age").Single());
    }

    [Fact]
    public async Task Put_with_wrong_bytes_stores_nothing()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        Assert.Equal(
            $"content hash {BlockHash.Compute("bar"u8)} did not match specified locator {Foo}\n",
            await keepstore.ExpectAsync(HttpStatusCode.BadRequest, "PUT", "/" + Foo, body: "bar"u8.ToArray()));
        Assert.Empty(_one.Files());
    }

    [Fact]
    public async Task Put_ignores_hints_and_signs_only_for_a_token()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        Assert.Equal(Foo + "+3\n", await keepstore.ExpectAsync(Ok, "PUT", $"/{Foo}+99+Kx", token: null, body: FooData));
    }

    [Fact]
    public async Task Put_larger_than_a_block_is_refused_before_it_is_sent()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        using var client = await SendRawAsync(keepstore, $"PUT /{Foo} HTTP/1.1\r\nHost: x\r\nContent-Length: 67108865\r\nExpect: 100-continue\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413", await ReceiveAsync(client, "request entity too large\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Put_in_chunks_after_the_go_ahead_works()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        using var client = await SendRawAsync(keepstore, $"PUT /{Foo} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", await ReceiveAsync(client, "\r\n\r\n"));
        await client.GetStream().WriteAsync("1\r\nf\r\n2\r\noo\r\n0\r\n\r\n"u8.ToArray());

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await ReceiveAsync(client, $"{Foo}+3\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_beyond_the_limits_is_told_to_try_again_while_health_answers()
    {
        var config = TestKeepstore.ConfigFor(_one) with { API = new ApiConfig { MaxConcurrentRequests = 1, MaxQueuedRequests = 0 } };
        await using var keepstore = await TestKeepstore.StartAsync(config);
        using var client = await SendRawAsync(keepstore, $"PUT /{Foo} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
        await ReceiveAsync(client, "\r\n\r\n");

        using var refused = await keepstore.SendAsync("GET", "/mounts", TestKeepstore.SystemToken);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (refused.StatusCode, refused.Headers.GetValues("Retry-After").Single()));
        await keepstore.ExpectAsync(Ok, "GET", "/_health/ping", "manage");

        await client.GetStream().WriteAsync("foo"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 200", await ReceiveAsync(client, $"{Foo}+3\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_that_leaves_in_the_middle_leaves_nothing_behind()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        using (var client = await SendRawAsync(keepstore, $"PUT /{Foo} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nfo"))
        {
        }

        // Stopping waits for the connection to be dealt with.
        await keepstore.RestartAsync();
        Assert.Empty(_one.Files());
    }

    [Fact]
    public async Task Corrupt_copies_are_never_served_and_repaired_by_a_put()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one, _two));
        Place(_one, "f00");
        Place(_two, "foo");
        Assert.Equal("foo", await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3{Signature}"));

        // Verified bytes in memory stay right whatever becomes of the file, but a file is looked at again after a while; HEAD always looks.
        Place(_two, "fooo");
        Assert.Equal("foo", await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3{Signature}"));
        await keepstore.ExpectAsync(HttpStatusCode.BadGateway, "HEAD", $"/{Foo}+3{Signature}");
        keepstore.Time.Advance(new VerifiedBlocksOptions().TrustedFor);
        Assert.Equal("checksum mismatch in stored data\n", await keepstore.ExpectAsync(HttpStatusCode.BadGateway, "GET", $"/{Foo}+3{Signature}"));
        await keepstore.ExpectAsync(HttpStatusCode.BadGateway, "HEAD", $"/{Foo}+3{Signature}");

        using var put = await keepstore.SendAsync("PUT", "/" + Foo, body: FooData);
        Assert.Equal("2", put.Headers.GetValues("X-Keep-Replicas-Stored").Single());
        foreach (var folder in new[] { _one, _two })
        {
            Assert.Equal("foo", await File.ReadAllTextAsync(Path.Join(folder.Path, "acb", Foo)));
        }

        Assert.Equal(2, keepstore.Server.Keepstore.Counters.RepairedCopies);
        Assert.Contains("keepfs_keepstore_repaired_copies 2\n", await keepstore.ExpectAsync(Ok, "GET", "/metrics", "manage"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stored_file_larger_than_a_block_is_too_large()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        Place(_one, "");
        using (var file = File.OpenWrite(Path.Join(_one.Path, "acb", Foo)))
        {
            file.SetLength(Locator.MaxBlockSizeBytes + 1L);
        }

        await keepstore.ExpectAsync(HttpStatusCode.RequestEntityTooLarge, "GET", $"/{Foo}+3{Signature}");
    }

    [Fact]
    public async Task Storage_classes_are_confirmed_as_in_the_specification()
    {
        var config = TestKeepstore.ConfigFor(_one, _two);
        config = config with
        {
            Volumes = config.Volumes.ToDictionary(
                entry => entry.Key,
                entry => entry.Value with { StorageClasses = new Dictionary<string, bool> { [entry.Key[^1] == '0' ? "testclass1" : "testclass2"] = true } }),
        };
        await using var keepstore = await TestKeepstore.StartAsync(config);

        await PutAsync(" , testclass2 , ", "1", "testclass2=1");
        await PutAsync("testclass1, testclass2", "2", "testclass1=1, testclass2=1");
        using var refused = await keepstore.SendAsync("PUT", "/" + Foo, body: FooData, headers: ("X-Keep-Storage-Classes", "nowhere"));
        Assert.Equal(HttpStatusCode.InsufficientStorage, refused.StatusCode);

        async Task PutAsync(string classes, string stored, string confirmed)
        {
            using var put = await keepstore.SendAsync("PUT", "/" + Foo, body: FooData, headers: ("X-Keep-Storage-Classes", classes));
            Assert.Equal(stored, put.Headers.GetValues("X-Keep-Replicas-Stored").Single());
            Assert.Equal(confirmed, put.Headers.GetValues("X-Keep-Storage-Classes-Confirmed").Single());
        }
    }

    [Fact]
    public async Task Read_only_keepstore_has_no_room()
    {
        var config = TestKeepstore.ConfigFor(_one);
        await using var keepstore = await TestKeepstore.StartAsync(
            config with { Volumes = config.Volumes.ToDictionary(entry => entry.Key, entry => entry.Value with { ReadOnly = true }) });

        Assert.Equal("insufficient storage\n", await keepstore.ExpectAsync(HttpStatusCode.InsufficientStorage, "PUT", "/" + Foo, body: FooData));
    }

    [Fact]
    public async Task Touch_trash_and_untrash_follow_the_age_of_the_block()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        foreach (var (method, path) in new[] { ("TOUCH", "/" + Foo), ("DELETE", "/" + Foo), ("PUT", "/untrash/" + Foo) })
        {
            Assert.Equal("Unauthorized\n", await keepstore.ExpectAsync(HttpStatusCode.Unauthorized, method, path, token: null));
            Assert.Equal("Forbidden\n", await keepstore.ExpectAsync(HttpStatusCode.Forbidden, method, path));
            await keepstore.ExpectAsync(HttpStatusCode.NotFound, method, path, TestKeepstore.SystemToken);
        }

        await keepstore.ExpectAsync(Ok, "PUT", "/" + Foo, body: FooData);
        Assert.Equal("", await keepstore.ExpectAsync(Ok, "DELETE", "/" + Foo, TestKeepstore.SystemToken));
        await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3{Signature}");

        keepstore.Time.Advance(TimeSpan.FromHours(336));
        Assert.Equal("", await keepstore.ExpectAsync(Ok, "TOUCH", $"/{Foo}+3", TestKeepstore.SystemToken));
        await keepstore.ExpectAsync(Ok, "DELETE", "/" + Foo, TestKeepstore.SystemToken);
        await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3{Signature}");

        keepstore.Time.Advance(TimeSpan.FromHours(337));
        await keepstore.ExpectAsync(Ok, "DELETE", "/" + Foo, TestKeepstore.SystemToken);
        await keepstore.ExpectAsync(HttpStatusCode.NotFound, "GET", $"/{Foo}+3{Signature}");
        Assert.Equal("", await keepstore.ExpectAsync(Ok, "PUT", "/untrash/" + Foo, TestKeepstore.SystemToken));
        await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3{Signature}");
    }

    [Fact]
    public async Task Delete_is_not_allowed_when_trash_is_off()
    {
        var config = TestKeepstore.ConfigFor(_one);
        await using var keepstore = await TestKeepstore.StartAsync(config with { Collections = config.Collections with { BlobTrash = false } });

        await keepstore.ExpectAsync(HttpStatusCode.MethodNotAllowed, "DELETE", "/" + Foo, TestKeepstore.SystemToken);
    }

    private static void Place(TemporaryFolder folder, string content)
    {
        Directory.CreateDirectory(Path.Join(folder.Path, "acb"));
        File.WriteAllText(Path.Join(folder.Path, "acb", Foo), content);
    }

    private static async Task<TcpClient> SendRawAsync(TestKeepstore keepstore, string request)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, keepstore.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        return client;
    }

    private static async Task<string> ReceiveAsync(TcpClient client, string end)
    {
        var received = new StringBuilder();
        var piece = new byte[4096];
        while (!received.ToString().EndsWith(end, StringComparison.Ordinal) && await client.GetStream().ReadAsync(piece) is > 0 and var count)
        {
            received.Append(Encoding.ASCII.GetString(piece, 0, count));
        }

        return received.ToString();
    }
}
