using System.Security.Cryptography;
using System.Text;

namespace KeepFs.WebDav.Tests;

public sealed class DownloadTests(TestSite site) : IClassFixture<TestSite>
{
    [Fact]
    public async Task Put_then_get_gives_the_same_bytes_with_length_type_and_tag()
    {
        var uuid = await site.CreateCollectionAsync();
        var data = RandomNumberGenerator.GetBytes(3_000_000);
        var put = await site.ExpectAsync(201, "PUT", $"/c={uuid}/big.png", data);
        var got = await site.ExpectAsync(200, "GET", $"/c={uuid}/big.png");
        Assert.Equal(data, got.Body);
        Assert.Equal("3000000", got.Headers["Content-Length"]);
        Assert.Equal("image/png", got.Headers["Content-Type"]);
        Assert.Equal("bytes", got.Headers["Accept-Ranges"]);
        Assert.Equal(put.Headers["ETag"], got.Headers["ETag"]);
        var head = await site.ExpectAsync(200, "HEAD", $"/c={uuid}/big.png");
        Assert.Equal("3000000", head.Headers["Content-Length"]);
        Assert.Equal(got.Headers["ETag"], head.Headers["ETag"]);
    }

    [Fact]
    public async Task Body_larger_than_a_block_is_cut_and_comes_back_whole()
    {
        var uuid = await site.CreateCollectionAsync();
        var data = new byte[(64 << 20) + 12345];
        new Random(7).NextBytes(data);
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/huge", data);
        Assert.Equal(SHA256.HashData(data), SHA256.HashData((await site.ExpectAsync(200, "GET", $"/c={uuid}/huge")).Body));
        var part = await site.ExpectAsync(206, "GET", $"/c={uuid}/huge", headers: ("Range", $"bytes={(64 << 20) - 5}-{(64 << 20) + 4}"));
        Assert.Equal(data[((64 << 20) - 5)..((64 << 20) + 5)], part.Body);
    }

    [Theory]
    [InlineData("0-2", "foo", 0)]
    [InlineData("-2", " Z", 3999998)]
    [InlineData("1-4", "oo  ", 1)]
    [InlineData("1000000-1000003", "foo ", 1000000)]
    [InlineData("999999-1000003", " foo ", 999999)]
    [InlineData("1999999-2000002", " foo", 1999999)]
    [InlineData("3999998-4000004", " Z", 3999998)]
    [InlineData("3999998-", " Z", 3999998)]
    public async Task Range_gives_the_bytes_of_the_vector(string range, string expected, long offset)
    {
        var path = await VectorFileAsync();
        var answer = await site.ExpectAsync(206, "GET", path, headers: ("Range", "bytes=" + range));
        Assert.Equal(expected, answer.Text);
        Assert.Equal($"bytes {offset}-{offset + expected.Length - 1}/4000000", answer.Headers["Content-Range"]);
    }

    [Theory]
    [InlineData("bytes=z-y")]
    [InlineData("bytes=4000000-")]
    [InlineData("bytes=5-2")]
    public async Task Impossible_range_is_416_with_the_size(string range)
    {
        var answer = await site.ExpectAsync(416, "GET", await VectorFileAsync(), headers: ("Range", range));
        Assert.Equal("bytes */4000000", answer.Headers["Content-Range"]);
    }

