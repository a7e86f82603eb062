using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Xml.Linq;
using KeepFs.Engine.FileSystems;
using KeepFs.Testing;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Tests;

/// <summary>Whatever a client sends is answered or refused: no crash, no 500, and nothing outside the collection that was named changes.</summary>
public sealed class FuzzTests(TestSite site) : IClassFixture<TestSite>
{
    private const string Lock = "<D:lockinfo xmlns:D=\"DAV:\"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>";
    private const string Find = "<?xml version=\"1.0\"?><propfind xmlns=\"DAV:\"><prop><getetag/><lockdiscovery/><p xmlns=\"urn:x\"/></prop></propfind>";
    private const string Patch = "<propertyupdate xmlns=\"DAV:\"><set><prop><p xmlns=\"urn:x\">v<b a=\"1\"/></p></prop></set><remove><prop><q xmlns=\"urn:x\"/></prop></remove></propertyupdate>";

    [Fact]
    public void Paths_stay_what_they_name_or_are_refused()
    {
        var mutator = new ByteMutator(
            11, "/c=zzzzz-4zz18-000000000000000/t=v2%2Fa%2Fb/dir/file%20name.txt", "/by_id/acbd18db4cc2f85cedef654fccc4a4d8-3/%C3%A4/%F0%9F%98%80", "/home/a/../b/./c//d/",
            "/collections/download/zzzzz-4zz18-000000000000000/token/%2e%2e/x", "http://host:80/users/me/x%2Fy?query#f", "/c=x/_/t=y/%00/%0d%0a");
        var taken = 0;
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            var text = mutator.NextText();
            try
            {
                var path = RequestPath.Parse(text);
                var rest = SitePath.Of(path).Rest;
                Assert.All(rest, name => Assert.True(
                    name is not ("" or "." or "..") && !name.Contains('/', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(name) <= 255));
                Assert.Equal(path.Names, RequestPath.Parse(Href.Of(path.Names, path.HasTrailingSlash)).Names);
                taken++;
            }
            catch (WebException e)
            {
                Assert.Equal(400, e.Status);
            }
            catch (FsException e)
            {
                Assert.InRange(StatusMap.Of(e)!.Value.Status, 400, 499);
            }
        }

        Assert.InRange(taken, ByteMutator.Count / 20, ByteMutator.Count);
    }

    [Fact]
    public void Headers_are_understood_or_refused()
    {
        var mutator = new ByteMutator(
            12, "(<opaquelocktoken:a> [\"tag\"]) (Not <DAV:no-lock>)", "</c=x/y> (<urn:a>) <http://h/z> ([W/\"b\"] Not [\"c\"])", "bytes=0-1,5-,-3", "bytes=0-0", "infinity", "1,noroot",
            "Infinite, Second-4100000000", "\"a\", W/\"b\" , *");
        var taken = 0;
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            var context = new DefaultHttpContext();
            var text = mutator.NextText();
            context.Request.Headers["If"] = text;
            context.Request.Headers["Depth"] = text;
            EntityTag.ListMatches(text, "\"a\"", weak: true);
            Assert.All(ByteRanges.Parse(text, 1000) ?? [], range => Assert.True(range.Offset >= 0 && range.Length > 0 && range.Offset + range.Length <= 1000));
            taken += IsTaken(() => _ = IfHeader.Parse(context.Request)) ? 1 : 0;
            taken += IsTaken(() => _ = (DepthHeader.Of(context.Request), DepthHeader.LeavesOutRoot(context.Request))) ? 1 : 0;
        }

