using System.Net;
using System.Text;
using System.Text.Json;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav.Tests;

public sealed class PageTests(TestSite site) : IClassFixture<TestSite>
{
    private static readonly string[] Markup = ["<img src=x onerror=alert(1)>", "\"quoted\" 'single'", "javascript:alert(1)", "a&amp;b", "</td><script>alert(1)</script>".Replace('/', '|')];

    [Fact]
    public async Task Page_escapes_names_and_its_policy_allows_only_its_own_script()
    {
        var uuid = await site.CreateCollectionAsync("<script>name 'x'");
        foreach (var name in Markup)
        {
            await site.PutAsync($"/c={uuid}/{Uri.EscapeDataString(name)}", "x");
        }

        var page = await site.ExpectAsync(200, "GET", $"/c={uuid}/");
        Assert.DoesNotContain("<img", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", page.Text, StringComparison.Ordinal);
        Assert.Contains("<a href=\"./javascript:alert%281%29\">", page.Text, StringComparison.Ordinal);
        Assert.Contains("<a href=\"./%3Cimg%20src=x%20onerror=alert%281%29%3E\">", page.Text, StringComparison.Ordinal);
        var policy = page.Headers["Content-Security-Policy"];
        var nonce = policy.Split("script-src 'nonce-")[1].Split('\'')[0];
        Assert.Contains($"<script defer nonce=\"{nonce}\" src=\"/_keepfs/page.js?", page.Text, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain(nonce, (await site.ExpectAsync(200, "GET", $"/c={uuid}/")).Text, StringComparison.Ordinal);
        var script = page.Text.Split("src=\"")[1].Split('"')[0];
        var asset = await site.ExpectAsync(200, "GET", script, token: "");
        Assert.Contains("immutable", asset.Headers["Cache-Control"], StringComparison.Ordinal);
        await site.ExpectAsync(304, "GET", script, token: "", headers: ("If-None-Match", asset.Headers["ETag"]));
        await site.ExpectAsync(404, "GET", "/_keepfs/absent", token: "");
    }

    [Fact]
    public async Task Content_has_no_origin_of_its_own_and_one_type()
    {
        var uuid = await site.CreateCollectionAsync();
        foreach (var name in (string[])["a.html", "a.svg", "a.xml", "a.xhtml", "a.unknown", "a.txt", "a.js"])
        {
            await site.PutAsync($"/c={uuid}/{name}", "<script>1</script>");
            var answer = await site.ExpectAsync(200, "GET", $"/c={uuid}/{name}");
            Assert.Equal("sandbox", answer.Headers["Content-Security-Policy"]);
            Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
        }
    }

    [Fact]
    public async Task Changes_for_a_page_of_another_site_are_refused_unless_the_token_was_given_by_it()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var cookie = ("Cookie", CookieOf(site.Token));
        foreach (var foreign in ((string, string)[])[("Origin", "https://evil.test"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site")])
        {
            foreach (var method in (string[])["PUT", "DELETE", "MKCOL", "PROPPATCH", "LOCK"])
            {
                await site.ExpectAsync(403, method, $"/c={uuid}/f", null, "", cookie, foreign);
            }

            await site.ExpectAsync(403, "MOVE", $"/c={uuid}/f", null, "", cookie, foreign, ("Destination", $"/c={uuid}/g"));
            await site.ExpectAsync(403, "POST", "/_keepfs/api/share", Encoding.UTF8.GetBytes($$"""{"uuid":"{{uuid}}","hours":1}"""), "", cookie, foreign);
            await site.ExpectAsync(403, "POST", "/_keepfs/login", "token=x"u8.ToArray(), "", foreign, ("Content-Type", "application/x-www-form-urlencoded"));
            await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [1], null, foreign);
        }

        var own = $"http://{site.Address.Authority}";
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [1], "", cookie, ("Origin", own));
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [1], "", cookie, ("Origin", own), ("Sec-Fetch-Site", "same-origin"));
        await site.ExpectAsync(204, "PUT", $"/c={uuid}/f", [1], "", cookie);
    }

    [Fact]
    public async Task Browser_without_a_token_is_sent_to_log_in_and_comes_back()
    {
        var uuid = await site.CreateCollectionAsync();
        (string, string)[] browser = [("Accept", "text/html,*/*"), ("User-Agent", "Mozilla/5.0 x")];
        var sent = await site.ExpectAsync(303, "GET", $"/c={uuid}/", null, "", browser);
        Assert.Equal($"/_keepfs/login?next={Uri.EscapeDataString($"/c={uuid}/")}", sent.Headers["Location"]);
        Assert.Contains($"value=\"/c={uuid}/\"", (await site.ExpectAsync(200, "GET", sent.Headers["Location"], token: "")).Text, StringComparison.Ordinal);
        await site.ExpectAsync(401, "GET", $"/c={uuid}/", token: "");
        await LogInAsync(403, "bogus", "/");
        var good = await LogInAsync(303, site.Token, $"/c={uuid}/");
        Assert.Equal($"/c={uuid}/", good.Headers["Location"]);
        Assert.Contains("HttpOnly; SameSite=Lax", good.Headers["Set-Cookie"], StringComparison.Ordinal);
        foreach (var elsewhere in (string[])["https://evil.test/", "//evil.test/", "/\\evil.test", "/a\r\nX: y", "javascript:alert(1)", ""])
        {
            Assert.Equal("/", (await LogInAsync(303, site.Token, elsewhere)).Headers["Location"]);
        }

        var cookie = ("Cookie", good.Headers["Set-Cookie"].Split(';')[0]);
        var page = await site.ExpectAsync(200, "GET", $"/c={uuid}/", null, "", [cookie, .. browser]);
        Assert.Contains("Log out", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(site.Token, page.Text, StringComparison.Ordinal);
        Assert.Contains("Max-Age=0", (await site.ExpectAsync(303, "POST", "/_keepfs/logout", token: "", headers: cookie)).Headers["Set-Cookie"], StringComparison.Ordinal);
        await site.ExpectAsync(403, "GET", "/_keepfs/status", token: "", headers: cookie);
        await site.ExpectAsync(401, "GET", "/_keepfs/status", token: "");
    }

    [Fact]
    public async Task Status_page_shows_recent_errors_of_every_process_once_and_harmlessly()
    {
        using var errors = new RecentErrors(TimeProvider.System);
        await using var web = await site.StartWebAsync(options => options with { Errors = errors });
        Assert.Contains("<p>None.</p>", await StatusAsync(), StringComparison.Ordinal);

        errors.CreateLogger("web").Log(LogLevel.Error, default, "<b>cannot</b> read", new IOException("broken"), static (state, _) => state);
        errors.CreateLogger("web").Log(LogLevel.Information, default, "all is well", null, static (state, _) => state);
        site.KeepstoreErrors.CreateLogger("store").Log(LogLevel.Warning, default, "disk is slow", null, static (state, _) => state);
        var page = await StatusAsync();
        Assert.Contains("error: &lt;b&gt;cannot&lt;/b&gt; read (broken)", page, StringComparison.Ordinal);
        Assert.DoesNotContain("all is well", page, StringComparison.Ordinal);

        // Both keepstores are one process here.
        Assert.Equal(2, page.Split("warning: disk is slow").Length);

        async Task<string> StatusAsync()
        {
            using var request = site.Request("GET", "/_keepfs/status", null, site.AdminToken);
            request.RequestUri = new Uri(new Uri(web.Addresses.Single()), "/_keepfs/status");
            using var response = await site.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return await response.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task Deleted_files_come_back_from_the_version_and_a_version_can_be_restored()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "precious");
        await ApiAsync(200, "keep", $$"""{"uuid":"{{uuid}}"}""");
        await site.ExpectAsync(204, "DELETE", $"/c={uuid}/f");
        using var versions = JsonDocument.Parse((await ApiAsync(200, "versions", $$"""{"uuid":"{{uuid}}"}""")).Body);
        var old = versions.RootElement.EnumerateArray().First(version => !version.GetProperty("current").GetBoolean()).GetProperty("uuid").GetString()!;
        await site.ExpectAsync(201, "COPY", $"/by_id/{old}/f", null, null, ("Destination", $"/c={uuid}/f"), ("Overwrite", "F"));
        Assert.Equal("precious", await site.GetTextAsync($"/c={uuid}/f"));
        await site.PutAsync($"/c={uuid}/f", "changed", 204);
        await ApiAsync(200, "restore", $$"""{"uuid":"{{uuid}}","version":"{{old}}"}""");
        Assert.Equal("precious", await site.GetTextAsync($"/c={uuid}/f"));
        using var after = JsonDocument.Parse((await ApiAsync(200, "versions", $$"""{"uuid":"{{uuid}}"}""")).Body);
        var kept = after.RootElement.EnumerateArray().First(version => !version.GetProperty("current").GetBoolean()).GetProperty("uuid").GetString()!;
        Assert.Equal("changed", await site.GetTextAsync($"/by_id/{kept}/f"));
        await ApiAsync(404, "restore", $$"""{"uuid":"{{await site.CreateCollectionAsync()}}","version":"{{old}}"}""");
    }

    [Fact]
    public async Task Trashed_collection_is_taken_back()
    {
        var uuid = await site.CreateCollectionAsync("to and fro");
        await site.ExpectAsync(204, "DELETE", "/home/to%20and%20fro/");
        await site.ExpectAsync(404, "GET", $"/c={uuid}/");
        await ApiAsync(404, "untrash", $$"""{"uuid":"{{uuid}}"}""", site.OtherToken);
        await ApiAsync(200, "untrash", $$"""{"uuid":"{{uuid}}"}""");
        await site.ExpectAsync(200, "GET", "/home/to%20and%20fro/");
    }

    [Fact]
    public async Task Sharing_link_reads_its_collection_and_nothing_else()
    {
        var (uuid, other) = (await site.CreateCollectionAsync(), await site.CreateCollectionAsync());
        await site.PutAsync($"/c={uuid}/f", "shared");
        using var made = JsonDocument.Parse((await ApiAsync(200, "share", $$"""{"uuid":"{{uuid}}","hours":1}""")).Body);
        var link = made.RootElement.GetProperty("path").GetString()!;
        Assert.Equal("shared", (await site.ExpectAsync(200, "GET", link + "f", token: "")).Text);
        var page = await site.ExpectAsync(200, "GET", link, token: "");
        Assert.DoesNotContain("data-writable", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Log out", page.Text, StringComparison.Ordinal);
        await site.ExpectAsync(200, "GET", link + "?accept=application/zip&disposition=attachment&include_collection_metadata=true", token: "");
        await site.ExpectAsync(404, "GET", link.Replace(uuid, other, StringComparison.Ordinal), token: "");
        await site.ExpectAsync(403, "PUT", link + "f", [1], token: "");
        await site.ExpectAsync(403, "DELETE", link + "f", token: "");
        await ApiAsync(404, "share", $$"""{"uuid":"{{uuid}}","hours":1}""", site.OtherToken);
        foreach (var bad in (string[])["", "[]", "{}", """{"uuid":"x","hours":1}""", $$"""{"uuid":"{{uuid}}","hours":0}""", $$"""{"uuid":"{{uuid}}","hours":"1"}"""])
        {
            await ApiAsync(400, "share", bad);
        }

        await ApiAsync(404, "absent", "{}");
        await ApiAsync(401, "share", "{}", "bogus");
    }

    [Fact]
    public async Task Host_without_credentials_is_not_sent_to_log_in()
    {
        var config = site.Config with { Services = site.Config.Services with { WebDAV = new ServiceConfig { ExternalURL = "https://keep.test/" } } };
        var web = await site.StartWebAsync(options => options with { Listen = new System.Net.IPEndPoint(System.Net.IPAddress.Any, 0) }, config);
        try
        {
            var port = new Uri(web.Addresses.Single()).Port;
            foreach (var (host, status) in ((string, int)[])[("keep.test", 303), ("elsewhere.test", 401)])
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/c=zzzzz-4zz18-000000000000000/");
                request.Headers.Host = host;
                request.Headers.TryAddWithoutValidation("Sec-Fetch-Mode", "navigate");
                using var response = await site.Http.SendAsync(request);
                Assert.Equal(status, (int)response.StatusCode);
            }
        }
        finally
        {
            await web.StopAsync(default);
            await web.DisposeAsync();
        }
    }

    [Fact]
    public async Task Host_named_after_a_collection_serves_it_and_takes_tokens()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/a.html", "text");
        await site.PutAsync($"/c={uuid}/_/t=x", "odd");
        var hash = (await site.Catalog.FindCollectionAsync(uuid, null, default))!.PortableDataHash.Replace('+', '-');
        foreach (var host in (string[])[$"{uuid}.keep.test", $"{uuid}--keep.test:80", $"{hash}--x.keep.test"])
        {
            var answer = await site.ExpectAsync(200, "GET", "/a.html", headers: ("Host", host));
            Assert.Equal("text", answer.Text);
            Assert.False(answer.Headers.ContainsKey("Content-Security-Policy"));
            Assert.Contains("a.html", (await site.ExpectAsync(200, "GET", "/", headers: ("Host", host))).Text, StringComparison.Ordinal);
            await site.ExpectAsync(404, "GET", "/home/", headers: ("Host", host));
            await site.ExpectAsync(404, "GET", "/", null, site.OtherToken, ("Host", host));
            await site.ExpectAsync(401, "GET", "/", null, "", ("Host", host));
            await site.ExpectAsync(200, "GET", $"/t={Uri.EscapeDataString(site.Token)}/a.html", null, "", ("Host", host));
            Assert.Equal("odd", (await site.ExpectAsync(200, "GET", "/_/t=x", headers: ("Host", host))).Text);
            await site.ExpectAsync(404, "POST", "/_keepfs/api/share", Encoding.UTF8.GetBytes($$"""{"uuid":"{{uuid}}","hours":1}"""), null, ("Host", host));
        }

        var own = ("Host", $"{uuid}.keep.test");
        await site.ExpectAsync(201, "PUT", "/b", [1], null, own);
        await site.ExpectAsync(201, "MOVE", "/b", null, null, own, ("Destination", $"http://{uuid}.keep.test/c"));
        await site.ExpectAsync(200, "GET", $"/c={uuid}/c");
        Assert.Contains("<D:href>/a.html</D:href>", (await site.ExpectAsync(207, "PROPFIND", "/", null, null, own, ("Depth", "1"))).Text, StringComparison.Ordinal);
        await site.ExpectAsync(405, "PUT", "/b", [1], null, ("Host", $"{hash}.keep.test"));
    }

    [Fact]
    public async Task Token_in_a_form_goes_into_a_cookie_or_is_used_for_an_attachment()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "x");
        var type = ("Content-Type", "application/x-www-form-urlencoded");
        var token = "api_token=" + Uri.EscapeDataString(site.Token);
        var sent = await site.ExpectAsync(303, "POST", $"/c={uuid}/f?a=b", Encoding.UTF8.GetBytes(token), "", type);
        Assert.Equal($"/c={uuid}/f?a=b", sent.Headers["Location"]);
        Assert.StartsWith(CookieOf(site.Token), sent.Headers["Set-Cookie"], StringComparison.Ordinal);
        var attachment = await site.ExpectAsync(200, "POST", $"/c={uuid}/f", Encoding.UTF8.GetBytes(token + "&disposition=attachment"), "", type);
        Assert.StartsWith("attachment", attachment.Headers["Content-Disposition"], StringComparison.Ordinal);
        const string Part = "--x\r\nContent-Disposition: form-data; name=\"api_token\"\r\n\r\n";
        await site.ExpectAsync(303, "POST", $"/c={uuid}/f", Encoding.UTF8.GetBytes($"{Part}{site.Token}\r\n--x--\r\n"), "", ("Content-Type", "multipart/form-data; boundary=x"));
        await site.ExpectAsync(404, "POST", $"/c={uuid}/f", Encoding.UTF8.GetBytes($"disposition=attachment&api_token={Uri.EscapeDataString(site.OtherToken)}"), "", type);
        await site.ExpectAsync(401, "POST", $"/c={uuid}/f", "disposition=attachment&api_token=bogus"u8.ToArray(), "", type);
    }

    private static string CookieOf(string token) => "arvados_api_token=" + Convert.ToBase64String(Encoding.UTF8.GetBytes(token)).Replace('+', '-').Replace('/', '_');

    private Task<TestAnswer> LogInAsync(int status, string token, string next) => site.ExpectAsync(
        status, "POST", "/_keepfs/login", Encoding.UTF8.GetBytes($"token={Uri.EscapeDataString(token)}&next={Uri.EscapeDataString(next)}"), "", ("Content-Type", "application/x-www-form-urlencoded"));

    private Task<TestAnswer> ApiAsync(int status, string name, string json, string? token = null) => site.ExpectAsync(status, "POST", "/_keepfs/api/" + name, Encoding.UTF8.GetBytes(json), token);
}