    [Fact]
    public async Task Several_ranges_come_as_multipart()
    {
        var answer = await site.ExpectAsync(206, "GET", await VectorFileAsync(), headers: ("Range", "bytes=0-2,1000000-1000003,-1"));
        var boundary = answer.Headers["Content-Type"].Split("boundary=")[1];
        Assert.StartsWith("multipart/byteranges", answer.Headers["Content-Type"], StringComparison.Ordinal);
        var parts = answer.Text.Split("--" + boundary);
        Assert.Equal(5, parts.Length);
        Assert.EndsWith("\r\n\r\nfoo\r\n", parts[1], StringComparison.Ordinal);
        Assert.Contains("Content-Range: bytes 1000000-1000003/4000000\r\n\r\nfoo \r\n", parts[2], StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nZ\r\n", parts[3], StringComparison.Ordinal);
        Assert.Equal("--\r\n", parts[4]);
    }

    [Fact]
    public async Task Conditions_are_honoured_by_reads()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/a.txt", "hello");
        var got = await site.ExpectAsync(200, "GET", $"/c={uuid}/a.txt");
        var (tag, date) = (got.Headers["ETag"], got.Headers["Last-Modified"]);
        await site.ExpectAsync(304, "GET", $"/c={uuid}/a.txt", headers: ("If-None-Match", $"\"x\", W/{tag}"));
        await site.ExpectAsync(304, "HEAD", $"/c={uuid}/a.txt", headers: ("If-Modified-Since", date));
        await site.ExpectAsync(200, "GET", $"/c={uuid}/a.txt", headers: ("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"));
        await site.ExpectAsync(412, "GET", $"/c={uuid}/a.txt", headers: ("If-Match", "\"x\""));
        await site.ExpectAsync(200, "GET", $"/c={uuid}/a.txt", headers: ("If-Match", tag));
        await site.ExpectAsync(412, "GET", $"/c={uuid}/a.txt", headers: ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"));
        await site.ExpectAsync(206, "GET", $"/c={uuid}/a.txt", null, null, ("Range", "bytes=0-1"), ("If-Range", tag));
        await site.ExpectAsync(200, "GET", $"/c={uuid}/a.txt", null, null, ("Range", "bytes=0-1"), ("If-Range", "\"x\""));
        await site.PutAsync($"/c={uuid}/a.txt", "jello", 204);
        Assert.NotEqual(tag, (await site.ExpectAsync(200, "GET", $"/c={uuid}/a.txt")).Headers["ETag"]);
    }

    [Fact]
    public async Task Directory_redirects_to_its_slash_and_lists_names_escaped_once()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d%20%23");
        await site.PutAsync($"/c={uuid}/d%20%23/%3Cb%3E%26%22%2520.txt", "x");
        Assert.Equal($"/c={uuid}/d%20%23/", (await site.ExpectAsync(303, "GET", $"/c={uuid}/d%20%23")).Headers["Location"]);
        var page = await site.GetTextAsync($"/c={uuid}/d%20%23/");
        Assert.Contains("<a href=\"./%3Cb%3E%26%22%2520.txt\">&lt;b&gt;&amp;&quot;%20.txt</a>", page, StringComparison.Ordinal);
        Assert.Contains("NOINDEX", page, StringComparison.Ordinal);
        Assert.Contains("<a href=\"./d%20%23/\">d #/</a>", await site.GetTextAsync($"/c={uuid}/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_open_what_their_user_may_read_and_nothing_else()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("anyone:" + site.Token));
        foreach (var path in (string[])[$"/c={uuid}/f", $"/by_id/{uuid}/f"])
        {
            await site.ExpectAsync(200, "GET", path);
            await site.ExpectAsync(200, "GET", path, token: "", headers: ("Authorization", basic));
            await site.ExpectAsync(200, "GET", path, token: "", headers: ("Authorization", "OAuth2 " + site.Token));
            await site.ExpectAsync(404, "GET", path, token: site.OtherToken);
            foreach (var bad in (string[])["", "bogus", site.Token[..^3]])
            {
                var answer = await site.ExpectAsync(401, "GET", path, token: bad);
                Assert.Equal("Basic realm=\"collections\"", answer.Headers["WWW-Authenticate"]);
                await site.ExpectAsync(401, "PUT", path, [1], token: bad);
                await site.ExpectAsync(401, "PROPFIND", path, token: bad);
            }

            await site.ExpectAsync(404, "PUT", path, [1], token: site.OtherToken);
            await site.ExpectAsync(404, "DELETE", path, token: site.OtherToken);
        }

        await site.ExpectAsync(403, "GET", $"/c={uuid}/f", token: await site.CreateScopedTokenAsync());
        var shared = Uri.EscapeDataString(site.Token);
        await site.ExpectAsync(200, "GET", $"/collections/download/{uuid}/{shared}/f", token: "");
        await site.ExpectAsync(200, "GET", $"/c={uuid}/t={shared}/f", token: "");
        await site.ExpectAsync(200, "GET", $"/c={uuid}/t={shared}/_/f", token: "");
        await site.ExpectAsync(404, "GET", $"/c={uuid}/t=bogus/f", token: site.Token);
        await site.ExpectAsync(401, "GET", $"/collections/{uuid}/f");
        await site.ExpectAsync(404, "GET", "/c=zzzzz-4zz18-000000000000000/f");
        await site.ExpectAsync(404, "GET", "/c=d41d8cd98f00b204e9800998ecf8427e-/f");
        await site.ExpectAsync(200, "OPTIONS", "/", token: "");
    }

    [Fact]
    public async Task Token_in_the_query_goes_into_a_cookie_and_out_of_the_address()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/a%20b", "x");
        var answer = await site.ExpectAsync(303, "GET", $"/c={uuid}/a%20b?x=1&api_token={Uri.EscapeDataString(site.Token)}", token: "");
        Assert.Equal($"/c={uuid}/a%20b?x=1", answer.Headers["Location"]);
        await site.ExpectAsync(200, "GET", $"/c={uuid}/a%20b", token: "", headers: ("Cookie", answer.Headers["Set-Cookie"].Split(';')[0]));
    }

    [Fact]
    public async Task Content_hash_serves_and_refuses_writes()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "by content");
        var hash = (await site.Catalog.FindCollectionAsync(uuid, null, default))!.PortableDataHash;
        foreach (var id in (string[])[hash, hash.Replace('+', '-'), hash.Replace("+", "%20", StringComparison.Ordinal), hash.Replace("+", "%2B", StringComparison.Ordinal)])
        {
            Assert.Equal("by content", await site.GetTextAsync($"/c={id}/f"));
        }

        await site.ExpectAsync(405, "PUT", $"/by_id/{hash}/f", [1]);
        await site.ExpectAsync(405, "DELETE", $"/by_id/{hash}/f");
        await site.ExpectAsync(405, "MKCOL", $"/by_id/{hash}/d");
        await site.ExpectAsync(404, "GET", $"/c={hash}/f", token: site.OtherToken);
    }

    private async Task<string> VectorFileAsync()
    {
        var uuid = await site.CreateCollectionAsync();
        var block = " foo".PadRight(1_000_000);
        var data = Encoding.ASCII.GetBytes((block + block + block + block + "Z")[1..]);
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/v", data);
        return $"/c={uuid}/v";
    }
}
