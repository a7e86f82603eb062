using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace KeepFs.WebDav.Tests;

/// <summary>Clients that do not read what they asked for, or do not send what they announced, on real sockets.</summary>
public sealed class SlowClientTests(TestSite site) : IClassFixture<TestSite>
{
    private const int Turns = 8;
    private static readonly byte[] Large = RandomNumberGenerator.GetBytes(48 << 20);

    [Fact]
    public async Task Many_slow_clients_leave_turns_and_memory_to_the_others()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/large", Large);
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/small", "small"u8.ToArray());
        var config = site.Config with { API = site.Config.API with { MaxConcurrentRequests = Turns } };
        await using var web = await site.StartWebAsync(options => options with { StallTimeout = TimeSpan.FromHours(1) }, config);
        var address = new Uri(web.Addresses.Single());
        var slow = new List<SlowClient>();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                slow.Add(await SlowClient.StartAsync(address, $"GET /c={uuid}/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.Token}\r\n\r\n"));
                Assert.StartsWith("HTTP/1.1 200 ", await slow[^1].ReadHeadAsync(), StringComparison.Ordinal);
            }

            for (var i = 0; i < 50; i++)
            {
                // Half of them small bodies, whose memory is taken at once, half of unknown length.
                var length = i % 2 == 0 ? "Content-Length: 1000000" : "Transfer-Encoding: chunked";
                slow.Add(await SlowClient.StartAsync(
                    address, $"PUT /c={uuid}/slow{i} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.Token}\r\n{length}\r\n\r\n{(i % 2 == 0 ? "half" : "4\r\nhalf\r\n")}"));
            }

            var others = Enumerable.Range(0, 2 * Turns).Select(async i =>
            {
                await SendAsync(address, 201, "PUT", $"/c={uuid}/fast{i}", Encoding.UTF8.GetBytes($"body {i}"));
                Assert.Equal($"body {i}", await SendAsync(address, 200, "GET", $"/c={uuid}/fast{i}"));
                Assert.Contains($"fast{i}<", await SendAsync(address, 207, "PROPFIND", $"/c={uuid}/"), StringComparison.Ordinal);
            });
            await Task.WhenAll(others);
            Assert.Equal(Large, await ReadAsync(address, $"/c={uuid}/large"));
            Assert.All(slow, client => Assert.True(client.IsOpen));
            string metrics;
            do
            {
                metrics = await site.MetricsAsync(address);
                Assert.All(slow[200..], client => Assert.False(client.IsAnswered));
            }
            while (Value(metrics, "keepfs_keepweb_requests_aside") < slow.Count);

            Assert.InRange(Value(metrics, "keepfs_keepweb_write_buffer_bytes"), 1, 50 << 20);

            // None of the 200 keeps the block for itself: what is out is one copy of it that the cache keeps.
            Assert.InRange(Value(metrics, "keepfs_keepweb_read_buffer_bytes"), 1, 66 << 20);

            // And they are served when they come back to it.
            Assert.Equal(Large, await slow[0].ReadBodyAsync(Large.Length));
            await slow[200].SendAsync(new byte[1_000_000 - 4]);
            Assert.StartsWith("HTTP/1.1 201 ", await slow[200].ReadHeadAsync(), StringComparison.Ordinal);
            Assert.Equal(1_000_000, (await site.ExpectAsync(200, "GET", $"/c={uuid}/slow0")).Body.Length);
            await site.ExpectAsync(404, "GET", $"/c={uuid}/slow1");
        }
        finally
        {
            slow.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task More_slow_clients_than_allowed_are_refused_and_the_others_served()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/large", Large);
        await using var web = await site.StartWebAsync(options => options with { MaxSlowClients = 2, StallTimeout = TimeSpan.FromHours(1) });
        var address = new Uri(web.Addresses.Single());
        var get = $"GET /c={uuid}/large HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.Token}\r\n\r\n";
        using var first = await SlowClient.StartAsync(address, get);
        using var second = await SlowClient.StartAsync(address, get);
        Assert.StartsWith("HTTP/1.1 200 ", await first.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await second.ReadHeadAsync(), StringComparison.Ordinal);
        while (Value(await site.MetricsAsync(address), "keepfs_keepweb_requests_aside") < 2)
        {
            await Task.Yield();
        }

        using var upload = await SlowClient.StartAsync(
            address, $"PUT /c={uuid}/f HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.Token}\r\nContent-Length: 10\r\n\r\nhalf");
        Assert.StartsWith("HTTP/1.1 503 ", await upload.ReadHeadAsync(), StringComparison.Ordinal);
        using var download = await SlowClient.StartAsync(address, get);
        Assert.StartsWith("HTTP/1.1 200 ", await download.ReadHeadAsync(), StringComparison.Ordinal);
        await download.WaitForBreakAsync(Large.Length);
        await SendAsync(address, 201, "PUT", $"/c={uuid}/g", "g"u8.ToArray());
        Assert.Equal(Large, await ReadAsync(address, $"/c={uuid}/large"));
        await site.ExpectAsync(404, "GET", $"/c={uuid}/f");
        Assert.Equal(Large, await first.ReadBodyAsync(Large.Length));
    }

    private async Task<string> SendAsync(Uri address, int status, string method, string path, byte[]? body = null)
    {
        using var request = site.Request(method, path, body);
        request.RequestUri = new Uri(address, path);
        using var response = await site.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{method} {path}: {(int)response.StatusCode} {text}");
        return text;
    }

    private async Task<byte[]> ReadAsync(Uri address, string path)
    {
        using var request = site.Request("GET", path);
        request.RequestUri = new Uri(address, path);
        using var response = await site.Http.SendAsync(request);
        return await response.Content.ReadAsByteArrayAsync();
    }

    private static double Value(string metrics, string name) => double.Parse(
        metrics.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>Small buffers, so that the server notices soon that nobody reads.</summary>
    private sealed class SlowClient : IDisposable
    {
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096, NoDelay = true };

        public bool IsAnswered => _socket.Available > 0;

        public bool IsOpen => !_socket.Poll(0, SelectMode.SelectRead) || _socket.Available > 0;

        public static async Task<SlowClient> StartAsync(Uri address, string request)
        {
            var client = new SlowClient();
            await client._socket.ConnectAsync(address.Host, address.Port);
            await client.SendAsync(Encoding.ASCII.GetBytes(request));
            return client;
        }

        public async Task SendAsync(byte[] bytes)
        {
            for (var sent = 0; sent < bytes.Length;)
            {
                sent += await _socket.SendAsync(bytes.AsMemory(sent));
            }
        }

        public async Task<string> ReadHeadAsync()
        {
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await _socket.ReceiveAsync(one) > 0)
            {
                head.Append((char)one[0]);
            }

            return head.ToString();
        }

        public async Task<byte[]> ReadBodyAsync(int length)
        {
            var body = new byte[length];
            for (var read = 0; read < length;)
            {
                var count = await _socket.ReceiveAsync(body.AsMemory(read));
                Assert.True(count > 0, $"The connection ended after {read} of {length} bytes.");
                read += count;
            }

            return body;
        }

        /// <summary>Reads nothing until the server has broken the connection off; fails when the whole body comes.</summary>
        public async Task WaitForBreakAsync(int length)
        {
            while (!IsReset())
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20));
            }

            var body = new byte[length];
            var read = 0;
            try
            {
                while (read < length && await _socket.ReceiveAsync(body.AsMemory(read)) is > 0 and var count)
                {
                    read += count;
                }
            }
            catch (SocketException)
            {
            }

            Assert.True(read < length);
        }

        public void Dispose() => _socket.Dispose();

        private bool IsReset()
        {
            var info = new byte[1];
            _ = _socket.GetRawSocketOption(6, 11, info);
            const int established = 1;
            return info[0] != established;
        }
    }
}
