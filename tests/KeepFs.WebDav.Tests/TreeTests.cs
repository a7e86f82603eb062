namespace KeepFs.WebDav.Tests;

/// <summary>The site tree is writable: decision 19, docs/decisions/0003-webdav-tree.md.</summary>
public sealed class TreeTests(TestSite site) : IClassFixture<TestSite>
{
    [Fact]
    public async Task Home_makes_collections_and_projects_and_files_in_them()
    {
        await site.ExpectAsync(201, "MKCOL", "/home/made%20here");
        await site.PutAsync("/home/made%20here/f", "in a collection");
        Assert.Equal("in a collection", await site.GetTextAsync("/users/active/made%20here/f"));
        await site.ExpectAsync(201, "MKCOL", "/home/project", headers: ("X-KeepFs-Create", "project"));
        await site.ExpectAsync(201, "MKCOL", "/home/project/inner");
        await site.PutAsync("/home/project/inner/g", "deeper");
        Assert.Equal("deeper", await site.GetTextAsync("/home/project/inner/g"));
        await site.ExpectAsync(405, "MKCOL", "/home/project");
        await site.ExpectAsync(409, "MKCOL", "/home/none/inner");
        await site.ExpectAsync(400, "MKCOL", "/home/odd", headers: ("X-KeepFs-Create", "cake"));
        await site.PutAsync("/home/file", "x", 403);
        await site.PutAsync("/home/project/file", "x", 403);
        var page = await site.GetTextAsync("/home/");
        Assert.Contains("made here/", page, StringComparison.Ordinal);
        Assert.Contains("project/", page, StringComparison.Ordinal);
        var home = (await site.Catalog.GetCurrentUserAsync(default)).Uuid;
        Assert.Contains("made here/", await site.GetTextAsync($"/by_id/{home}/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Root_lists_the_starts_and_needs_a_token()
    {
        var page = await site.GetTextAsync("/");
        Assert.All(["by_id/", "users/", "home/"], (string name) => Assert.Contains(name, page, StringComparison.Ordinal));
        Assert.Contains("active/", await site.GetTextAsync("/users/"), StringComparison.Ordinal);
        await site.ExpectAsync(401, "GET", "/", token: "");
        await site.ExpectAsync(401, "GET", "/", token: "bogus");
        await site.ExpectAsync(404, "GET", "/nothing");
        await site.ExpectAsync(403, "DELETE", "/home/");
        await site.ExpectAsync(403, "DELETE", "/users/");
        await site.ExpectAsync(405, "MKCOL", "/home");
    }

    [Fact]
    public async Task Collection_is_renamed_moved_copied_and_trashed()
    {
        await site.ExpectAsync(201, "MKCOL", "/home/target", headers: ("X-KeepFs-Create", "project"));
        var uuid = await site.CreateCollectionAsync("wanderer");
        await site.PutAsync("/home/wanderer/f", "goods");
        await site.ExpectAsync(201, "MOVE", "/home/wanderer/", null, null, ("Destination", "/home/wandered/"));
        await site.ExpectAsync(201, "MOVE", "/home/wandered", null, null, ("Destination", $"{site.Address}home/target/arrived"));
        Assert.Equal("goods", await site.GetTextAsync($"/c={uuid}/f"));
        Assert.Equal("goods", await site.GetTextAsync("/home/target/arrived/f"));
        await site.ExpectAsync(404, "GET", "/home/wandered/");
        await site.ExpectAsync(201, "COPY", "/home/target/arrived", null, null, ("Destination", "/home/copied"));
        await site.PutAsync("/home/copied/f", "other goods", 204);
        Assert.Equal("goods", await site.GetTextAsync("/home/target/arrived/f"));
        await site.ExpectAsync(412, "COPY", "/home/target/arrived", null, null, ("Destination", "/home/copied"), ("Overwrite", "F"));
        await site.ExpectAsync(204, "COPY", "/home/target/arrived", null, null, ("Destination", "/home/copied"));
        Assert.Equal("goods", await site.GetTextAsync("/home/copied/f"));
        await site.ExpectAsync(403, "COPY", "/home/target", null, null, ("Destination", "/home/target2"));
        await site.ExpectAsync(201, "MOVE", "/home/target", null, null, ("Destination", "/home/target2"));
        Assert.Equal("goods", await site.GetTextAsync("/home/target2/arrived/f"));
        await site.ExpectAsync(204, "DELETE", "/home/target2/arrived");
        await site.ExpectAsync(404, "GET", $"/c={uuid}/f");
        await site.ExpectAsync(204, "DELETE", "/home/target2");
        await site.ExpectAsync(404, "GET", "/home/target2/");
    }

    [Fact]
    public async Task Files_and_directories_go_between_collections()
    {
        var (from, to) = (await site.CreateCollectionAsync(), await site.CreateCollectionAsync("second"));
        await site.ExpectAsync(201, "MKCOL", $"/c={from}/d");
        await site.PutAsync($"/c={from}/d/f", "one");
        await site.PutAsync($"/c={from}/g", "two");
        await site.ExpectAsync(201, "COPY", $"/c={from}/d", null, null, ("Destination", $"/c={to}/e"));
        Assert.Equal("one", await site.GetTextAsync($"/c={to}/e/f"));
        await site.ExpectAsync(201, "MOVE", $"/c={from}/g", null, null, ("Destination", "/home/second/h"));
        Assert.Equal("two", await site.GetTextAsync($"/c={to}/h"));
        await site.ExpectAsync(404, "GET", $"/c={from}/g");
        await site.ExpectAsync(409, "MOVE", $"/c={from}/d", null, null, ("Destination", $"/c={to}/none/x"));
        await site.ExpectAsync(201, "MOVE", $"/c={from}/d", null, null, ("Destination", "/home/came%20out"));
        Assert.Equal("one", await site.GetTextAsync("/home/came%20out/f"));
        await site.ExpectAsync(403, "COPY", $"/c={to}/h", null, null, ("Destination", "/home/loose"));
        Assert.Equal("", await site.ManifestOfAsync(from));
    }

    [Fact]
    public async Task Copy_and_move_within_a_collection_follow_the_matrix()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d");
        await site.PutAsync($"/c={uuid}/d/f", "one");
        await site.PutAsync($"/c={uuid}/g", "two");
        await SendAsync(201, "COPY", "d", "e");
        await SendAsync(204, "COPY", "d/f", "g");
        Assert.Equal("one", await site.GetTextAsync($"/c={uuid}/g"));
        await SendAsync(412, "COPY", "d/f", "g", ("Overwrite", "F"));
        await SendAsync(412, "MOVE", "d/f", "g", ("Overwrite", "F"));
        await SendAsync(201, "COPY", "d", "shallow", ("Depth", "0"));
        await site.ExpectAsync(404, "GET", $"/c={uuid}/shallow/f");
        await SendAsync(400, "COPY", "d", "x", ("Depth", "1"));
        await SendAsync(400, "MOVE", "d", "x", ("Depth", "0"));
        await SendAsync(403, "COPY", "g", "g");
        await SendAsync(403, "MOVE", "d/", "d");
        await SendAsync(403, "MOVE", "d", "d/inner");
        await SendAsync(404, "MOVE", "none", "x");
        await SendAsync(409, "MOVE", "g", "none/x");
        await SendAsync(201, "MOVE", "d/f", "%C3%A4%20%25");
        Assert.Equal("one", await site.GetTextAsync($"/c={uuid}/%C3%A4%20%25"));
        await SendAsync(204, "MOVE", "g", "e");
        Assert.Equal("one", await site.GetTextAsync($"/c={uuid}/e"));
        await site.ExpectAsync(400, "MOVE", $"/c={uuid}/e");
        await site.ExpectAsync(502, "MOVE", $"/c={uuid}/e", null, null, ("Destination", $"http://elsewhere.example/c={uuid}/x"));

        Task<TestAnswer> SendAsync(int status, string method, string from, string to, params (string, string)[] headers) =>
            site.ExpectAsync(status, method, $"/c={uuid}/{from}", null, null, [("Destination", $"{site.Address}c={uuid}/{to}"), .. headers]);
    }

    [Fact]
    public async Task Only_our_hosts_take_credentials_when_hosts_are_configured()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f.html", "<p>");
        var config = site.Config with
        {
            Services = site.Config.Services with
            {
                WebDAV = new() { ExternalURL = "https://preview.example/" },
                WebDAVDownload = new() { ExternalURL = "https://download.example/" },
            },
        };
        await using var web = await site.StartWebAsync(options => options with { Listen = new System.Net.IPEndPoint(System.Net.IPAddress.Any, 0) }, config);
        Assert.Equal((401, null), await GetAsync("evil.example"));
        Assert.Equal((200, null), await GetAsync("preview.example"));
        Assert.Equal((200, "attachment"), await GetAsync("DOWNLOAD.example:443"));

        async Task<(int, string?)> GetAsync(string host)
        {
            using var request = site.Request("GET", $"/c={uuid}/f.html", headers: ("Host", host));
            request.RequestUri = new Uri($"http://127.0.0.1:{new Uri(web.Addresses.Single()).Port}/c={uuid}/f.html");
            using var response = await site.Http.SendAsync(request);
            return ((int)response.StatusCode, response.Content.Headers.ContentDisposition?.ToString());
        }
    }
}
