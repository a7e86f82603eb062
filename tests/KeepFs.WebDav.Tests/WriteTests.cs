using System.Net.Sockets;
using System.Text;
using System.Xml.Linq;
using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.Tests;

public sealed class WriteTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly XNamespace Dav = "DAV:";

    [Fact]
    public async Task Put_answers_201_then_204_and_is_visible_to_the_next_request()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "one");
        await site.PutAsync($"/c={uuid}/f", "two", 204);
        Assert.Equal("two", await site.GetTextAsync($"/by_id/{uuid}/f"));
        await site.PutAsync($"/c={uuid}/empty", "");
        Assert.Equal("", await site.GetTextAsync($"/c={uuid}/empty"));
    }

    [Fact]
    public async Task Put_refuses_what_cannot_be_and_leaves_everything()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d");
        await site.PutAsync($"/c={uuid}/f", "x");
        var before = await HashAsync(uuid);
        await site.PutAsync($"/c={uuid}/no/such/f", "x", 409);
        await site.PutAsync($"/c={uuid}/f/below", "x", 409);
        await site.PutAsync($"/c={uuid}/d", "x", 405);
        await site.PutAsync($"/c={uuid}/", "x", 405);
        await site.PutAsync($"/c={uuid}/%2E%2E", "x", 400);
        await site.PutAsync($"/c={uuid}/a%2Fb", "x", 400);
        await site.PutAsync($"/c={uuid}/{new string('n', 256)}", "x", 400);
        await site.PutAsync($"/c={uuid}/%FF", "x", 400);
        await site.ExpectAsync(400, "PUT", $"/c={uuid}/f", [1], null, ("Content-Range", "bytes 0-0/2"));
        await site.ExpectAsync(412, "PUT", $"/c={uuid}/f", [1], null, ("If-None-Match", "*"));
        await site.ExpectAsync(412, "PUT", $"/c={uuid}/f", [1], null, ("If-Match", "\"other\""));
        await site.ExpectAsync(412, "PUT", $"/c={uuid}/g", [1], null, ("If-Match", "*"));
        Assert.Equal(before, await HashAsync(uuid));
    }

    [Fact]
    public async Task Conditional_put_replaces_the_state_that_it_names()
    {
        var uuid = await site.CreateCollectionAsync();
        var tag = (await site.ExpectAsync(201, "PUT", $"/c={uuid}/f", [1], null, ("If-None-Match", "*"))).Headers["ETag"];
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [2], null, ("If-Match", tag));
        await site.ExpectAsync(412, "PUT", $"/c={uuid}/f", [3], null, ("If-Match", tag));
        Assert.Equal([2], (await site.ExpectAsync(200, "GET", $"/c={uuid}/f")).Body);
    }

    [Fact]
    public async Task One_of_many_exclusive_creations_wins()
    {
        var uuid = await site.CreateCollectionAsync();
        var statuses = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            using var request = site.Request("PUT", $"/c={uuid}/once", [(byte)i], null, ("If-None-Match", "*"));
            using var response = await site.Http.SendAsync(request);
            return (int)response.StatusCode;
        }));
        Assert.Equal(1, statuses.Count(status => status == 201));
        Assert.Equal(7, statuses.Count(status => status == 412));
    }

    [Fact]
    public async Task Sixteen_parallel_puts_and_directories_are_all_there()
    {
        var uuid = await site.CreateCollectionAsync();
        await Task.WhenAll(Enumerable.Range(0, 16).SelectMany(i => new Task[]
        {
            site.PutAsync($"/c={uuid}/file{i}", $"content {i}"),
            site.ExpectAsync(201, "MKCOL", $"/c={uuid}/dir{i}"),
        }));
        for (var i = 0; i < 16; i++)
        {
            Assert.Equal($"content {i}", await site.GetTextAsync($"/c={uuid}/file{i}"));
            await site.ExpectAsync(207, "PROPFIND", $"/c={uuid}/dir{i}/", headers: ("Depth", "0"));
        }
    }

    [Fact]
    public async Task Interrupted_put_leaves_the_old_content()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "old");
        var before = await HashAsync(uuid);
        foreach (var header in (string[])["Content-Length: 100000", "Transfer-Encoding: chunked"])
        {
            using (var client = new TcpClient())
            {
                await client.ConnectAsync(site.Address.Host, site.Address.Port);
                var half = header.StartsWith('C') ? new string('x', 5000) : $"1388\r\n{new string('x', 5000)}\r\n";
                var text = $"PUT /c={uuid}/f HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.Token}\r\n{header}\r\n\r\n{half}";
                var stream = client.GetStream();
                await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
                client.Client.Shutdown(SocketShutdown.Send);

                // The server closes (with or without an answer) when it has given the request up.
                var answer = await new StreamReader(stream).ReadToEndAsync();
                Assert.DoesNotContain("HTTP/1.1 2", answer, StringComparison.Ordinal);
            }

            Assert.Equal(before, await HashAsync(uuid));
        }

        Assert.Equal("old", await site.GetTextAsync($"/c={uuid}/f"));
    }

    [Fact]
    public async Task Mkcol_and_delete_follow_the_rules()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d");
        await site.ExpectAsync(405, "MKCOL", $"/c={uuid}/d");
        await site.ExpectAsync(409, "MKCOL", $"/c={uuid}/x/y");
        await site.ExpectAsync(415, "MKCOL", $"/c={uuid}/z", Encoding.UTF8.GetBytes("<a/>"));
        await site.PutAsync($"/c={uuid}/d/f", "x");
        await site.ExpectAsync(400, "DELETE", $"/c={uuid}/d", null, null, ("Depth", "1"));
        await site.ExpectAsync(204, "DELETE", $"/c={uuid}/d/f");
        await site.ExpectAsync(207, "PROPFIND", $"/c={uuid}/d", headers: ("Depth", "0"));
        await site.ExpectAsync(204, "DELETE", $"/c={uuid}/d");
        await site.ExpectAsync(404, "DELETE", $"/c={uuid}/d");
        await site.ExpectAsync(403, "DELETE", $"/c={uuid}/");
        Assert.Equal("", await site.ManifestOfAsync(uuid));
    }

    [Fact]
    public async Task Names_survive_put_propfind_and_get()
    {
        string[] names = ["a b", "100%", "100%25", "#1", "\"q\"", "o'clock", "a&b<c>", "a+b", "ä€😀", "._hidden", "x;y=z?", "back\\slash", "t=x", "colon:0:1"];
        var uuid = await site.CreateCollectionAsync();
        foreach (var name in names)
        {
            // The underscore lets "t=x" be a name and not a token (keep-web.md 2.2).
            await site.PutAsync($"/c={uuid}/_/{Uri.EscapeDataString(name)}", name);
        }

        var answer = await site.ExpectAsync(207, "PROPFIND", $"/c={uuid}/", headers: ("Depth", "1"));
        var responses = XElement.Parse(answer.Text).Elements(Dav + "response").Skip(1).ToArray();
        Assert.Equal(names.Order(), responses.Select(response => response.Descendants(Dav + "displayname").Single().Value).Order());
        foreach (var response in responses)
        {
            var href = response.Element(Dav + "href")!.Value.Replace("/t=x", "/_/t=x", StringComparison.Ordinal);
            Assert.Equal(response.Descendants(Dav + "displayname").Single().Value, await site.GetTextAsync(href));
        }
    }

    [Fact]
    public async Task Propfind_gives_properties_by_depth_and_wish()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d");
        await site.PutAsync($"/c={uuid}/d/f.txt", "hello");
        Assert.Equal([$"/c={uuid}/"], await HrefsAsync($"/c={uuid}", "0"));
        Assert.Equal([$"/c={uuid}/", $"/c={uuid}/d/"], await HrefsAsync($"/c={uuid}/", "1"));
        Assert.Equal([$"/c={uuid}/", $"/c={uuid}/d/", $"/c={uuid}/d/f.txt"], await HrefsAsync($"/c={uuid}/", "infinity"));
        await site.ExpectAsync(400, "PROPFIND", $"/c={uuid}/", headers: ("Depth", "2"));
        await site.ExpectAsync(400, "PROPFIND", $"/c={uuid}/", Encoding.UTF8.GetBytes("<broken"));
        await site.ExpectAsync(400, "PROPFIND", $"/c={uuid}/", Encoding.UTF8.GetBytes("<!DOCTYPE a [<!ENTITY x \"y\">]><propfind xmlns=\"DAV:\"><allprop/></propfind>"));
        var answer = await site.ExpectAsync(
            207, "PROPFIND", $"/c={uuid}/d/f.txt",
            Encoding.UTF8.GetBytes("<propfind xmlns=\"DAV:\" xmlns:y=\"urn:y\"><prop><getcontentlength/><getetag/><y:color/></prop></propfind>"), null, ("Depth", "0"));
        var stats = XElement.Parse(answer.Text).Descendants(Dav + "propstat").ToArray();
        Assert.Equal("5", stats[0].Descendants(Dav + "getcontentlength").Single().Value);
        Assert.Equal((await site.ExpectAsync(200, "HEAD", $"/c={uuid}/d/f.txt")).Headers["ETag"], stats[0].Descendants(Dav + "getetag").Single().Value);
        Assert.Single(stats[1].Descendants(XNamespace.Get("urn:y") + "color"));
        Assert.EndsWith("404 Not Found", stats[1].Element(Dav + "status")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infinite_propfind_beyond_the_limit_or_in_the_site_tree_is_refused_by_name()
    {
        var uuid = await site.CreateCollectionAsync();
        var web = await site.StartWebAsync(options => options with { MaxInfinitePropfindEntries = 3 });
        await using (web)
        {
            for (var i = 0; i < 3; i++)
            {
                await site.PutAsync($"/c={uuid}/f{i}", "x");
            }

            using var request = site.Request("PROPFIND", $"/c={uuid}/", headers: ("Depth", "infinity"));
            request.RequestUri = new Uri(web.Addresses.Single() + $"/c={uuid}/");
            using var response = await site.Http.SendAsync(request);
            Assert.Equal(403, (int)response.StatusCode);
            Assert.Contains("propfind-finite-depth", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Contains("propfind-finite-depth", (await site.ExpectAsync(403, "PROPFIND", "/home/", headers: ("Depth", "infinity"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Locked_file_can_be_written_with_the_token_only()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var body = Encoding.UTF8.GetBytes("<lockinfo xmlns=\"DAV:\"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>");
        var token = (await site.ExpectAsync(200, "LOCK", $"/c={uuid}/f", body, null, ("Timeout", "Second-600"))).Headers["Lock-Token"];
        await site.PutAsync($"/c={uuid}/f", "y", 423);
        await site.PutAsync($"/by_id/{uuid}/f", "y", 423);
        await site.ExpectAsync(423, "LOCK", $"/c={uuid}/f", body);
        await site.ExpectAsync(423, "DELETE", $"/c={uuid}/f");
        await site.ExpectAsync(423, "MOVE", $"/c={uuid}/f", null, null, ("Destination", $"/c={uuid}/g"));
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [1], null, ("If", $"({token})"));
        await site.ExpectAsync(204, "UNLOCK", $"/c={uuid}/f", null, null, ("Lock-Token", token));
        await site.PutAsync($"/c={uuid}/f", "z", 204);
        await site.ExpectAsync(201, "LOCK", $"/c={uuid}/new", body);
        Assert.Equal("", await site.GetTextAsync($"/c={uuid}/new"));
    }

    [Fact]
    public async Task Small_put_to_a_known_place_is_saved_without_a_look_and_answered_as_ever()
    {
        await using var web = await site.StartWebAsync(options => options with { Time = new SteppedTime() });
        var address = new Uri(web.Addresses.Single());
        Task PutAsync(int status, string path, string text) => SendAsync(address, status, "PUT", path, text);
        var name = $"known-{Guid.NewGuid():N}";
        await site.CreateCollectionAsync(name);
        await PutAsync(201, $"/home/{name}/first", "1");
        var before = await LooksAsync(address);
        await PutAsync(201, $"/home/{name}/f", "one");
        await PutAsync(204, $"/home/{name}/f", "two");
        await PutAsync(201, $"/home/{name}/empty", "");
        Assert.Equal(before, await LooksAsync(address));
        Assert.Equal("two", await SendAsync(address, 200, "GET", $"/home/{name}/f"));
        Assert.Equal("", await SendAsync(address, 200, "GET", $"/home/{name}/empty"));
        await PutAsync(409, $"/home/{name}/no/such/f", "x");
        await PutAsync(409, $"/home/{name}/f/below", "x");
        await SendAsync(address, 201, "MKCOL", $"/home/{name}/d");
        await PutAsync(405, $"/home/{name}/d", "x");
    }

    [Fact]
    public async Task Small_put_goes_to_what_has_the_name_now()
    {
        var (name, other) = ($"first-{Guid.NewGuid():N}", $"other-{Guid.NewGuid():N}");
        var old = await site.CreateCollectionAsync(name);
        await site.PutAsync($"/home/{name}/f", "old");
        await site.Catalog.UpdateCollectionAsync(old, new CollectionChange { Collection = new CollectionWrite { Name = other } }, default);
        var now = await site.CreateCollectionAsync(name);
        await site.PutAsync($"/home/{name}/f", "new");
        Assert.Equal("old", await site.GetTextAsync($"/by_id/{old}/f"));
        Assert.Equal("new", await site.GetTextAsync($"/by_id/{now}/f"));
        await site.Catalog.TrashCollectionAsync(now, default);
        await site.PutAsync($"/home/{name}/f", "x", 409);
    }

    /// <summary>How often keep-web asked for the state of a collection so far.</summary>
    private async Task<string> LooksAsync(Uri web) =>
        (await site.MetricsAsync(web)).Split('\n').Single(line => line.StartsWith("keepfs_keepweb_looks_total ", StringComparison.Ordinal));

    private async Task<string> SendAsync(Uri web, int status, string method, string path, string? body = null)
    {
        using var request = site.Request(method, path, body is null ? null : Encoding.UTF8.GetBytes(body));
        request.RequestUri = new Uri(web, path);
        using var response = await site.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{method} {path}: {(int)response.StatusCode} {text}");
        return text;
    }

    private async Task<string[]> HrefsAsync(string path, string depth) =>
        [.. XElement.Parse((await site.ExpectAsync(207, "PROPFIND", path, headers: ("Depth", depth))).Text).Descendants(Dav + "href").Select(href => href.Value)];

    private async Task<string> HashAsync(string uuid) => (await site.Catalog.FindCollectionAsync(uuid, ["portable_data_hash"], default))!.PortableDataHash;
}
