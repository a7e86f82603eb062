using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Blocks;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>Rows of the tables in keepstore-http.md 4 and 6 that need a broken disk, and what a stopping server does.</summary>
public sealed class StatusTableTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const string Signature = "+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff";
    private const HttpStatusCode Ok = HttpStatusCode.OK;
    private static readonly byte[] FooData = "foo"u8.ToArray();

    // Wang and Yu, 2005: one bit differs in six places, the MD5 is the same.
    private static readonly byte[] CollisionOne = Convert.FromHexString(
        "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f8955ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b" +
        "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70");

    private static readonly byte[] CollisionTwo = Convert.FromHexString(
        "d131dd02c5e6eec4693d9a0698aff95c2fcab50712467eab4004583eb8fb7f8955ad340609f4b30283e4888325f1415a085125e8f7cdc99fd91dbd7280373c5b" +
        "d8823e3156348f5bae6dacd436c919c6dd53e23487da03fd02396306d248cda0e99f33420f577ee8ce54b67080280d1ec69821bcb6a8839396f965ab6ff72a70");

    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public async Task Put_of_other_bytes_with_the_same_hash_is_a_collision()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        var path = "/" + BlockHash.Compute(CollisionOne);
        await keepstore.ExpectAsync(Ok, "PUT", path, body: CollisionOne);

        Assert.Equal("hash collision\n", await keepstore.ExpectAsync(HttpStatusCode.InternalServerError, "PUT", path, body: CollisionTwo));
    }

    [Fact]
    public async Task Put_on_full_volumes_is_insufficient_storage_and_on_broken_ones_unavailable()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one, _two));
        MarkFull(_one, keepstore);
        MarkFull(_two, keepstore);
        Assert.Equal("insufficient storage\n", await keepstore.ExpectAsync(HttpStatusCode.InsufficientStorage, "PUT", "/" + Foo, body: FooData));

        File.Delete(Path.Join(_two.Path, "full"));
        await File.WriteAllTextAsync(Path.Join(_two.Path, "acb"), "in the way of a directory");
        using var refused = await keepstore.SendAsync("PUT", "/" + Foo, body: FooData);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "volume unavailable\n"), (refused.StatusCode, await refused.Content.ReadAsStringAsync()));
        Assert.Equal("1", refused.Headers.GetValues("Retry-After").Single());

        File.Delete(Path.Join(_two.Path, "acb"));
        await keepstore.ExpectAsync(Ok, "PUT", "/" + Foo, body: FooData);
    }

    [Fact]
    public async Task Failing_mount_decides_only_when_no_other_has_the_block()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one, _two));
        Directory.CreateDirectory(Path.Join(_one.Path, "acb"));
        File.CreateSymbolicLink(Path.Join(_one.Path, "acb", Foo), Foo); // leads to itself

        Assert.Equal("volume unavailable\n", await keepstore.ExpectAsync(HttpStatusCode.InternalServerError, "GET", $"/{Foo}+3{Signature}"));
        await keepstore.ExpectAsync(HttpStatusCode.InternalServerError, "HEAD", $"/{Foo}+3{Signature}");
        var metrics = await keepstore.ExpectAsync(Ok, "GET", "/metrics", "manage");
        Assert.Contains("error_type=\"other\"} 2\n", metrics, StringComparison.Ordinal);

        Directory.CreateDirectory(Path.Join(_two.Path, "acb"));
        await File.WriteAllTextAsync(Path.Join(_two.Path, "acb", Foo), "foo");
        Assert.Equal("foo", await keepstore.ExpectAsync(Ok, "GET", $"/{Foo}+3{Signature}"));
    }

    [Fact]
    public async Task Range_is_ignored()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        await keepstore.ExpectAsync(Ok, "PUT", "/" + Foo, body: FooData);

        using var get = await keepstore.SendAsync("GET", $"/{Foo}+3{Signature}", headers: ("Range", "bytes=0-1"));

        Assert.Equal((Ok, "foo"), (get.StatusCode, await get.Content.ReadAsStringAsync()));
        Assert.False(get.Headers.Contains("Accept-Ranges"));
    }

    [Fact]
    public async Task Stopping_server_finishes_the_upload_under_way()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        using var client = await StartUploadAsync(keepstore);

        var stop = keepstore.Server.StopAsync(default);
        Assert.False(stop.IsCompleted);
        await client.GetStream().WriteAsync("oo"u8.ToArray());

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await ReceiveAsync(client, $"{Foo}+3\n"), StringComparison.Ordinal);
        await stop;
        Assert.Equal(["acb/" + Foo], _one.Files());
    }

    [Fact]
    public async Task Running_requests_are_shown_without_their_secrets()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        using var client = await StartUploadAsync(keepstore);

        using var shown = JsonDocument.Parse(await keepstore.ExpectAsync(Ok, "GET", "/_inspect/requests", "manage"));
        var request = Assert.Single(shown.RootElement.EnumerateArray());
        Assert.Equal(("PUT", "/" + Foo, 3), (request.GetProperty("method").GetString(), request.GetProperty("path").GetString(), request.GetProperty("request_bytes").GetInt32()));

        await client.GetStream().WriteAsync("oo"u8.ToArray());
        await ReceiveAsync(client, $"{Foo}+3\n");
        await keepstore.ExpectAsync(HttpStatusCode.Unauthorized, "GET", "/_inspect/requests", token: null);
        await keepstore.ExpectAsync(HttpStatusCode.Forbidden, "GET", "/_inspect/requests");
    }

    private static void MarkFull(TemporaryFolder folder, TestKeepstore keepstore) =>
        File.CreateSymbolicLink(Path.Join(folder.Path, "full"), keepstore.Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));

    /// <summary>Has sent one byte of three, and knows that the request is being served.</summary>
    private static async Task<System.Net.Sockets.TcpClient> StartUploadAsync(TestKeepstore keepstore)
    {
        var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(keepstore.Address.Host, keepstore.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"PUT /{Foo}+secret HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
        await ReceiveAsync(client, "\r\n\r\n");
        await client.GetStream().WriteAsync("f"u8.ToArray());
        return client;
    }

    private static async Task<string> ReceiveAsync(System.Net.Sockets.TcpClient client, string end)
    {
        var text = new StringBuilder();
        var piece = new byte[1024];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal) && await client.GetStream().ReadAsync(piece) is > 0 and var count)
        {
            text.Append(Encoding.ASCII.GetString(piece, 0, count));
        }

        return text.ToString();
    }
}