        Assert.InRange(taken, ByteMutator.Count / 20, ByteMutator.Count * 2);
    }

    [Fact]
    public async Task Xml_is_understood_or_refused_and_what_is_kept_stands_by_itself()
    {
        var mutator = new ByteMutator(13, Lock, Find, Patch, "<a xmlns:x=\"urn:1\" xml:lang=\"en\"><x:b>&#13;&amp;<![CDATA[<]]></x:b><?pi?></a>");
        var taken = 0;
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            var context = new DefaultHttpContext { Request = { Body = new MemoryStream(mutator.Next()) } };
            try
            {
                if (await XmlBody.ReadAsync(context.Request, default) is not { } body)
                {
                    continue;
                }

                foreach (var element in body.DescendantsAndSelf())
                {
                    var kept = XElement.Parse($"<D:multistatus xmlns:D=\"DAV:\">{StandaloneXml.Of(element)}</D:multistatus>", LoadOptions.PreserveWhitespace).Elements().Single();
                    Assert.Equal((element.Name, element.Value), (kept.Name, kept.Value));
                }

                _ = PropfindWish.Of(body);
                taken++;
            }
            catch (WebException e)
            {
                Assert.Equal(400, e.Status);
            }
        }

        Assert.InRange(taken, ByteMutator.Count / 100, ByteMutator.Count);
    }

    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY x \"1234567890\"><!ENTITY y \"&x;&x;&x;&x;&x;&x;&x;&x;&x;&x;\"><!ENTITY z \"&y;&y;&y;&y;&y;&y;\">]><propfind xmlns=\"DAV:\"><prop>&z;</prop></propfind>", 400)]
    [InlineData("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><propfind xmlns=\"DAV:\"><allprop/></propfind>", 400)]
    [InlineData("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><propfind xmlns=\"DAV:\"><prop>&x;</prop></propfind>", 400)]
    [InlineData("<propfind xmlns=\"DAV:\"><prop><NAME/></prop></propfind>", 413)]
    [InlineData("<propfind xmlns=\"DAV:\"><prop><a xmlns=\"NAME\"/></prop></propfind>", 413)]
    [InlineData("DEEP", 400)]
    public async Task Hostile_xml_is_refused(string body, int status)
    {
        var uuid = await site.CreateCollectionAsync();
        var text = body == "DEEP" ? string.Concat(Enumerable.Repeat("<a>", 60_000)) : body.Replace("NAME", new string('n', 10 << 20), StringComparison.Ordinal);
        foreach (var method in new[] { "PROPFIND", "PROPPATCH", "LOCK" })
        {
            await site.ExpectAsync(status, method, $"/c={uuid}/", Encoding.UTF8.GetBytes(text));
        }
    }

    [Fact]
    public async Task Mutated_requests_never_fail_the_server_nor_touch_another_collection()
    {
        var other = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={other}/kept", "kept");
        var before = await HashAsync();
        string[] methods = ["GET", "HEAD", "PUT", "MKCOL", "DELETE", "COPY", "MOVE", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "OPTIONS"];
        var statuses = new SortedDictionary<int, int>();
        for (var round = 0; round < ByteMutator.Count / 2000; round++)
        {
            // Anew each time: a mutated DELETE may well take the whole collection.
            var mine = await site.CreateCollectionAsync();
            await site.ExpectAsync(201, "MKCOL", $"/c={mine}/d");
            await site.PutAsync($"/c={mine}/d/f", "x");
            string[] goodPaths = [$"/c={mine}/d/f", $"/c={mine}/g%20h", $"/by_id/{mine}/d/", $"/by_id/{mine}/d/../x", $"/c={mine}/%2e%2e/c={other[..20]}/kept"];
            string[] goodHeaders =
            [
                $"Destination: /c={mine}/x", "If: (<opaquelocktoken:a>) ([\"b\"])", "Depth: infinity", "Timeout: Second-10", "Overwrite: F", "Lock-Token: <opaquelocktoken:a>",
                "Range: bytes=0-3", "If-Match: \"a\"", "Content-Range: bytes 0-1/2", "X-Expected-Entity-Length: 5", "Depth: 0", "Depth: 1", "X-Nothing: 1",
            ];
            string[] goodBodies = [Lock, Find, Patch, "plain", ""];
            var (paths, headers, bodies) = (new ByteMutator(100 + round, goodPaths), new ByteMutator(200 + round, goodHeaders), new ByteMutator(300 + round, goodBodies));
            for (var i = 0; i < 100; i++)
            {
                // One part is wrong, the others are right: what is wrong in every way is refused at the first look.
                var target = i % 3 == 0 ? Visible(paths.NextText()) : paths.Pick(goodPaths);
                var lines = $"{Line(i % 3 == 1 ? headers.NextText() : headers.Pick(goodHeaders))}\r\n{Line(headers.Pick(goodHeaders))}\r\n";
                var body = i % 3 == 2 ? bodies.Next() : Encoding.UTF8.GetBytes(bodies.Pick(goodBodies));
                var request = $"{paths.Pick(methods)} {target} HTTP/1.1\r\nHost: {site.Address.Authority}\r\nAuthorization: Bearer {site.Token}\r\nConnection: close\r\n{lines}Content-Length: {body.Length}\r\n\r\n";
                var status = await StatusOfAsync(Encoding.Latin1.GetBytes(request), body);
                Assert.True(status is >= 200 and < 500 or 502, $"{status} to {request}{Encoding.Latin1.GetString(body)}");
                statuses[status] = statuses.GetValueOrDefault(status) + 1;
            }
        }

        Assert.Equal(before, await HashAsync());
        Assert.Superset(new HashSet<int> { 201, 207, 400 }, statuses.Keys.ToHashSet());

        async Task<string> HashAsync() => (await site.Catalog.FindCollectionAsync(other, ["portable_data_hash"], default))!.PortableDataHash;
    }

    [Fact]
    public async Task Every_method_asks_for_the_rights_of_the_token()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var other = await site.OtherCatalog.GetCurrentUserAsync(default);
        var scoped = await site.CreateScopedTokenAsync();
        (string Method, string Body, (string, string)[] Headers)[] writes =
        [
            ("PUT", "x", []), ("DELETE", "", []), ("PROPPATCH", Patch, []), ("LOCK", Lock, []), ("MOVE", "", [("Destination", $"/c={uuid}/g")]), ("COPY", "", [("Destination", $"/c={uuid}/g")]),
            ("UNLOCK", "", [("Lock-Token", "<opaquelocktoken:a>")]),
        ];
        foreach (var (method, body, headers) in writes.Concat([("GET", "", []), ("HEAD", "", []), ("POST", "", []), ("PROPFIND", "", [])]))
        {
            await site.ExpectAsync(404, method, $"/c={uuid}/f", Encoding.UTF8.GetBytes(body), site.OtherToken, headers);
            await site.ExpectAsync(403, method, $"/c={uuid}/f", Encoding.UTF8.GetBytes(body), scoped, headers);
            await site.ExpectAsync(401, method, $"/c={uuid}/f", Encoding.UTF8.GetBytes(body), "v2/zzzzz-gj3su-000000000000000/wrong", headers);
            await site.ExpectAsync(401, method, $"/c={uuid}/f", Encoding.UTF8.GetBytes(body), "", headers);
        }

        await site.PostAsync(site.Token, "links", $$$"""{"link":{"link_class":"permission","name":"can_read","tail_uuid":"{{{other.Uuid}}}","head_uuid":"{{{uuid}}}"}}""");
        foreach (var (method, body, headers) in writes)
        {
            // Ending a lock that is not there tells a reader no more than that.
            await site.ExpectAsync(method == "UNLOCK" ? 409 : 403, method, $"/c={uuid}/f", Encoding.UTF8.GetBytes(body), site.OtherToken, headers);
        }

        Assert.Equal("x", await site.GetTextAsync($"/c={uuid}/f"));
        await site.ExpectAsync(404, "GET", $"/c={uuid}/g");
    }

    private static bool IsTaken(Action parse)
    {
        try
        {
            parse();
            return true;
        }
        catch (WebException e)
        {
            Assert.Equal(400, e.Status);
            return false;
        }
    }

    /// <summary>What a request line can hold: anything else is Kestrel's to refuse, before us.</summary>
    private static string Visible(string text) => new([.. text.Where(c => c is > ' ' and < '\u007f')]);

    private static string Line(string text)
    {
        var clean = new string([.. text.Where(c => c is >= ' ' and < '\u007f')]);
        var colon = clean.IndexOf(':', StringComparison.Ordinal);
        var name = colon > 0 ? new string([.. clean[..colon].Where(c => char.IsAsciiLetter(c) || c == '-')]) : "";
        return name.Length == 0 || name.StartsWith("Content-L", StringComparison.OrdinalIgnoreCase) ? "X-Nothing: 1" : $"{name}:{clean[(colon + 1)..]}";
    }

    private async Task<int> StatusOfAsync(byte[] head, byte[] body)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(site.Address.Host, site.Address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(head);
        await stream.WriteAsync(body);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var line = await reader.ReadLineAsync() ?? "";
        return line.Split(' ') is [_, var status, ..] ? int.Parse(status, CultureInfo.InvariantCulture) : throw new InvalidOperationException($"No answer to {Encoding.Latin1.GetString(head)}");
    }
}
