using System.Text;
using System.Xml.Linq;

namespace KeepFs.WebDav.Tests;

/// <summary>PROPPATCH, and PROPFIND of what it set (RFC 4918 4, 9.1, 9.2).</summary>
public sealed class PropertyTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly XNamespace Dav = "DAV:";
    private static readonly XNamespace Urn = "urn:x";

    [Fact]
    public async Task Value_comes_back_with_its_markup_namespaces_language_and_spaces()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var update = """
            <?xml version="1.0" encoding="utf-8"?>
            <D:propertyupdate xmlns:D="DAV:" xmlns:q="urn:q" xmlns="urn:default" xml:lang="de"><D:set><D:prop>
            <x:p xmlns:x="urn:x" kind="&quot;a&quot;">  text <b q:at="q:value">bold &amp; &lt;plain&gt;</b>&#13; ä😀 <!-- note --><x:c xml:lang="fr"/> </x:p>
            </D:prop></D:set></D:propertyupdate>
            """;
        Assert.Equal(["200 p"], await PatchAsync($"/c={uuid}/f", update));
        var found = (await PropfindAsync($"/c={uuid}/f", "<x:p xmlns:x=\"urn:x\"/>")).Descendants(Urn + "p").Single();
        Assert.Equal("de", found.Attribute(XNamespace.Xml + "lang")!.Value);
        Assert.Equal("\"a\"", found.Attribute("kind")!.Value);
        Assert.Equal("  text bold & <plain>\r ä😀  ", found.Value);
        var bold = found.Element(XName.Get("b", "urn:default"))!;
        Assert.Equal("q:value", bold.Attribute(XName.Get("at", "urn:q"))!.Value);
        Assert.Equal("urn:q", bold.GetNamespaceOfPrefix("q")!.NamespaceName);
        Assert.Equal("fr", found.Element(Urn + "c")!.Attribute(XNamespace.Xml + "lang")!.Value);
        Assert.Single(found.DescendantNodes().OfType<XComment>());
    }

    [Fact]
    public async Task Instructions_are_done_in_their_order()
    {
        var uuid = await site.CreateCollectionAsync();
        await PatchAsync($"/c={uuid}/", Update("<set><prop><a xmlns='urn:x'>1</a></prop></set><remove><prop><a xmlns='urn:x'/></prop></remove><set><prop><b xmlns='urn:x'>1</b></prop></set><set><prop><b xmlns='urn:x'>2</b></prop></set>"));
        Assert.Equal(["b=2"], await DeadAsync($"/c={uuid}/"));
        Assert.Equal(["200 b", "200 gone"], await PatchAsync($"/c={uuid}/", Update("<remove><prop><b xmlns='urn:x'/><gone xmlns='urn:x'/></prop></remove>")));
        Assert.Empty(await DeadAsync($"/c={uuid}/"));
    }

    [Fact]
    public async Task One_that_cannot_be_set_fails_all()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var answer = await site.ExpectAsync(207, "PROPPATCH", $"/c={uuid}/f", Encoding.UTF8.GetBytes(Update("<set><prop><a xmlns='urn:x'>1</a><getetag>2</getetag></prop></set>")));
        Assert.Contains("cannot-modify-protected-property", answer.Text, StringComparison.Ordinal);
        Assert.Equal(["403 getetag", "424 a"], Statuses(answer.Text));
        Assert.Equal(["424 a", "507 b"], await PatchAsync($"/c={uuid}/f", Update($"<set><prop><a xmlns='urn:x'>1</a><b xmlns='urn:x'>{new string('x', 70_000)}</b></prop></set>")));
        Assert.Empty(await DeadAsync($"/c={uuid}/f"));
        for (var i = 0; i < 3; i++)
        {
            await PatchAsync($"/c={uuid}/f", Update($"<set><prop><p{i} xmlns='urn:x'>{new string('x', 60_000)}</p{i}></prop></set>"));
        }

        Assert.Equal(["507 q", "507 r"], await PatchAsync($"/c={uuid}/f", Update($"<set><prop><q xmlns='urn:x'>{new string('x', 60_000)}</q><r xmlns='urn:x'>{new string('x', 60_000)}</r></prop></set>")));
        Assert.Equal(3, (await DeadAsync($"/c={uuid}/f")).Length);
    }

    [Fact]
    public async Task Properties_follow_copies_moves_and_uploads_within_between_and_out_of_collections()
    {
        var (from, to) = (await site.CreateCollectionAsync(), await site.CreateCollectionAsync());
        await site.ExpectAsync(201, "MKCOL", $"/c={from}/d");
        await site.PutAsync($"/c={from}/d/f", "x");
        await SetAsync($"/c={from}/d", "dir");
        await SetAsync($"/c={from}/d/f", "file");
        await site.PutAsync($"/c={from}/d/f", "changed", 204);
        Assert.Equal(["p=file"], await DeadAsync($"/c={from}/d/f"));
        await TransferAsync("COPY", $"/c={from}/d", $"/c={from}/e");
        await TransferAsync("COPY", $"/c={from}/d", $"/c={from}/shallow", "0");
        Assert.Equal(["p=dir"], await DeadAsync($"/c={from}/shallow"));
        await TransferAsync("MOVE", $"/c={from}/e", $"/c={from}/g");
        Assert.Equal(["p=file"], await DeadAsync($"/c={from}/g/f"));
        await site.ExpectAsync(201, "MKCOL", $"/c={from}/e");
        Assert.Empty(await DeadAsync($"/c={from}/e"));
        await TransferAsync("COPY", $"/c={from}/d", $"/c={to}/d");
        await TransferAsync("MOVE", $"/c={from}/d/f", $"/c={to}/moved");
        Assert.Equal(["p=dir", "p=file", "p=file"], [.. await DeadAsync($"/c={to}/d"), .. await DeadAsync($"/c={to}/d/f"), .. await DeadAsync($"/c={to}/moved")]);
        await TransferAsync("MOVE", $"/c={to}/d", "/home/out%20of%20it");
        Assert.Equal(["p=dir", "p=file"], [.. await DeadAsync("/home/out%20of%20it"), .. await DeadAsync("/home/out%20of%20it/f")]);
        await TransferAsync("MOVE", "/home/out%20of%20it", "/home/renamed%20with%20properties");
        await TransferAsync("COPY", "/home/renamed%20with%20properties", "/home/copied%20with%20properties");
        Assert.Equal(["p=dir", "p=file"], [.. await DeadAsync("/home/copied%20with%20properties"), .. await DeadAsync("/home/copied%20with%20properties/f")]);
        var listed = await PropfindAsync("/home/", "<p xmlns='urn:x'/>", "1");
        Assert.Equal(2, listed.Descendants(Urn + "p").Count(property => property.Value == "dir"));
        await site.ExpectAsync(204, "DELETE", $"/c={from}/g");
        await site.ExpectAsync(201, "MKCOL", $"/c={from}/g");
        await site.PutAsync($"/c={from}/g/f", "new");
        Assert.Empty(await DeadAsync($"/c={from}/g"));
        Assert.Empty(await DeadAsync($"/c={from}/g/f"));
    }

    [Fact]
    public async Task Each_member_of_a_listing_gets_its_own()
    {
        var uuid = await site.CreateCollectionAsync();
        string[] names = ["a", "a b", "a-b", "a.b", "ab", "z", "ä", "\uFB01", "😀", "~"];
        foreach (var name in names)
        {
            await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/{Uri.EscapeDataString(name)}");
            await site.PutAsync($"/c={uuid}/{Uri.EscapeDataString(name)}/in", "x");
            await SetAsync($"/c={uuid}/{Uri.EscapeDataString(name)}", name);
            await SetAsync($"/c={uuid}/{Uri.EscapeDataString(name)}/in", "in " + name);
        }

        await SetAsync($"/c={uuid}/", "root");
        foreach (var depth in new[] { "1", "infinity" })
        {
            var pairs = (await PropfindAsync($"/c={uuid}/", "<p xmlns='urn:x'/><displayname xmlns='DAV:'/>", depth)).Descendants(Dav + "response")
                .Select(response => (Name: Uri.UnescapeDataString(response.Element(Dav + "href")!.Value)[$"/c={uuid}/".Length..], response.Descendants(Urn + "p").Single().Value));
            IEnumerable<(string Name, string Value)> expected = [("", "root"), .. names.Select(name => (name + "/", name))];
            expected = depth == "1" ? expected : expected.Concat(names.Select(name => (name + "/in", "in " + name)));
            Assert.Equal(expected.OrderBy(pair => pair.Name, StringComparer.Ordinal), pairs.OrderBy(pair => pair.Name, StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Allprop_propname_include_and_missing_ones_are_answered_as_asked()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        await SetAsync($"/c={uuid}/f", "v");
        var all = await FindAsync("<allprop/>");
        Assert.Equal("v", all.Descendants(Urn + "p").Single().Value);
        Assert.NotEmpty(all.Descendants(Dav + "getetag"));
        Assert.Empty((await FindAsync("<allprop/>", "d/")).Descendants(Dav + "quota-used-bytes"));
        Assert.Equal("1", (await FindAsync("<allprop/><include><quota-used-bytes/><quota-available-bytes/></include>", "")).Descendants(Dav + "quota-used-bytes").Single().Value);
        var names = (await FindAsync("<propname/>")).Descendants(Dav + "prop").Elements().ToArray();
        Assert.Contains(names, name => name.Name == Urn + "p" && name.IsEmpty);
        Assert.All(names, name => Assert.True(name.IsEmpty || name.Value.Length == 0));
        var some = await FindAsync("<prop><getetag/><none/><p xmlns='urn:x'/><q xmlns='urn:x'/><r xmlns=''/><quota-used-bytes/></prop>");
        Assert.Equal(["200 getetag", "200 p", "404 none", "404 q", "404 quota-used-bytes", "404 r"], Statuses(some.ToString()));
        Assert.Equal(["200 getetag"], Statuses((await FindAsync("<prop><getetag/><none/></prop>", "f", ("Brief", "t"))).ToString()));

        async Task<XElement> FindAsync(string inner, string path = "f", params (string, string)[] headers)
        {
            if (path == "d/")
            {
                using var ignored = await site.Http.SendAsync(site.Request("MKCOL", $"/c={uuid}/d"));
            }

            return XElement.Parse((await site.ExpectAsync(207, "PROPFIND", $"/c={uuid}/{path}", Encoding.UTF8.GetBytes($"<propfind xmlns=\"DAV:\">{inner}</propfind>"), null, [("Depth", "0"), .. headers])).Text);
        }
    }

    [Fact]
    public async Task Projects_and_fixed_content_have_none_that_can_be_set()
    {
        await site.ExpectAsync(201, "MKCOL", "/home/a%20project", null, null, ("X-KeepFs-Create", "project"));
        Assert.Equal(["403 p"], await PatchAsync("/home/a%20project", Update("<set><prop><p xmlns='urn:x'>1</p></prop></set>")));
        Assert.Equal(["403 p"], await PatchAsync("/home/", Update("<set><prop><p xmlns='urn:x'>1</p></prop></set>")));
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var hash = (await site.Catalog.FindCollectionAsync(uuid, ["portable_data_hash"], default))!.PortableDataHash;
        await site.ExpectAsync(405, "PROPPATCH", $"/by_id/{hash}/f", Encoding.UTF8.GetBytes(Update("<set><prop><p xmlns='urn:x'>1</p></prop></set>")));
        await site.ExpectAsync(404, "PROPPATCH", $"/c={uuid}/none", Encoding.UTF8.GetBytes(Update("<set><prop><p xmlns='urn:x'>1</p></prop></set>")));
        await site.ExpectAsync(403, "PROPPATCH", $"/c={uuid}/f", Encoding.UTF8.GetBytes(Update("<set><prop><p xmlns='urn:x'>1</p></prop></set>")), await ReadOnlyTokenAsync(uuid));
    }

    [Fact]
    public async Task Copy_onto_a_collection_replaces_it_in_one_step_and_the_old_one_is_in_the_trash()
    {
        var (from, old) = (await site.CreateCollectionAsync("source of replacement"), await site.CreateCollectionAsync("to be replaced"));
        await site.PutAsync($"/c={from}/f", "new");
        await site.PutAsync($"/c={old}/f", "old");
        await site.ExpectAsync(412, "COPY", "/home/source%20of%20replacement", null, null, ("Destination", "/home/to%20be%20replaced"), ("Overwrite", "F"));
        await site.ExpectAsync(204, "COPY", "/home/source%20of%20replacement", null, null, ("Destination", "/home/to%20be%20replaced"));
        Assert.Equal("new", await site.GetTextAsync("/home/to%20be%20replaced/f"));
        await site.ExpectAsync(404, "GET", $"/c={old}/f");
        await site.ExpectAsync(204, "MOVE", "/home/source%20of%20replacement", null, null, ("Destination", "/home/to%20be%20replaced"));
        Assert.Equal("new", await site.GetTextAsync($"/c={from}/f"));
        await site.ExpectAsync(404, "GET", "/home/source%20of%20replacement/f");
    }

    private async Task<string> ReadOnlyTokenAsync(string uuid)
    {
        var other = await site.OtherCatalog.GetCurrentUserAsync(default);
        await site.PostAsync(site.Token, "links", $$$"""{"link":{"link_class":"permission","name":"can_read","tail_uuid":"{{{other.Uuid}}}","head_uuid":"{{{uuid}}}"}}""");
        return site.OtherToken;
    }

    private static string Update(string inner) => $"<propertyupdate xmlns=\"DAV:\">{inner}</propertyupdate>";

    private async Task SetAsync(string path, string value) =>
        Assert.Equal(["200 p"], await PatchAsync(path, Update($"<set><prop><p xmlns='urn:x'>{value}</p></prop></set>")));

    private async Task TransferAsync(string method, string from, string to, string depth = "infinity") =>
        await site.ExpectAsync(201, method, from, null, null, ("Destination", to), ("Depth", depth));

    private async Task<string[]> PatchAsync(string path, string body) => Statuses((await site.ExpectAsync(207, "PROPPATCH", path, Encoding.UTF8.GetBytes(body))).Text);

    private async Task<XElement> PropfindAsync(string path, string properties, string depth = "0") => XElement.Parse((await site.ExpectAsync(
        207, "PROPFIND", path, Encoding.UTF8.GetBytes($"<D:propfind xmlns:D=\"DAV:\"><D:prop>{properties}</D:prop></D:propfind>"), null, ("Depth", depth))).Text, LoadOptions.PreserveWhitespace);

    private async Task<string[]> DeadAsync(string path) =>
    [
        .. XElement.Parse((await site.ExpectAsync(207, "PROPFIND", path, null, null, ("Depth", "0"))).Text).Descendants(Dav + "prop").Elements()
            .Where(property => property.Name.Namespace != Dav).Select(property => $"{property.Name.LocalName}={(property.Value.Length > 100 ? "..." : property.Value)}"),
    ];

    private static string[] Statuses(string answer) =>
    [
        .. XElement.Parse(answer).Descendants(Dav + "propstat")
            .SelectMany(stat => stat.Element(Dav + "prop")!.Elements().Select(property => $"{stat.Element(Dav + "status")!.Value.Split(' ')[1]} {property.Name.LocalName}"))
            .Order(StringComparer.Ordinal),
    ];
}
