using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>The daemon's own transport below Kestrel: bytes in every rhythm, connections in every state.</summary>
public sealed class TransportTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";

    /// <summary>Then the kernel sends the file (decision 0043).</summary>
    private const string FromFile = KeepClient.VerifiesHeader + ": 1\r\n";
    private readonly TemporaryFolder _folder = new();

    private ClusterConfig Open => TestKeepstore.ConfigFor(_folder) with
    {
        Collections = new CollectionsConfig { BlobSigningKey = TestKeepstore.Key, BlobSigning = false },
    };

    public static TheoryData<int> Sizes => [0, 1, 3, 4095, 4096, 4097, 16384, 16385, 65_536, 1 << 20, (1 << 20) + 1, 5_000_001, 64 << 20];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task Block_of_any_size_comes_back(int size)
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        var data = RandomNumberGenerator.GetBytes(size);
        var path = $"/{BlockHash.Compute(data)}+{size}";
        using var put = await keepstore.SendAsync("PUT", path, body: data);
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);

        // The first read is from the volume, the second from memory.
        for (var i = 0; i < 2; i++)
        {
            using var response = await keepstore.SendAsync("GET", path);
            var back = await response.Content.ReadAsByteArrayAsync();
            Assert.True(data.AsSpan().SequenceEqual(back));
        }
    }

    [Fact]
    public async Task Requests_sent_all_at_once_are_answered_in_order()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        using var client = await ConnectAsync(keepstore);
        var one = $"PUT /{Foo} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nfooGET /{Foo}+3 HTTP/1.1\r\nHost: x\r\n\r\n";
        const int Count = 500;

        var sending = client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(one, Count)))).AsTask();
        var answers = await ReadUntilAsync(client, text => Occurrences(text, "\r\n\r\nfoo") == Count);
        await sending;

        Assert.Equal(2 * Count, Occurrences(answers, "HTTP/1.1 200 OK"));
        Assert.Equal(Count, Occurrences(answers, $"{Foo}+3\n"));
    }

    [Fact]
    public async Task Body_that_comes_byte_by_byte_is_stored_and_what_follows_it_is_a_request()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        using var client = await ConnectAsync(keepstore);
        client.NoDelay = true;
        foreach (var letter in $"PUT /{Foo} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nfooGET /{Foo}+3 HTTP/1.1\r\nHost: x\r\n\r\n")
        {
            await client.GetStream().WriteAsync(new[] { (byte)letter });
        }

        Assert.Contains($"{Foo}+3\n", await ReadUntilAsync(client, static text => text.EndsWith("\r\n\r\nfoo", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_that_closes_its_side_after_the_request_still_gets_the_answer()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", "/" + Foo, body: "foo"u8.ToArray());
        await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", $"/{Foo}+3");
        using var client = await ConnectAsync(keepstore);
        using var answers = new StreamReader(client.GetStream());
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /{Foo}+3 HTTP/1.1\r\nHost: x\r\n\r\n"));
        client.Client.Shutdown(SocketShutdown.Send);

        var answer = await answers.ReadToEndAsync();

        Assert.EndsWith("\r\n\r\nfoo", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(FromFile)]
    public async Task Reader_that_takes_its_time_gets_every_byte(string header)
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        var (path, data) = await StoreAsync(keepstore);
        using var client = await AskSlowlyAsync(keepstore, path, header);

        // Others are served while this one holds its block.
        await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", path);
        using var received = new MemoryStream();
        await client.GetStream().CopyToAsync(received, 4096);

        Assert.True(received.GetBuffer().AsSpan(0, (int)received.Length).EndsWith(data));
    }

    [Theory]
    [InlineData("")]
    [InlineData(FromFile)]
    public async Task Reader_that_is_slow_for_minutes_gets_every_byte_and_one_that_takes_nothing_is_cut_off(string header)
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        var (path, data) = await StoreAsync(keepstore);
        using var slow = await AskSlowlyAsync(keepstore, path, header);
        using var gone = await AskSlowlyAsync(keepstore, path, header);

        // Some bytes in twenty seconds, until it has them all; the other one none.
        using var received = new MemoryStream();
        var piece = new byte[64 << 10];
        while (await slow.GetStream().ReadAsync(piece) is > 0 and var count)
        {
            received.Write(piece, 0, count);
            keepstore.Time.Advance(TimeSpan.FromSeconds(20));
        }

        Assert.True(received.GetBuffer().AsSpan(0, (int)received.Length).EndsWith(data));
        while (!gone.Client.Poll(TimeSpan.FromMilliseconds(10), SelectMode.SelectError))
        {
            keepstore.Time.Advance(TimeSpan.FromSeconds(20));
        }
    }

    [Fact]
    public async Task Client_that_leaves_while_it_is_sent_a_block_gives_the_memory_back()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        var data = RandomNumberGenerator.GetBytes(64 << 20);
        var path = $"/{BlockHash.Compute(data)}+{data.Length}";
        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", path, body: data);
        for (var i = 0; i < 20; i++)
        {
            using var client = await ConnectAsync(keepstore);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
            await client.GetStream().ReadExactlyAsync(new byte[1000]);
        }

        // Stopping waits for all of them; the next start finds a daemon that serves.
        await keepstore.RestartAsync();
        Assert.Equal(data.Length, (await keepstore.SendAsync("GET", path)).Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Thousand_idle_connections_do_not_hinder_those_that_work()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        var idle = new List<TcpClient>();
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                idle.Add(await ConnectAsync(keepstore));
            }

            // Half of them have begun a request and go no further.
            foreach (var client in idle.Take(500))
            {
                await client.GetStream().WriteAsync("GET /"u8.ToArray());
            }

            await Parallel.ForEachAsync(Enumerable.Range(0, 200), async (i, _) =>
            {
                var data = Encoding.ASCII.GetBytes($"block {i}");
                var path = $"/{BlockHash.Compute(data)}+{data.Length}";
                await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", path, body: data);
                Assert.Equal($"block {i}", await keepstore.ExpectAsync(HttpStatusCode.OK, "GET", path));
            });

            // Those that waited are still there and are answered.
            await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", "/" + Foo, body: "foo"u8.ToArray());
            foreach (var client in idle.Take(500))
            {
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{Foo}+3 HTTP/1.1\r\nHost: x\r\n\r\n"));
                await ReadUntilAsync(client, static text => text.EndsWith("\r\n\r\nfoo", StringComparison.Ordinal));
            }
        }
        finally
        {
            idle.ForEach(client => client.Dispose());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData(64 << 20)]
    public async Task Body_of_unknown_length_is_stored(int size)
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        var data = RandomNumberGenerator.GetBytes(size);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(keepstore.Address, $"/{BlockHash.Compute(data)}")) { Content = new StreamContent(new UnknownLength(data)) };
        request.Headers.TransferEncodingChunked = true;
        using var response = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(size, new FileInfo(Path.Join(_folder.Path, _folder.Files().Single())).Length);
    }

    [Fact]
    public async Task Body_of_unknown_length_that_is_too_long_is_refused()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Open);
        using var client = await ConnectAsync(keepstore);
        var sending = SendAsync();

        Assert.StartsWith("HTTP/1.1 413", await ReadUntilAsync(client, static text => text.EndsWith("request entity too large\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        await sending;
        Assert.Empty(_folder.Files());

        async Task SendAsync()
        {
            var piece = Encoding.ASCII.GetBytes("100000\r\n").Concat(new byte[1 << 20]).Concat("\r\n"u8.ToArray()).ToArray();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"PUT /{Foo} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
            for (var i = 0; i < 65; i++)
            {
                await client.GetStream().WriteAsync(piece);
            }
        }
    }

    [Fact]
    public async Task Blocks_go_through_tls_unchanged()
    {
        using var key = RSA.Create(2048);
        using var made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        await using var server = KeepstoreServer.Create(
            Open, TestKeepstore.Url, new KeepstoreServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Certificate = ServerCertificate.Of(certificate) });
        await server.StartAsync(default);
        using var client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, given, _, _) => given!.Thumbprint == certificate.Thumbprint });
        var data = RandomNumberGenerator.GetBytes(3_000_001);
        var address = new Uri(new Uri(server.Addresses.Single()), $"/{BlockHash.Compute(data)}+{data.Length}");

        using var put = await client.PutAsync(address, new ByteArrayContent(data));
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        var back = await client.GetByteArrayAsync(address);
        Assert.True(data.AsSpan().SequenceEqual(back));
        await server.StopAsync(default);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<(string Path, byte[] Data)> StoreAsync(TestKeepstore keepstore)
    {
        var data = RandomNumberGenerator.GetBytes(8 << 20);
        var path = $"/{BlockHash.Compute(data)}+{data.Length}";
        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", path, body: data);
        return (path, data);
    }

    /// <summary>A client whose kernel takes little by itself.</summary>
    private static async Task<TcpClient> AskSlowlyAsync(TestKeepstore keepstore, string path, string header)
    {
        var client = await ConnectAsync(keepstore, receiveBuffer: 16 << 10);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\n{header}Connection: close\r\n\r\n"));
        return client;
    }

    private static async Task<TcpClient> ConnectAsync(TestKeepstore keepstore, int? receiveBuffer = null)
    {
        var client = new TcpClient();
        client.ReceiveBufferSize = receiveBuffer ?? client.ReceiveBufferSize;
        await client.ConnectAsync(keepstore.Address.Host, keepstore.Address.Port);
        return client;
    }

    private static async Task<string> ReadUntilAsync(TcpClient client, Func<string, bool> isAll)
    {
        var text = new StringBuilder();
        var piece = new byte[64 << 10];
        while (!isAll(text.ToString()))
        {
            var count = await client.GetStream().ReadAsync(piece);
            Assert.True(count > 0, $"the connection ended after: {text}");
            text.Append(Encoding.ASCII.GetString(piece, 0, count));
        }

        return text.ToString();
    }

    private static int Occurrences(string text, string part) => text.Split(part).Length - 1;

    private sealed class UnknownLength(byte[] data) : MemoryStream(data)
    {
        public override bool CanSeek => false;
    }
}
