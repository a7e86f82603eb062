using System.Text;
using System.Xml.Linq;

namespace KeepFs.WebDav.Tests;

/// <summary>X-Webdav-Prefix and X-Webdav-Source (keep-web.md 2.6).</summary>
public sealed class ProxyViewTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly (string, string) Prefix = ("X-Webdav-Prefix", "/p q");
    private static readonly (string, string) Source = ("X-Webdav-Source", "/sub/dir");
    private static readonly XNamespace Dav = "DAV:";

    [Fact]
    public async Task Prefix_is_cut_off_for_the_lookup_and_stands_in_every_address_of_the_answer()
    {
        var uuid = await MadeAsync();
        var answer = await site.ExpectAsync(200, "GET", $"/p%20q/c={uuid}/top", null, null, Prefix);
        Assert.Equal("top", answer.Text);
        Assert.Contains("X-Webdav-Prefix", answer.Headers["Vary"], StringComparison.Ordinal);
        await site.ExpectAsync(400, "GET", $"/c={uuid}/top", null, null, Prefix);
        await site.ExpectAsync(400, "GET", $"/p/c={uuid}/top", null, null, Prefix);
        await site.ExpectAsync(404, "GET", $"/p%20q/c={uuid}/top");
        Assert.Equal($"/p%20q/c={uuid}/sub/", (await site.ExpectAsync(303, "GET", $"/p%20q/c={uuid}/sub", null, null, Prefix)).Headers["Location"]);
        Assert.Equal([$"/p%20q/c={uuid}/", $"/p%20q/c={uuid}/sub/", $"/p%20q/c={uuid}/top"], await HrefsAsync($"/p%20q/c={uuid}/", Prefix));
        Assert.Equal(["/p%20q/", "/p%20q/by_id/", "/p%20q/home/", "/p%20q/users/"], await HrefsAsync("/p%20q/", Prefix));
        var page = (await site.ExpectAsync(200, "GET", $"/p%20q/c={uuid}/sub/", null, null, Prefix)).Text;
        Assert.Contains("href=\"/p%20q/\"", page, StringComparison.Ordinal);

        await site.ExpectAsync(400, "MOVE", $"/p%20q/c={uuid}/top", null, null, Prefix, ("Destination", $"/c={uuid}/moved"));
        await site.ExpectAsync(201, "MOVE", $"/p%20q/c={uuid}/top", null, null, Prefix, ("Destination", $"/p%20q/c={uuid}/moved"));
        Assert.Equal("top", await site.GetTextAsync($"/c={uuid}/moved"));
    }

    [Fact]
    public async Task Source_stands_between_the_collection_and_the_path_and_is_never_shown()
    {
        var uuid = await MadeAsync();
        Assert.Equal("deep", (await site.ExpectAsync(200, "GET", $"/c={uuid}/f", null, null, Source)).Text);
        await site.ExpectAsync(404, "GET", $"/c={uuid}/top", null, null, Source);
        Assert.Equal([$"/c={uuid}/", $"/c={uuid}/f"], await HrefsAsync($"/c={uuid}/", Source));
        await site.ExpectAsync(201, "PUT", $"/p%20q/c={uuid}/new", "n"u8.ToArray(), null, Prefix, Source);
        Assert.Equal("n", await site.GetTextAsync($"/c={uuid}/sub/dir/new"));
        await site.ExpectAsync(201, "COPY", $"/c={uuid}/new", null, null, Source, ("Destination", $"/c={uuid}/copy"));
        Assert.Equal("n", await site.GetTextAsync($"/c={uuid}/sub/dir/copy"));
        var locked = (await site.ExpectAsync(200, "LOCK", $"/c={uuid}/f", Encoding.UTF8.GetBytes(
            "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>"), null, Source)).Text;
        Assert.Equal($"/c={uuid}/f", XElement.Parse(locked).Descendants(Dav + "lockroot").Single().Value);
        Assert.Contains("423", (await Record.ExceptionAsync(() => site.ExpectAsync(204, "PUT", $"/c={uuid}/sub/dir/f", "x"u8.ToArray())))!.Message, StringComparison.Ordinal);

        // What could leave the collection is ignored.
        Assert.Equal("top", (await site.ExpectAsync(200, "GET", $"/c={uuid}/top", null, null, ("X-Webdav-Source", "/sub/../.."))).Text);
        Assert.Equal("top", (await site.ExpectAsync(200, "GET", $"/c={uuid}/top", null, null, ("X-Webdav-Source", "/sub//dir"))).Text);
    }

    private async Task<string> MadeAsync()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/top", "top");
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/sub");
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/sub/dir");
        await site.PutAsync($"/c={uuid}/sub/dir/f", "deep");
        return uuid;
    }

    private async Task<IEnumerable<string>> HrefsAsync(string path, params (string, string)[] headers) =>
        XElement.Parse((await site.ExpectAsync(207, "PROPFIND", path, null, null, [("Depth", "1"), .. headers])).Text).Elements(Dav + "response").Select(response => response.Element(Dav + "href")!.Value);
}
