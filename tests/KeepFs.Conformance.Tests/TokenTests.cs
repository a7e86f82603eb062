using System.Net;
using System.Text.Json.Nodes;

namespace KeepFs.Conformance.Tests;

/// <summary>Who may do what: tokens at the catalogue and at keep-web, signatures at the keepstores (blocks.md section 3).</summary>
[Collection(ClusterTests.Name)]
public sealed class TokenTests(SharedCluster shared) : IDisposable
{
    private const string Past = "2001-01-01T00:00:00Z";
    private readonly KeepFsProcess _cluster = shared.Process;
    private readonly Http _http = new(shared.Process);

    public void Dispose() => _http.Dispose();

    [Theory]
    [InlineData("missing")]
    [InlineData("empty")]
    [InlineData("wrong")]
    [InlineData("wrong secret")]
    [InlineData("expired")]
    [InlineData("deleted")]
    public async Task A_token_that_is_no_good_is_refused_by_catalogue_and_keep_web_with_401(string kind)
    {
        var token = await BadTokenAsync(kind);

        using var user = await _http.ApiAsync(HttpMethod.Get, "arvados/v1/users/current", token);
        Assert.Equal(HttpStatusCode.Unauthorized, user.StatusCode);
        Assert.NotEmpty(JsonNode.Parse(await user.Content.ReadAsStringAsync())!["errors"]!.AsArray());
        using var create = await _http.ApiAsync(HttpMethod.Post, "arvados/v1/collections", token, new JsonObject { ["manifest_text"] = "" });
        Assert.Equal(HttpStatusCode.Unauthorized, create.StatusCode);

        foreach (var (method, path) in ((string, string)[])[("PROPFIND", ""), ("PROPFIND", "by_id/"), ("GET", $"by_id/{await UuidAsync()}/file"), ("PUT", $"by_id/{await UuidAsync()}/no")])
        {
            using var web = await _http.WebDavAsync(method, path, token, method == "PUT" ? [1] : null);
            Assert.Equal(HttpStatusCode.Unauthorized, web.StatusCode);
            Assert.Contains(web.Headers.WwwAuthenticate, challenge => challenge.Scheme == "Basic");
        }
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("wrong")]
    [InlineData("expired")]
    public async Task Commands_with_a_token_that_is_no_good_fail_with_a_message(string kind)
    {
        var token = await BadTokenAsync(kind);
        var never = Path.Combine(_cluster.NewFolder(), "never");
        foreach (var command in (string[])["ls", "put /etc/passwd", $"get {await UuidAsync()} {never}", $"mount {never}"])
        {
            var result = await _cluster.ScriptAsync($"export ARVADOS_API_TOKEN='{token}' HOME={_cluster.Work}; \"$K\" {command}");

            Assert.StartsWith("keepfs: ", result.Failed(), StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
            Assert.False(token is { Length: > 0 } && result.Errors.Contains(token, StringComparison.Ordinal), result.Errors);
        }

        Assert.False(Mounts.Has(never));
    }

    [Fact]
    public async Task A_signature_is_good_for_the_token_it_was_made_for_and_no_other()
    {
        var other = await NewTokenAsync(new JsonObject());
        var data = Guid.NewGuid().ToByteArray();
        using var put = await _http.KeepstoreAsync(HttpMethod.Put, 0, Blocks.Hash(data), _cluster.Token, data);
        var locator = (await put.Content.ReadAsStringAsync()).Trim();
        var unsigned = locator[..locator.IndexOf("+A", StringComparison.Ordinal)];

        using var good = await _http.KeepstoreAsync(HttpMethod.Get, 0, locator, _cluster.Token);
        Assert.Equal(data, await good.Content.ReadAsByteArrayAsync());
        await AssertRefusedAsync(HttpStatusCode.BadRequest, locator, other);
        await AssertRefusedAsync(HttpStatusCode.BadRequest, unsigned, _cluster.Token);
        await AssertRefusedAsync(HttpStatusCode.BadRequest, locator.Replace("+A", "+A0", StringComparison.Ordinal), _cluster.Token);
        await AssertRefusedAsync(HttpStatusCode.Unauthorized, locator, null);
        await AssertRefusedAsync(HttpStatusCode.Unauthorized, unsigned + "+A0123456789012345678901234567890123456789@50000000", _cluster.Token);
    }

    [Fact]
    public async Task Another_users_token_sees_nothing_of_mine()
    {
        var token = await NewUserTokenAsync();
        var uuid = await UuidAsync();

        using var mine = await _http.ApiAsync(HttpMethod.Get, "arvados/v1/collections/" + uuid, _cluster.Token);
        Assert.Equal(HttpStatusCode.OK, mine.StatusCode);
        using var theirs = await _http.ApiAsync(HttpMethod.Get, "arvados/v1/collections/" + uuid, token);
        Assert.Equal(HttpStatusCode.NotFound, theirs.StatusCode);
        using var web = await _http.WebDavAsync("GET", $"by_id/{uuid}/file", token);
        Assert.Equal(HttpStatusCode.NotFound, web.StatusCode);
        (await _cluster.ScriptAsync($"export ARVADOS_API_TOKEN='{token}'; test -z \"$(\"$K\" ls)\"; ! \"$K\" get {uuid} {_cluster.NewFolder()}/got")).Ok();
    }

    [Fact]
    public async Task A_manifest_is_accepted_only_with_signatures_made_for_its_senders_token()
    {
        var token = await NewUserTokenAsync();
        var data = Guid.NewGuid().ToByteArray();
        async Task<string> PutAsync(string sender)
        {
            using var put = await _http.KeepstoreAsync(HttpMethod.Put, 0, Blocks.Hash(data), sender, data);
            return (await put.Content.ReadAsStringAsync()).Trim();
        }

        foreach (var (locator, status) in ((string, HttpStatusCode)[])
            [($"{Blocks.Hash(data)}+16", HttpStatusCode.Forbidden), (await PutAsync(_cluster.Token), HttpStatusCode.Forbidden), (await PutAsync(token), HttpStatusCode.OK)])
        {
            var body = new JsonObject { ["manifest_text"] = $". {locator} 0:16:file\n", ["name"] = Guid.NewGuid().ToString() };
            using var response = await _http.ApiAsync(HttpMethod.Post, "arvados/v1/collections", token, body);
            Assert.Equal(status, response.StatusCode);
        }
    }

    private async Task AssertRefusedAsync(HttpStatusCode status, string locator, string? token)
    {
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Head])
        {
            using var response = await _http.KeepstoreAsync(method, 0, locator, token);
            Assert.Equal(status, response.StatusCode);
        }
    }

    private async Task<string?> BadTokenAsync(string kind)
    {
        switch (kind)
        {
            case "missing":
                return null;
            case "empty":
                return "";
            case "wrong":
                return "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcd";
            case "wrong secret":
                return _cluster.Token[..^1] + (_cluster.Token[^1] == 'x' ? 'y' : 'x');
            case "expired":
                return await NewTokenAsync(new JsonObject { ["expires_at"] = Past });
            default:
                var token = await NewTokenAsync(new JsonObject());
                using (var before = await _http.ApiAsync(HttpMethod.Get, "arvados/v1/users/current", token))
                {
                    Assert.Equal(HttpStatusCode.OK, before.StatusCode);
                }

                await _http.ApiOkAsync(HttpMethod.Delete, "arvados/v1/api_client_authorizations/" + token.Split('/')[1]);
                return token;
        }
    }

    private async Task<string> NewUserTokenAsync()
    {
        var user = new JsonObject { ["username"] = "u" + Guid.NewGuid().ToString("N"), ["is_active"] = true };
        return await NewTokenAsync(new JsonObject { ["owner_uuid"] = (string)(await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/users", user))["uuid"]! });
    }

    private async Task<string> NewTokenAsync(JsonObject attributes)
    {
        var record = await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/api_client_authorizations", attributes);
        return $"v2/{record["uuid"]}/{record["api_token"]}";
    }

    private async Task<string> UuidAsync()
    {
        var file = Path.Combine(_cluster.NewFolder(), "file");
        await File.WriteAllTextAsync(file, "mine");
        return await _cluster.PutAsync(file);
    }
}
