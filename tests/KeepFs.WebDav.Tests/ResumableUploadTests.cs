using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KeepFs.WebDav.Resumable;

namespace KeepFs.WebDav.Tests;

/// <summary>PUT in parts (docs/decisions/0034).</summary>
public sealed class ResumableUploadTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly byte[] Data = RandomNumberGenerator.GetBytes(5_000_000);

    [Fact]
    public async Task File_appears_with_its_last_part_and_never_before()
    {
        var path = await NewAsync();
        Assert.Equal("0", await OffsetAsync(path));
        Assert.Equal("2000000", (await PartAsync(202, path, 0, 2_000_000)).Headers["Upload-Offset"]);
        await site.ExpectAsync(404, "GET", path);
        Assert.Equal("2000000", await OffsetAsync(path));
        await PartAsync(202, path, 2_000_000, 2_000_001);
        await PartAsync(201, path, 2_000_001, Data.Length);
        Assert.Equal(Data, (await site.ExpectAsync(200, "GET", path)).Body);

        // Over a file that is there: the old one until the new one is whole.
        var other = Data.Reverse().ToArray();
        await PartAsync(202, path, 0, 10, data: other);
        Assert.Equal(Data, (await site.ExpectAsync(200, "GET", path)).Body);
        await PartAsync(204, path, 10, Data.Length, data: other);
        Assert.Equal(other, (await site.ExpectAsync(200, "GET", path)).Body);
    }

    [Fact]
    public async Task Part_that_breaks_off_counts_as_far_as_it_came()
    {
        var path = await NewAsync();
        using (await SendAsync(path, 0, Data.Length, Data.AsMemory(0, 3_000_001)))
        {
            // The larger buffer is taken when the first megabyte is full.
            while (!(await site.MetricsAsync()).Contains($"\nkeepfs_keepweb_write_buffer_bytes {8 << 20}\n", StringComparison.Ordinal))
            {
                await Task.Yield();
            }
        }

        var offset = int.Parse(await OffsetAsync(path), CultureInfo.InvariantCulture);
        Assert.InRange(offset, 1 << 20, 3_000_001);
        await site.ExpectAsync(404, "GET", path);
        await PartAsync(201, path, offset, Data.Length);
        Assert.Equal(Data, (await site.ExpectAsync(200, "GET", path)).Body);
    }

    [Fact]
    public async Task Newer_request_takes_over_from_one_that_hangs()
    {
        var path = await NewAsync();
        using var hanging = await SendAsync(path, 0, Data.Length, Data.AsMemory(0, 3_000_000));
        var offset = int.Parse(await OffsetAsync(path), CultureInfo.InvariantCulture);
        Assert.InRange(offset, 0, 3_000_000);
        await PartAsync(201, path, offset, Data.Length);
        Assert.Equal(Data, (await site.ExpectAsync(200, "GET", path)).Body);
        Assert.StartsWith("HTTP/1.1 409 ", await ReadAsync(hanging), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Part_must_begin_where_the_last_one_ended()
    {
        var path = await NewAsync();
        Assert.Equal("0", (await PartAsync(409, path, 100, 200)).Headers["Upload-Offset"]);
        await PartAsync(202, path, 0, 1000);
        Assert.Equal("1000", (await PartAsync(409, path, 999, 2000)).Headers["Upload-Offset"]);
        Assert.Equal("1000", (await PartAsync(409, path, 1001, 2000)).Headers["Upload-Offset"]);

        // From the beginning is always possible.
        Assert.Equal("500", (await PartAsync(202, path, 0, 500)).Headers["Upload-Offset"]);
        await PartAsync(201, path, 500, Data.Length);
        Assert.Equal(Data, (await site.ExpectAsync(200, "GET", path)).Body);
    }

    [Fact]
    public async Task Uploads_of_other_tokens_names_or_sizes_are_others()
    {
        var path = await NewAsync();
        await site.ShareAsync(path[3..30], "can_write");
        await PartAsync(202, path, 0, 1000);
        Assert.Equal("0", await OffsetAsync(path, id: "other"));
        Assert.Equal("0", await OffsetAsync(path, total: Data.Length + 1));
        Assert.Equal("0", await OffsetAsync(path + "2"));
        Assert.Equal("0", await OffsetAsync(path, token: site.OtherToken));
        Assert.Equal("1000", await OffsetAsync(path));
    }

    [Fact]
    public async Task Answer_that_was_lost_can_be_asked_for_as_long_as_the_file_is_there()
    {
        var path = await NewAsync();
        var done = await PartAsync(201, path, 0, Data.Length);
        var again = await AskAsync(200, path);
        Assert.Equal(("5000000", done.Headers["ETag"]), (again.Headers["Upload-Offset"], again.Headers["ETag"]));
        await site.ExpectAsync(204, "DELETE", path);
        Assert.Equal("0", await OffsetAsync(path));
    }

    [Fact]
    public async Task Conditions_and_locks_hold_and_data_is_kept_for_another_try()
    {
        var path = await NewAsync();
        await PartAsync(202, path, 0, 4_000_000, headers: ("If-None-Match", "*"));
        await site.PutAsync(path, "somebody was faster");
        await PartAsync(412, path, 4_000_000, Data.Length, headers: ("If-None-Match", "*"));
        Assert.Equal("somebody was faster", await site.GetTextAsync(path));
        Assert.Equal("4000000", await OffsetAsync(path));
        var body = "<D:lockinfo xmlns:D=\"DAV:\"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>"u8.ToArray();
        var token = (await site.ExpectAsync(200, "LOCK", path, body)).Headers["Lock-Token"];
        await PartAsync(423, path, 4_000_000, Data.Length);
        await PartAsync(204, path, 4_000_000, Data.Length, headers: ("If", $"({token})"));
        Assert.Equal(Data, (await site.ExpectAsync(200, "GET", path)).Body);
    }

    [Theory]
    [InlineData("bytes 0-0/2", null)]
    [InlineData(null, "id")]
    [InlineData("bytes 0-0/*", "id")]
    [InlineData("bytes 1-0/2", "id")]
    [InlineData("bytes 0-2/2", "id")]
    [InlineData("bytes 0-1/2", "id")]
    [InlineData("bytes */2", "id")]
    [InlineData("bytes 0-0/99999999999999999999", "id")]
    [InlineData("lines 0-0/2", "id")]
    [InlineData("bytes 0-0/2", "an id")]
    [InlineData("bytes -", "id")]
    public async Task Impossible_part_is_400_and_nothing_happens(string? range, string? id)
    {
        var path = await NewAsync();
        (string, string)[] headers = [.. range is null ? [] : new[] { ("Content-Range", range) }, .. id is null ? [] : new[] { ("X-KeepFs-Upload", id) }];
        await site.ExpectAsync(400, "PUT", path, [1], null, headers);
        await site.ExpectAsync(404, "GET", path);
    }

    [Fact]
    public void Forgotten_uploads_are_the_old_and_the_least_used()
    {
        var time = new SteppedTime();
        var table = new PartialUploads(TimeSpan.FromHours(60), time);
        var first = Key("first");
        Use(first, 10);
        time.Advance(TimeSpan.FromHours(23));
        Assert.Equal(10, Use(first, 0));
        time.Advance(TimeSpan.FromHours(23));

        // Used not long ago, but half of its signatures' life is over.
        Assert.Equal(0, Use(first, 5));
        time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(0, Use(first, 7));
        Use(Key("empty"), 0);
        Assert.Equal(1, table.Count);
        for (var i = 0; i < PartialUploads.MaxUploads; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            Use(Key($"more{i}"), 1);
        }

        Assert.Equal(PartialUploads.MaxUploads, table.Count);
        Assert.Equal(0, Use(first, 0));
        Assert.Equal(1, Use(Key("more0"), 0));

        static PartialUploads.Key Key(string id) => new("token", "uuid", "path", id, 1000);

        long Use(PartialUploads.Key key, int bytes)
        {
            var upload = table.Take(key);
            var before = upload.Bytes;
            if (bytes > 0)
            {
                upload.Append([new(Engine.Blocks.Locator.Parse($"acbd18db4cc2f85cedef654fccc4a4d8+{bytes}"), 0, bytes)], time.GetTimestamp());
            }

            table.Return(key, upload);
            return before;
        }
    }

    private async Task<string> NewAsync() => $"/c={await site.CreateCollectionAsync()}/large.bin";

    private Task<TestAnswer> PartAsync(int status, string path, int from, int to, byte[]? data = null, params (string, string)[] headers) => site.ExpectAsync(
        status, "PUT", path, (data ?? Data)[from..to], null, [("X-KeepFs-Upload", "id-1"), ("Content-Range", $"bytes {from}-{to - 1}/{Data.Length}"), .. headers]);

    private Task<TestAnswer> AskAsync(int status, string path, string id = "id-1", int? total = null, string? token = null) =>
        site.ExpectAsync(status, "PUT", path, [], token, ("X-KeepFs-Upload", id), ("Content-Range", $"bytes */{total ?? Data.Length}"));

    private async Task<string> OffsetAsync(string path, string id = "id-1", int? total = null, string? token = null) =>
        (await AskAsync(202, path, id, total, token)).Headers["Upload-Offset"];

    private async Task<Socket> SendAsync(string path, int from, int to, ReadOnlyMemory<byte> body)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(site.Address.Host, site.Address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.Token}\r\nX-KeepFs-Upload: id-1\r\nContent-Range: bytes {from}-{to - 1}/{Data.Length}\r\nContent-Length: {to - from}\r\n\r\n"));
        for (var sent = 0; sent < body.Length;)
        {
            sent += await socket.SendAsync(body[sent..]);
        }

        return socket;
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer));
    }
}
