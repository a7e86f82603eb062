using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Xml.Linq;

namespace KeepFs.WebDav.Tests;

/// <summary>LOCK, UNLOCK and the If header (RFC 4918 6, 7, 10.4), over one server and over two.</summary>
public sealed class LockTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly XNamespace Dav = "DAV:";
    private static readonly byte[] Exclusive = Encoding.UTF8.GetBytes(
        "<D:lockinfo xmlns:D=\"DAV:\"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner><D:href>mailto:me@x</D:href></D:owner></D:lockinfo>");

    private static readonly byte[] Shared = Encoding.UTF8.GetBytes(
        "<lockinfo xmlns=\"DAV:\"><lockscope><shared/></lockscope><locktype><write/></locktype></lockinfo>");

    [Fact]
    public async Task Lock_taken_through_one_server_binds_another()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var token = await LockAsync($"/c={uuid}/f");
        await using var second = await site.StartWebAsync(options => options);
        Assert.Equal(423, await SendAsync(second, "PUT", $"/c={uuid}/f"));
        Assert.Equal(423, await SendAsync(second, "LOCK", $"/c={uuid}/f", ("Depth", "0")));
        Assert.Equal(204, await SendAsync(second, "PUT", $"/c={uuid}/f", ("If", $"({token})")));
        Assert.Equal(204, await SendAsync(second, "UNLOCK", $"/c={uuid}/f", ("Lock-Token", token)));
        await site.PutAsync($"/c={uuid}/f", "y", 204);
    }

    [Fact]
    public async Task Upload_that_began_before_a_lock_is_refused_when_it_saves()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "old");
        var body = new GatedContent(32 << 20);
        using var request = site.Request("PUT", $"/c={uuid}/f");
        request.Content = body;
        var upload = site.Http.SendAsync(request);
        await body.AlmostSent.Task;
        var token = await LockAsync($"/c={uuid}/f");
        body.Gate.SetResult();
        using var answer = await upload;
        Assert.Equal(HttpStatusCode.Locked, answer.StatusCode);
        Assert.Equal($"/c={uuid}/f", XElement.Parse(await answer.Content.ReadAsStringAsync()).Descendants(Dav + "href").Single().Value);
        Assert.Equal("old", await site.GetTextAsync($"/c={uuid}/f"));
        await site.ExpectAsync(204, "UNLOCK", $"/c={uuid}/f", null, null, ("Lock-Token", token));
    }

    [Fact]
    public async Task Lock_on_a_directory_covers_what_is_below_and_its_token_works_there()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d");
        await site.PutAsync($"/c={uuid}/d/f", "x");
        await site.PutAsync($"/c={uuid}/g", "x");
        var token = await LockAsync($"/c={uuid}/d", depth: "infinity");
        await site.PutAsync($"/c={uuid}/d/f", "y", 423);
        await site.PutAsync($"/c={uuid}/d/new", "y", 423);
        await site.ExpectAsync(423, "MKCOL", $"/c={uuid}/d/sub");
        await site.ExpectAsync(423, "PROPPATCH", $"/c={uuid}/d/f", Encoding.UTF8.GetBytes("<propertyupdate xmlns=\"DAV:\"><set><prop><x xmlns=\"u:\">1</x></prop></set></propertyupdate>"));
        await site.ExpectAsync(423, "MOVE", $"/c={uuid}/g", null, null, ("Destination", $"/c={uuid}/d/g"));
        await site.ExpectAsync(423, "COPY", $"/c={uuid}/g", null, null, ("Destination", $"/c={uuid}/d/f"));
        await site.ExpectAsync(423, "DELETE", $"/c={uuid}/d/f");
        await site.ExpectAsync(423, "DELETE", $"/c={uuid}/d");
        await site.ExpectAsync(201, "COPY", $"/c={uuid}/d/f", null, null, ("Destination", $"/c={uuid}/copied"));
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/d/new", [1], null, ("If", $"</c={uuid}/d/> ({token})"));
        await site.ExpectAsync(201, "MOVE", $"/c={uuid}/g", null, null, ("Destination", $"/c={uuid}/d/g"), ("If", $"<{site.Address}c={uuid}/d> ({token})"));
        await site.ExpectAsync(204, "DELETE", $"/c={uuid}/d", null, null, ("If", $"({token})"));
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d");
    }

    [Fact]
    public async Task Depth_zero_lock_on_a_directory_protects_its_members_list_but_not_the_members()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/d");
        await site.PutAsync($"/c={uuid}/d/f", "x");
        await LockAsync($"/c={uuid}/d", depth: "0");
        await site.PutAsync($"/c={uuid}/d/f", "y", 204);
        await site.PutAsync($"/c={uuid}/d/new", "y", 423);
        await site.ExpectAsync(423, "DELETE", $"/c={uuid}/d/f");
        await LockAsync($"/c={uuid}/d/f", depth: "0");
    }

    [Fact]
    public async Task Shared_locks_live_together_and_any_of_their_tokens_opens()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var first = await LockAsync($"/c={uuid}/f", Shared);
        var second = await LockAsync($"/c={uuid}/f", Shared);
        await site.ExpectAsync(423, "LOCK", $"/c={uuid}/f", Exclusive);
        await site.PutAsync($"/c={uuid}/f", "y", 423);
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [1], null, ("If", $"({second})"));
        await site.ExpectAsync(204, "UNLOCK", $"/c={uuid}/f", null, null, ("Lock-Token", second));
        await site.PutAsync($"/c={uuid}/f", "y", 423);
        await site.ExpectAsync(204, "UNLOCK", $"/c={uuid}/f", null, null, ("Lock-Token", first));
        await site.PutAsync($"/c={uuid}/f", "y", 204);
    }

    [Fact]
    public async Task Lock_on_a_free_name_makes_an_empty_file_that_stays_after_unlock()
    {
        var uuid = await site.CreateCollectionAsync();
        var answer = await site.ExpectAsync(201, "LOCK", $"/c={uuid}/new", Exclusive);
        Assert.Equal("", await site.GetTextAsync($"/c={uuid}/new"));
        await site.ExpectAsync(423, "DELETE", $"/c={uuid}/new");
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/new", [1], null, ("If", $"({answer.Headers["Lock-Token"]})"));
        await site.ExpectAsync(204, "UNLOCK", $"/c={uuid}/new", null, null, ("Lock-Token", answer.Headers["Lock-Token"]));
        Assert.Equal("\u0001", await site.GetTextAsync($"/c={uuid}/new"));
        await site.ExpectAsync(409, "LOCK", $"/c={uuid}/none/new", Exclusive);
        await site.ExpectAsync(405, "LOCK", "/home/free", Exclusive);
    }

    [Theory]
    [InlineData("(LOCK)", 204)]
    [InlineData("(LOCK [ETAG])", 204)]
    [InlineData("(LOCK [\"other\"])", 412)]
    [InlineData("(LOCK [\"other\"]) (LOCK [ETAG])", 204)]
    [InlineData("(<opaquelocktoken:none>) (LOCK)", 204)]
    [InlineData("(<opaquelocktoken:none>)", 412)]
    [InlineData("(Not <opaquelocktoken:none> LOCK)", 204)]
    [InlineData("(Not LOCK) (LOCK)", 204)]
    [InlineData("(Not LOCK)", 412)]
    [InlineData("(Not <DAV:no-lock>)", 423)]
    [InlineData("(<DAV:no-lock>) (LOCK)", 204)]
    [InlineData("([ETAG])", 423)]
    [InlineData("(Not[\"other\"]LOCK)", 204)]
    [InlineData("</c=UUID/f> (LOCK)", 204)]
    [InlineData("</c=UUID/other> (Not LOCK) </c=UUID/f> (LOCK)", 204)]
    [InlineData("</c=UUID/other> (LOCK)", 412)]
    [InlineData("<ROOT/c=UUID/f> ([ETAG] LOCK)", 204)]
    [InlineData("<http://elsewhere.example/c=UUID/f> (LOCK)", 412)]
    [InlineData("()", 400)]
    [InlineData("(", 400)]
    [InlineData("LOCK", 400)]
    [InlineData("(LOCK", 400)]
    [InlineData("([ETAG)", 400)]
    [InlineData("(Not)", 400)]
    public async Task If_header_decides(string header, int status)
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        await site.PutAsync($"/c={uuid}/other", "z");
        var tag = (await site.ExpectAsync(200, "HEAD", $"/c={uuid}/f")).Headers["ETag"];
        var token = await LockAsync($"/c={uuid}/f");
        var value = header.Replace("LOCK", token, StringComparison.Ordinal).Replace("ETAG", tag, StringComparison.Ordinal)
            .Replace("UUID", uuid, StringComparison.Ordinal).Replace("ROOT", site.Address.AbsoluteUri.TrimEnd('/'), StringComparison.Ordinal);
        await site.ExpectAsync(status, "PUT", $"/c={uuid}/f", [1], null, ("If", value));
    }

    [Fact]
    public async Task Refresh_needs_the_right_token_and_keeps_the_lock()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var token = await LockAsync($"/c={uuid}/f");
        var refreshed = await site.ExpectAsync(200, "LOCK", $"/c={uuid}/f", null, null, ("If", $"({token})"), ("Timeout", "Infinite, Second-4100000000"));
        Assert.Contains("<D:timeout>Second-3600</D:timeout>", refreshed.Text, StringComparison.Ordinal);
        Assert.Contains("mailto:me@x", refreshed.Text, StringComparison.Ordinal);
        await site.ExpectAsync(412, "LOCK", $"/c={uuid}/f", null, null, ("If", "(<opaquelocktoken:none>)"));
        await site.ExpectAsync(412, "LOCK", $"/c={uuid}/f");
    }

    [Fact]
    public async Task Unlock_needs_a_token_of_the_resource()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        await site.PutAsync($"/c={uuid}/g", "x");
        var token = await LockAsync($"/c={uuid}/f");
        await site.ExpectAsync(400, "UNLOCK", $"/c={uuid}/f");
        await site.ExpectAsync(400, "UNLOCK", $"/c={uuid}/f", null, null, ("Lock-Token", "opaquelocktoken:x"));
        var refused = await site.ExpectAsync(409, "UNLOCK", $"/c={uuid}/g", null, null, ("Lock-Token", token));
        Assert.Contains("lock-token-matches-request-uri", refused.Text, StringComparison.Ordinal);
        await site.ExpectAsync(204, "UNLOCK", $"/c={uuid}/f", null, null, ("Lock-Token", token));
    }

    [Fact]
    public async Task Token_of_another_user_opens_nothing()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var other = await site.OtherCatalog.GetCurrentUserAsync(default);
        await site.PostAsync(site.Token, "links", $$$"""{"link":{"link_class":"permission","name":"can_write","tail_uuid":"{{{other.Uuid}}}","head_uuid":"{{{uuid}}}"}}""");
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [1], site.OtherToken);
        var token = await LockAsync($"/c={uuid}/f");
        await site.ExpectAsync(423, "PUT", $"/c={uuid}/f", [1], site.OtherToken, ("If", $"({token})"));
        await site.ExpectAsync(412, "LOCK", $"/c={uuid}/f", null, site.OtherToken, ("If", $"({token})"));
        await site.ExpectAsync(403, "UNLOCK", $"/c={uuid}/f", null, site.OtherToken, ("Lock-Token", token));
        await site.ExpectAsync(204, "UNLOCK", $"/c={uuid}/f", null, null, ("Lock-Token", token));
    }

    [Fact]
    public async Task Discovery_shows_the_lock_wherever_the_resource_is_listed_and_never_the_token_of_a_shared_link()
    {
        var uuid = await site.CreateCollectionAsync("locked as a whole");
        await site.PutAsync($"/c={uuid}/f", "x");
        var link = $"/c={uuid}/t={Uri.EscapeDataString(site.Token)}/";
        await LockAsync(link, depth: "infinity", apiToken: "");
        Assert.Equal([$"/c={uuid}/", $"/c={uuid}/"], await RootsAsync($"/c={uuid}/", "1"));
        Assert.Equal([$"/by_id/{uuid}/"], await RootsAsync($"/by_id/{uuid}/f", "0"));
        Assert.Equal(["/home/locked%20as%20a%20whole/"], await RootsAsync("/home/locked%20as%20a%20whole/", "0"));
        Assert.Equal([$"/by_id/{uuid}/"], await RootsAsync("/home/", "1"));
        Assert.DoesNotContain(site.Token[^20..], (await site.ExpectAsync(207, "PROPFIND", $"/c={uuid}/", headers: ("Depth", "1"))).Text, StringComparison.Ordinal);
        await site.ExpectAsync(423, "DELETE", "/home/locked%20as%20a%20whole");
        await site.ExpectAsync(423, "MOVE", "/home/locked%20as%20a%20whole", null, null, ("Destination", "/home/elsewhere"));

        async Task<string[]> RootsAsync(string path, string depth) =>
        [
            .. XElement.Parse((await site.ExpectAsync(207, "PROPFIND", path, headers: ("Depth", depth))).Text)
                .Descendants(Dav + "lockroot").Select(root => root.Element(Dav + "href")!.Value),
        ];
    }

    [Fact]
    public async Task Moved_file_leaves_its_lock_behind_and_a_moved_collection_too()
    {
        var uuid = await site.CreateCollectionAsync("to be moved");
        await site.PutAsync($"/c={uuid}/f", "x");
        var token = await LockAsync($"/c={uuid}/f");
        await site.ExpectAsync(201, "MOVE", $"/c={uuid}/f", null, null, ("Destination", $"/c={uuid}/g"), ("If", $"({token})"));
        await site.PutAsync($"/c={uuid}/g", "y", 204);
        await site.PutAsync($"/c={uuid}/f", "y", 201);
        token = await LockAsync("/home/to%20be%20moved/f");
        await site.ExpectAsync(201, "MOVE", "/home/to%20be%20moved", null, null, ("Destination", "/home/was%20moved"), ("If", $"</home/to%20be%20moved/f> ({token})"));
        await site.PutAsync("/home/was%20moved/f", "z", 204);
    }

    [Fact]
    public async Task Server_keeps_locks_itself_where_the_catalogue_keeps_none()
    {
        using var plain = new PlainCatalog();
        await using var web = await site.StartWebAsync(options => options with { Outgoing = plain });
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        Assert.Equal(200, await SendAsync(web, "LOCK", $"/c={uuid}/f"));
        Assert.Equal(423, await SendAsync(web, "PUT", $"/c={uuid}/f"));
        Assert.Equal(423, await SendAsync(web, "DELETE", $"/c={uuid}/"));
        using var answer = await site.Http.SendAsync(Request(web, "PROPPATCH", $"/c={uuid}/f", "<propertyupdate xmlns=\"DAV:\"><set><prop><x xmlns=\"u:\">1</x></prop></set></propertyupdate>"));
        Assert.Equal(HttpStatusCode.Locked, answer.StatusCode);
        using var listing = await site.Http.SendAsync(Request(web, "PROPFIND", $"/c={uuid}/", ""));
        Assert.Contains("activelock", await listing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var unset = await site.Http.SendAsync(Request(web, "PROPPATCH", $"/c={uuid}/", "<propertyupdate xmlns=\"DAV:\"><set><prop><x xmlns=\"u:\">1</x></prop></set></propertyupdate>"));
        Assert.Contains("403 Forbidden", await unset.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, plain.OurRequests);
    }

    [Fact]
    public async Task Writing_where_nothing_is_locked_asks_the_catalogue_nothing_more()
    {
        using var counting = new CountingCatalog();
        await using var web = await site.StartWebAsync(options => options with { Outgoing = counting });
        var uuid = await site.CreateCollectionAsync();
        Assert.Equal(201, await SendAsync(web, "PUT", $"/c={uuid}/f"));
        counting.Requests.Clear();
        Assert.Equal(204, await SendAsync(web, "PUT", $"/c={uuid}/f"));
        Assert.Contains(counting.Requests, entry => entry.StartsWith("PUT ", StringComparison.Ordinal) && entry.Contains(uuid, StringComparison.Ordinal));
        Assert.DoesNotContain(counting.Requests, entry => entry.Contains("/keepfs/", StringComparison.Ordinal));
        var token = await LockAsync($"/c={uuid}/f");
        counting.Requests.Clear();
        Assert.Equal(204, await SendAsync(web, "PUT", $"/c={uuid}/f", ("If", $"({token})")));
        Assert.InRange(counting.Requests.Count(entry => entry.Contains("/keepfs/", StringComparison.Ordinal)), 1, 2);
    }

    private async Task<string> LockAsync(string path, byte[]? body = null, string depth = "0", string? apiToken = null) =>
        (await site.ExpectAsync(200, "LOCK", path, body ?? Exclusive, apiToken, ("Depth", depth), ("Timeout", "Second-600"))).Headers["Lock-Token"];

    private async Task<int> SendAsync(KeepWebServer web, string method, string path, params (string, string)[] headers)
    {
        using var request = Request(web, method, path, method == "LOCK" ? Encoding.UTF8.GetString(Exclusive) : "", headers);
        using var response = await site.Http.SendAsync(request);
        return (int)response.StatusCode;
    }

    private HttpRequestMessage Request(KeepWebServer web, string method, string path, string body, params (string, string)[] headers)
    {
        var request = site.Request(method, path, Encoding.UTF8.GetBytes(body), headers: headers);
        request.RequestUri = new Uri(web.Addresses.Single().TrimEnd('/') + path);
        return request;
    }

    /// <summary>A body whose last byte waits for a sign.</summary>
    private sealed class GatedContent(int length) : HttpContent
    {
        public TaskCompletionSource AlmostSent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // More than sockets and pipes hold: when it is gone the server is reading, which it does after it looked for locks.
            var piece = new byte[1 << 20];
            for (var sent = 0; sent < length; sent += piece.Length)
            {
                await stream.WriteAsync(piece);
            }

            await stream.FlushAsync();
            AlmostSent.SetResult();
            await Gate.Task;
            await stream.WriteAsync(new byte[1]);
        }

        protected override bool TryComputeLength(out long size)
        {
            size = length + 1;
            return true;
        }
    }

    /// <summary>Writes down what is asked of the catalogue and the keepstores.</summary>
    private sealed class CountingCatalog() : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
    {
        public ConcurrentQueue<string> Requests { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Enqueue($"{request.Method} {request.RequestUri}");
            return base.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>Makes the catalogue look like one that does not know our extensions.</summary>
    private sealed class PlainCatalog() : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
    {
        public int OurRequests { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var uri = request.RequestUri!.AbsoluteUri;
            if (uri.Contains("/keepfs/", StringComparison.Ordinal) && !uri.Contains("owner_uuid", StringComparison.Ordinal))
            {
                OurRequests++;
                return Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound));
            }

            request.RequestUri = new Uri(uri.Replace("keepfs_dav=true", "", StringComparison.Ordinal));
            return base.SendAsync(request, cancellationToken);
        }
    }
}
