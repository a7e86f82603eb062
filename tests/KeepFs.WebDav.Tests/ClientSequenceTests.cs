using System.Text;
using System.Xml.Linq;

namespace KeepFs.WebDav.Tests;

/// <summary>
/// What desktop programs send when people work with a mapped folder, request by request with their headers, as these programs are known to do it: none of
/// them runs here. davfs2, cadaver, rclone and curl do, see ClientTests and KeepFs.Conformance.Tests.
/// </summary>
public sealed class ClientSequenceTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly XNamespace Dav = "DAV:";

    [Fact]
    public async Task Finder_mounts_copies_a_file_in_renames_it_and_deletes_it()
    {
        var root = $"/c={await site.CreateCollectionAsync()}/";
        var client = new Client(site, ("User-Agent", "WebDAVFS/3.0.0 (03008000) Darwin/23.4.0 (x86_64)"), ("Accept", "*/*"));
        var options = await client.SendAsync(200, "OPTIONS", root);
        Assert.Contains("2", options.Headers["DAV"].Split(", "));
        await client.SendAsync(207, "PROPFIND", root, Prop("<D:getlastmodified/><D:getcontentlength/><D:creationdate/><D:resourcetype/>"), ("Depth", "0"), ("Content-Type", "text/xml"));
        var quota = await client.SendAsync(207, "PROPFIND", root, Prop("<D:quota-available-bytes/><D:quota-used-bytes/><D:quota/><D:quotaused/>"), ("Depth", "0"));
        Assert.True(long.Parse(XElement.Parse(quota.Text).Descendants(Dav + "quota-available-bytes").Single().Value, null) > 1L << 40);
        foreach (var probe in new[] { "._.", ".DS_Store", ".hidden", "Contents", ".Spotlight-V100", ".metadata_never_index" })
        {
            await client.SendAsync(404, "PROPFIND", root + probe, Prop("<D:getlastmodified/><D:resourcetype/>"), ("Depth", "0"));
        }

        // A copy: the name is made with no content, locked, then filled in chunks of which only another header tells the length.
        foreach (var name in new[] { "caf%C3%A9.txt", "._caf%C3%A9.txt", ".DS_Store" })
        {
            await client.SendAsync(201, "PUT", root + name, []);
            var locked = await client.SendAsync(200, "LOCK", root + name, LockInfo("http://www.apple.com/webdav_fs/"), ("Depth", "0"), ("Timeout", "Second-600"));
            await client.SendChunkedAsync(204, "PUT", root + name, "hello from finder", ("X-Expected-Entity-Length", "17"), ("If", $"({locked.Headers["Lock-Token"]})"));
            await client.SendAsync(204, "UNLOCK", root + name, null, ("Lock-Token", locked.Headers["Lock-Token"]));
        }

        Assert.Equal("hello from finder", await site.GetTextAsync(root + "caf%C3%A9.txt"));
        var listed = await client.SendAsync(
            207, "PROPFIND", root, Prop("<D:getlastmodified/><D:getcontentlength/><D:creationdate/><D:resourcetype/><A:appledoubleheader xmlns:A=\"http://www.apple.com/webdav_fs/props/\"/>"), ("Depth", "1"));
        Assert.Equal(4, XElement.Parse(listed.Text).Elements(Dav + "response").Count());
        await client.SendAsync(201, "MOVE", root + "caf%C3%A9.txt", null, ("Destination", site.Address.AbsoluteUri.TrimEnd('/') + root + "renamed"), ("Overwrite", "F"));
        await client.SendAsync(201, "MKCOL", root + "untitled%20folder/");
        await client.SendAsync(201, "MOVE", root + "untitled%20folder/", null, ("Destination", site.Address.AbsoluteUri.TrimEnd('/') + root + "named/"), ("Overwrite", "F"));
        await client.SendAsync(204, "DELETE", root + "renamed");
        await client.SendAsync(204, "DELETE", root + "named/");
    }

    [Fact]
    public async Task Windows_maps_a_drive_copies_a_file_in_and_renames_it()
    {
        var uuid = await site.CreateCollectionAsync();
        var root = $"/c={uuid}";
        var client = new Client(site, ("User-Agent", "Microsoft-WebDAV-MiniRedir/10.0.19045"), ("translate", "f"), ("Connection", "Keep-Alive"));
        var anonymous = new Client(site, ("User-Agent", "Microsoft-WebDAV-MiniRedir/10.0.19045"), ("translate", "f")) { Token = "" };
        foreach (var target in new[] { "/", root })
        {
            var options = await anonymous.SendAsync(200, "OPTIONS", target);
            Assert.Equal("DAV", options.Headers["MS-Author-Via"]);
            Assert.StartsWith("1,", options.Headers["DAV"], StringComparison.Ordinal);
        }

        await anonymous.SendAsync(401, "PROPFIND", root, [], ("Depth", "0"));
        await client.SendAsync(207, "PROPFIND", root, [], ("Depth", "0"));
        await client.SendAsync(207, "PROPFIND", root + "/", [], ("Depth", "1"));
        foreach (var probe in new[] { "/desktop.ini", "/AutoRun.inf", "/new.docx" })
        {
            await client.SendAsync(404, "PROPFIND", root + probe, [], ("Depth", "0"));
        }

        await client.SendAsync(201, "PUT", root + "/new.docx", []);
        var locked = await client.SendAsync(200, "LOCK", root + "/new.docx", LockInfo("PC\\user"), ("Timeout", "Second-3600"));
        var token = locked.Headers["Lock-Token"];
        var times = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:propertyupdate xmlns:D=\"DAV:\" xmlns:Z=\"urn:schemas-microsoft-com:\"><D:set><D:prop>"
            + "<Z:Win32CreationTime>Mon, 02 Jan 2006 15:04:05 GMT</Z:Win32CreationTime><Z:Win32LastAccessTime>Tue, 03 Jan 2006 15:04:05 GMT</Z:Win32LastAccessTime>"
            + "<Z:Win32LastModifiedTime>Wed, 04 Jan 2006 15:04:05 GMT</Z:Win32LastModifiedTime><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>";
        await client.SendAsync(207, "PROPPATCH", root + "/new.docx", Encoding.UTF8.GetBytes(times), ("If", $"({token})"));
        await client.SendAsync(200, "HEAD", root + "/new.docx");
        await client.SendAsync(204, "PUT", root + "/new.docx", "the document"u8.ToArray(), ("If", $"({token})"));
        await client.SendAsync(207, "PROPPATCH", root + "/new.docx", Encoding.UTF8.GetBytes(times), ("If", $"({token})"));
        await client.SendAsync(204, "UNLOCK", root + "/new.docx", null, ("Lock-Token", token));
        var found = XElement.Parse((await client.SendAsync(207, "PROPFIND", root + "/", [], ("Depth", "1"))).Text);
        Assert.Equal("Wed, 04 Jan 2006 15:04:05 GMT", found.Descendants(XName.Get("Win32LastModifiedTime", "urn:schemas-microsoft-com:")).Single().Value);
        Assert.Equal("00000020", found.Descendants(XName.Get("Win32FileAttributes", "urn:schemas-microsoft-com:")).Single().Value);
        await client.SendAsync(201, "MOVE", root + "/new.docx", null, ("Destination", $"{site.Address}c={uuid}/re%20named.docx"), ("Overwrite", "F"));
        await client.SendAsync(201, "MKCOL", root + "/New%20folder");
        await client.SendAsync(207, "PROPPATCH", root + "/New%20folder", Encoding.UTF8.GetBytes(times));
        Assert.Equal("the document", await site.GetTextAsync(root + "/re%20named.docx"));
        await client.SendAsync(204, "DELETE", root + "/New%20folder");
    }

    [Fact]
    public async Task Web_folders_ask_for_members_alone()
    {
        var root = $"/c={await site.CreateCollectionAsync()}/";
        await site.PutAsync(root + "f", "x");
        var client = new Client(site, ("User-Agent", "Microsoft Data Access Internet Publishing Provider DAV 1.1"), ("Translate", "f"), ("Brief", "t"));
        var members = await client.SendAsync(207, "PROPFIND", root, Prop("<D:name/><D:getetag/>"), ("Depth", "1,noroot"));
        Assert.Equal(root + "f", XElement.Parse(members.Text).Descendants(Dav + "href").Single().Value);
        Assert.DoesNotContain("404", members.Text, StringComparison.Ordinal);
        await client.SendAsync(400, "PROPFIND", root, null, ("Depth", "1,other"));
    }

    [Fact]
    public async Task Office_opens_edits_keeps_its_lock_alive_saves_and_closes()
    {
        var root = $"/c={await site.CreateCollectionAsync()}/";
        await site.PutAsync(root + "report.docx", "first");
        var client = new Client(site, ("User-Agent", "Microsoft Office Word 2014 (16.0.17126) Windows NT 10.0"), ("X-Office-Major-Version", "16"), ("Translate", "f"));
        await client.SendAsync(200, "OPTIONS", root);
        await client.SendAsync(200, "HEAD", root + "report.docx", null, ("X-IDCRL_ACCEPTED", "t"));
        var locked = await client.SendAsync(200, "LOCK", root + "report.docx", LockInfo("user"), ("Depth", "0"), ("Timeout", "Second-3600"));
        var token = locked.Headers["Lock-Token"];
        var opened = await client.SendAsync(200, "GET", root + "report.docx");
        Assert.Equal("first", opened.Text);
        await client.SendAsync(200, "LOCK", root + "report.docx", null, ("If", $"({token})"), ("Timeout", "Second-3600"));
        await client.SendAsync(423, "PUT", root + "report.docx", "of somebody else"u8.ToArray());
        await client.SendAsync(204, "PUT", root + "report.docx", "second"u8.ToArray(), ("If", $"({token})"), ("Expect", "100-continue"));
        var saved = await client.SendAsync(200, "HEAD", root + "report.docx");
        Assert.NotEqual(opened.Headers["ETag"], saved.Headers["ETag"]);

        // LibreOffice does the same with a file beside, moved onto the locked one.
        await client.SendAsync(201, "PUT", root + "lu1234.tmp", "third"u8.ToArray());
        await client.SendAsync(204, "MOVE", root + "lu1234.tmp", null, ("Destination", site.Address.AbsoluteUri.TrimEnd('/') + root + "report.docx"), ("Overwrite", "T"), ("If", $"<{root}report.docx> ({token})"));
        await client.SendAsync(204, "UNLOCK", root + "report.docx", null, ("Lock-Token", token));
        Assert.Equal("third", await site.GetTextAsync(root + "report.docx"));
    }

    [Fact]
    public async Task Gnome_lists_uploads_replaces_by_etag_and_moves_without_overwriting()
    {
        var root = $"/c={await site.CreateCollectionAsync()}/";
        var client = new Client(site, ("User-Agent", "gvfs/1.50.3"), ("Accept-Language", "de-de, de;q=0.9"), ("Accept-Encoding", "gzip, deflate, br"));
        await client.SendAsync(200, "OPTIONS", root);
        var asked = Prop("<D:creationdate/><D:displayname/><D:getcontentlength/><D:getcontenttype/><D:getetag/><D:getlastmodified/><D:resourcetype/>");
        await client.SendAsync(207, "PROPFIND", root, asked, ("Depth", "0"), ("Apply-To-Redirect-Ref", "T"));
        await client.SendAsync(207, "PROPFIND", root, Prop("<D:quota-available-bytes/><D:quota-used-bytes/>"), ("Depth", "0"));
        await client.SendAsync(404, "PROPFIND", root + "note.txt", asked, ("Depth", "0"));
        var put = await client.SendAsync(201, "PUT", root + "note.txt", "one"u8.ToArray(), ("If-None-Match", "*"));
        await client.SendAsync(412, "PUT", root + "note.txt", "none"u8.ToArray(), ("If-None-Match", "*"));
        await client.SendChunkedAsync(204, "PUT", root + "note.txt", "two", ("If-Match", put.Headers["ETag"]));
        await client.SendAsync(412, "PUT", root + "note.txt", "lost"u8.ToArray(), ("If-Match", put.Headers["ETag"]));
        await client.SendAsync(201, "MKCOL", root + "Neuer%20Ordner");
        await client.SendAsync(201, "COPY", root + "note.txt", null, ("Destination", site.Address.AbsoluteUri.TrimEnd('/') + root + "Neuer%20Ordner/note.txt"), ("Overwrite", "F"));
        await client.SendAsync(412, "MOVE", root + "note.txt", null, ("Destination", site.Address.AbsoluteUri.TrimEnd('/') + root + "Neuer%20Ordner/note.txt"), ("Overwrite", "F"));
        await client.SendAsync(207, "PROPFIND", root + "Neuer%20Ordner", asked, ("Depth", "1"));
        await client.SendAsync(204, "DELETE", root + "Neuer%20Ordner");
        Assert.Equal("two", await site.GetTextAsync(root + "note.txt"));
    }

    [Fact]
    public async Task Kde_lists_uploads_and_renames()
    {
        var root = $"/c={await site.CreateCollectionAsync()}/";
        var client = new Client(site, ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) KIO/5.103 kioworker/5.103.0"), ("Accept-Charset", "utf-8, *;q=0.5"), ("Pragma", "no-cache"), ("Cache-control", "no-cache"));
        var asked = Prop("<D:creationdate/><D:getcontentlength/><D:displayname/><D:source/><D:getcontentlanguage/><D:getcontenttype/><D:getlastmodified/><D:getetag/><D:supportedlock/><D:lockdiscovery/><D:resourcetype/>");
        await client.SendAsync(207, "PROPFIND", root, asked, ("Depth", "0"), ("Content-Type", "text/xml; charset=utf-8"));
        await client.SendAsync(404, "PROPFIND", root + "datei%20%28neu%29.txt", asked, ("Depth", "0"));
        await client.SendAsync(201, "PUT", root + "datei%20%28neu%29.txt", "kde"u8.ToArray(), ("Overwrite", "F"));
        await client.SendAsync(201, "MOVE", root + "datei%20%28neu%29.txt", null, ("Destination", site.Address.AbsoluteUri.TrimEnd('/') + root + "datei.txt"), ("Overwrite", "F"), ("Depth", "infinity"));
        var listed = XElement.Parse((await client.SendAsync(207, "PROPFIND", root, asked, ("Depth", "1"))).Text);
        Assert.Equal([root, root + "datei.txt"], listed.Descendants(Dav + "href").Select(href => href.Value));
        await client.SendAsync(204, "DELETE", root + "datei.txt");
    }

    [Fact]
    public async Task Cyberduck_lists_uploads_keeps_times_and_deletes()
    {
        var root = $"/c={await site.CreateCollectionAsync()}/";
        var client = new Client(site, ("User-Agent", "Cyberduck/8.7.3.40955 (Windows 10/10.0) (amd64)"));
        await client.SendAsync(207, "PROPFIND", root, Encoding.UTF8.GetBytes("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><D:propfind xmlns:D=\"DAV:\"><D:allprop/></D:propfind>"), ("Depth", "1"));
        await client.SendAsync(404, "HEAD", root + "up.bin");
        await client.SendAsync(201, "PUT", root + "up.bin", new byte[100_000], ("Expect", "100-continue"), ("Content-Type", "application/octet-stream"));
        var stamp = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><D:propertyupdate xmlns:D=\"DAV:\"><D:set><D:prop>"
            + "<s:lastmodified xmlns:s=\"SAR:\">2024-01-01T00:00:00Z</s:lastmodified></D:prop></D:set></D:propertyupdate>";
        Assert.Contains("200 OK", (await client.SendAsync(207, "PROPPATCH", root + "up.bin", Encoding.UTF8.GetBytes(stamp))).Text, StringComparison.Ordinal);
        var found = await client.SendAsync(207, "PROPFIND", root + "up.bin", Encoding.UTF8.GetBytes("<D:propfind xmlns:D=\"DAV:\"><D:allprop/></D:propfind>"), ("Depth", "0"));
        Assert.Equal("2024-01-01T00:00:00Z", XElement.Parse(found.Text).Descendants(XName.Get("lastmodified", "SAR:")).Single().Value);
        await client.SendAsync(206, "GET", root + "up.bin", null, ("Range", "bytes=99990-"));
        await client.SendAsync(204, "DELETE", root + "up.bin");
    }

    [Fact]
    public async Task Percent_encoding_names_one_resource_however_it_is_written()
    {
        var root = $"/c={await site.CreateCollectionAsync()}/";
        await site.PutAsync(root + "%c3%a4%20b%2bc%7e(1)!.txt", "x");
        foreach (var path in new[] { "%C3%A4%20b+c~(1)!.txt", "%C3%A4%20b%2Bc~%281%29%21.txt", "%c3%A4%20b%2bc%7E%281)!%2etxt" })
        {
            Assert.Equal("x", await site.GetTextAsync(root + path));
        }

        Assert.Equal([$"{root}%C3%A4%20b%2Bc~%281%29%21.txt"], XElement.Parse((await site.ExpectAsync(207, "PROPFIND", root, headers: ("Depth", "1"))).Text)
            .Descendants(Dav + "href").Skip(1).Select(href => href.Value));
    }

    [Fact]
    public async Task Options_of_the_server_and_of_its_root_need_no_token()
    {
        foreach (var target in new[] { "*", "/", "/home/", "/c=none/x" })
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(site.Address.Host, site.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"OPTIONS {target} HTTP/1.1\r\nHost: {site.Address.Authority}\r\nConnection: close\r\n\r\n"));
            using var reader = new StreamReader(client.GetStream());
            var answer = await reader.ReadToEndAsync();
            Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
            Assert.Contains("DAV: 1, 2, 3\r\n", answer, StringComparison.Ordinal);
            Assert.Contains("LOCK", answer, StringComparison.Ordinal);
        }
    }

    private static byte[] Prop(string names) =>
        Encoding.UTF8.GetBytes($"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:propfind xmlns:D=\"DAV:\">\n<D:prop>\n{names}\n</D:prop>\n</D:propfind>\n");

    private static byte[] LockInfo(string owner) => Encoding.UTF8.GetBytes(
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:lockinfo xmlns:D=\"DAV:\"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>"
        + $"<D:owner><D:href>{owner}</D:href></D:owner></D:lockinfo>");

    /// <summary>Sends the same headers with each request.</summary>
    private sealed class Client(TestSite site, params (string, string)[] always)
    {
        public string? Token { get; init; }

        public Task<TestAnswer> SendAsync(int status, string method, string path, byte[]? body = null, params (string, string)[] headers) =>
            site.ExpectAsync(status, method, path, body, Token, [.. always, .. headers]);

        public async Task SendChunkedAsync(int status, string method, string path, string text, params (string, string)[] headers)
        {
            using var request = site.Request(method, path, null, Token, [.. always, .. headers]);
            request.Content = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(text)));
            request.Content.Headers.ContentLength = null;
            request.Headers.TransferEncodingChunked = true;
            using var response = await site.Http.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }
}
