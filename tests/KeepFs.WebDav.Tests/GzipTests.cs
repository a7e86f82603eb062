using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace KeepFs.WebDav.Tests;

public sealed class GzipTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 10_000).Select(i => $"line {i}\n")));
    private static readonly (string, string) Gzip = ("Accept-Encoding", "gzip, deflate, br");

    [Fact]
    public async Task Text_file_comes_encoded_with_a_tag_of_its_own()
    {
        var path = await PutAsync("a.txt", Text);
        var plain = await site.ExpectAsync(200, "GET", path);
        var encoded = await site.ExpectAsync(200, "GET", path, null, null, Gzip);
        Assert.Equal(Text, plain.Body);
        Assert.Equal(Text, Decode(encoded));
        Assert.True(encoded.Body.Length < Text.Length / 2);
        Assert.Equal(("Accept-Encoding", "Accept-Encoding"), (plain.Headers["Vary"], encoded.Headers["Vary"]));
        Assert.False(encoded.Headers.ContainsKey("Content-Length"));
        Assert.Equal(plain.Headers["ETag"][..^1] + "-gzip\"", encoded.Headers["ETag"]);

        var (tag, encodedTag) = (plain.Headers["ETag"], encoded.Headers["ETag"]);
        Assert.Equal(encodedTag, (await site.ExpectAsync(304, "GET", path, null, null, Gzip, ("If-None-Match", encodedTag))).Headers["ETag"]);
        Assert.Equal(tag, (await site.ExpectAsync(304, "GET", path, null, null, ("If-None-Match", tag))).Headers["ETag"]);
        await site.ExpectAsync(200, "GET", path, null, null, ("If-None-Match", encodedTag));
        await site.ExpectAsync(200, "GET", path, null, null, Gzip, ("If-None-Match", tag));

        // Whoever read it encoded may write it back on condition that nobody else did.
        await site.ExpectAsync(412, "PUT", path, Text, null, ("If-Match", "\"other-gzip\""));
        await site.ExpectAsync(204, "PUT", path, "new"u8.ToArray(), null, ("If-Match", encodedTag));
        await site.ExpectAsync(412, "PUT", path, Text, null, ("If-Match", encodedTag));
    }

    [Fact]
    public async Task Ranges_are_of_the_file_as_it_is()
    {
        var path = await PutAsync("a.txt", Text);
        var part = await site.ExpectAsync(206, "GET", path, null, null, Gzip, ("Range", "bytes=10-19"));
        Assert.Equal(Text[10..20], part.Body);
        Assert.False(part.Headers.ContainsKey("Content-Encoding"));
        var tag = part.Headers["ETag"];
        var whole = await site.ExpectAsync(200, "GET", path, null, null, Gzip, ("Range", "bytes=10-19"), ("If-Range", tag[..^1] + "-gzip\""));
        Assert.Equal(Text, whole.Body);
        var head = await site.ExpectAsync(200, "HEAD", path, null, null, Gzip);
        Assert.Equal((Text.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), tag), (head.Headers["Content-Length"], head.Headers["ETag"]));
    }

    [Theory]
    [InlineData("data.bin", 100_000, "gzip", false)]
    [InlineData("picture.png", 100_000, "gzip", false)]
    [InlineData("small.txt", 1000, "gzip", false)]
    [InlineData("large.txt", (8 << 20) + 1, "gzip", false)]
    [InlineData("a.json", 100_000, "gzip", true)]
    [InlineData("a.svg", 100_000, "br;q=1, gzip;q=0.1", true)]
    [InlineData("a.csv", 100_000, "*", true)]
    [InlineData("a.txt", 100_000, "gzip;q=0, *", false)]
    [InlineData("a.txt", 100_000, "gzip;q=0.5, identity", false)]
    [InlineData("a.txt", 100_000, "br, deflate", false)]
    [InlineData("a.txt", 100_000, "gzip;q=nonsense", false)]
    [InlineData("a.txt", 100_000, ";;;,,,q=1", false)]
    public async Task Encoding_depends_on_type_size_and_wish(string name, int bytes, string accept, bool isEncoded)
    {
        var data = RandomNumberGenerator.GetBytes(bytes);
        var answer = await site.ExpectAsync(200, "GET", await PutAsync(name, data), null, null, ("Accept-Encoding", accept));
        Assert.Equal(isEncoded, answer.Headers.ContainsKey("Content-Encoding"));
        Assert.Equal(data, isEncoded ? Decode(answer) : answer.Body);
    }

    [Fact]
    public async Task Pages_come_encoded_but_not_those_with_a_token_in_them()
    {
        var path = await PutAsync("a.txt", Text);
        var directory = path[..^"a.txt".Length];
        var plain = await site.ExpectAsync(200, "GET", directory);
        var encoded = await site.ExpectAsync(200, "GET", directory, null, null, Gzip);
        Assert.Contains("a.txt", plain.Text, StringComparison.Ordinal);
        Assert.Contains("a.txt</a>", Encoding.UTF8.GetString(Decode(encoded)), StringComparison.Ordinal);
        Assert.Contains("Accept-Encoding", encoded.Headers["Vary"], StringComparison.Ordinal);
        var shared = await site.ExpectAsync(200, "GET", $"{directory}t={Uri.EscapeDataString(site.Token)}/", null, "", Gzip);
        Assert.False(shared.Headers.ContainsKey("Content-Encoding"));
        var script = await site.ExpectAsync(200, "GET", "/_keepfs/page.js", null, "", Gzip);
        Assert.Equal((await site.ExpectAsync(200, "GET", "/_keepfs/page.js", null, "")).Body, Decode(script));
    }

    private static byte[] Decode(TestAnswer answer)
    {
        Assert.Equal("gzip", answer.Headers["Content-Encoding"]);
        using var gzip = new GZipStream(new MemoryStream(answer.Body), CompressionMode.Decompress);
        using var plain = new MemoryStream();
        gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private async Task<string> PutAsync(string name, byte[] data)
    {
        var path = $"/c={await site.CreateCollectionAsync()}/{name}";
        await site.ExpectAsync(201, "PUT", path, data);
        return path;
    }
}
