using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>Tokens and users (catalog-api.md 8, 9).</summary>
public abstract class TokenTests(DatabaseKind database) : IAsyncLifetime
{
    private const string Path = "api_client_authorizations";

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("nosuchtoken")]
    [InlineData("v2/zzzzz-gj3su-activeactiveact/wrong")]
    [InlineData("v2/zzzzz-gj3su-nosuchnosuchnos/activesecretactivesecretactive")]
    [InlineData("v2/zzzzz-gj3su-activeactiveact/")]
    public async Task Wrong_token_is_401(string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/arvados/v1/collections");
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        var answer = await _catalog.SendAsync(request);

        Assert.Equal(401, answer.Status);
        Assert.StartsWith("Not logged in", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer {0}")]
    [InlineData("OAuth2 {0}")]
    [InlineData("Bearer activesecretactivesecretactive")]
    [InlineData("Bearer {0}/zzzzz-dz642-aaaaaaaaaaaaaaa")]
    public async Task Every_form_of_a_token_is_accepted(string header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/arvados/v1/users/current");
        request.Headers.TryAddWithoutValidation("Authorization", string.Format(System.Globalization.CultureInfo.InvariantCulture, header, _catalog.ActiveToken));
        Assert.Equal(_catalog.ActiveUser, (await _catalog.SendAsync(request)).Text_("uuid"));
    }

    [Fact]
    public async Task Token_in_query_form_cookie_and_salted_form_is_accepted()
    {
        var secret = _catalog.ActiveToken.Split('/')[2];
        Assert.Equal(200, (await _catalog.SendAsync(null, HttpMethod.Get, "users/current?api_token=" + secret, null)).Status);
        using var form = new HttpRequestMessage(HttpMethod.Post, "/arvados/v1/users/current") { Content = new FormUrlEncodedContent([new("_method", "GET"), new("api_token", secret)]) };
        Assert.Equal(200, (await _catalog.SendAsync(form)).Status);
        using var cookie = new HttpRequestMessage(HttpMethod.Get, "/arvados/v1/users/current");
        cookie.Headers.Add("Cookie", "arvados_api_token=" + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(secret)).TrimEnd('='));
        Assert.Equal(200, (await _catalog.SendAsync(cookie)).Status);
        var salted = Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA1.HashData(System.Text.Encoding.UTF8.GetBytes(secret), "zzzzz"u8));
        Assert.Equal(200, (await _catalog.GetAsync($"v2/zzzzz-gj3su-activeactiveact/{salted}", "users/current")).Status);
        Assert.Equal(401, (await _catalog.GetAsync(salted, "users/current")).Status);
    }

    [Fact]
    public async Task Created_token_works_until_it_expires()
    {
        var created = await _catalog.PostAsync(_catalog.ActiveToken, Path, new JsonObject
        {
            ["api_client_authorization"] = new JsonObject { ["expires_at"] = _catalog.Clock.GetUtcNow().AddMinutes(5).ToString("O") },
        });
        var token = $"v2/{created.Text_("uuid")}/{created.Text_("api_token")}";

        Assert.Equal(200, (await _catalog.GetAsync(token, "users/current")).Status);
        var listed = await _catalog.GetAsync(token, $"{Path}?filters={Uri.EscapeDataString($"[[\"api_token\",\"=\",\"{created.Text_("api_token")}\"]]")}");
        Assert.Equal([created.Text_("uuid")], listed.ItemTexts("uuid"));
        Assert.Null(listed.Items[0]!["api_token"]);
        Assert.Equal(422, (await _catalog.GetAsync(token, $"{Path}?filters={Uri.EscapeDataString("[[\"uuid\",\">\",\"\"]]")}")).Status);
        _catalog.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(401, (await _catalog.GetAsync(token, "users/current")).Status);
    }

    [Fact]
    public async Task Revoked_and_deleted_tokens_end_at_once()
    {
        var first = await _catalog.PostAsync(_catalog.ActiveToken, Path, []);
        var second = await _catalog.PostAsync(_catalog.ActiveToken, Path, []);
        Assert.Equal(404, (await _catalog.DeleteAsync(_catalog.SpectatorToken, $"{Path}/{first.Text_("uuid")}")).Status);
        Assert.Equal(200, (await _catalog.PutAsync(_catalog.ActiveToken, $"{Path}/{first.Text_("uuid")}", new JsonObject { ["expires_at"] = "2001-01-01T00:00:00Z" })).Status);
        Assert.Equal(200, (await _catalog.DeleteAsync(_catalog.ActiveToken, $"{Path}/{second.Text_("uuid")}")).Status);

        Assert.Equal(401, (await _catalog.GetAsync(first.Text_("api_token"), "users/current")).Status);
        Assert.Equal(401, (await _catalog.GetAsync(second.Text_("api_token"), "users/current")).Status);
    }

    [Fact]
    public async Task Scopes_limit_a_token()
    {
        var uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["manifest_text"] = "" });
        var other = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["manifest_text"] = "" });
        var created = await _catalog.PostAsync(_catalog.ActiveToken, Path, new JsonObject
        {
            ["scopes"] = new JsonArray($"GET /arvados/v1/collections/{uuid}", $"GET /arvados/v1/collections/{uuid}/", "GET /arvados/v1/keep_services/accessible"),
        });
        var token = created.Text_("api_token");

        Assert.Equal(200, (await _catalog.GetAsync(token, $"collections/{uuid}")).Status);
        Assert.Equal(200, (await _catalog.SendAsync(token, HttpMethod.Head, $"collections/{uuid}", null)).Status);
        Assert.Equal(403, (await _catalog.GetAsync(token, $"collections/{other}")).Status);
        Assert.Equal(403, (await _catalog.GetAsync(token, "collections")).Status);
        Assert.Equal(403, (await _catalog.PutAsync(token, $"collections/{uuid}", new JsonObject { ["name"] = "x" })).Status);
        Assert.Equal(403, (await _catalog.GetAsync(token, "users/current")).Status);
        var current = await _catalog.GetAsync(token, Path + "/current");
        Assert.Equal(created.Text_("uuid"), current.Text_("uuid"));
        Assert.Equal(token, current.Text_("api_token"));
        Assert.Null((await _catalog.GetAsync(token, Path + "/current?remote=zzzz1")).Json["api_token"]);
    }

    [Fact]
    public async Task Only_admins_create_tokens_and_users_for_others()
    {
        Assert.Equal(403, (await _catalog.PostAsync(_catalog.ActiveToken, Path, new JsonObject { ["owner_uuid"] = _catalog.SpectatorUser })).Status);
        var granted = await _catalog.PostAsync(_catalog.AdminToken, Path, new JsonObject { ["owner_uuid"] = _catalog.SpectatorUser });
        Assert.Equal(_catalog.SpectatorUser, (await _catalog.GetAsync(granted.Text_("api_token"), "users/current")).Text_("uuid"));
        Assert.Equal(403, (await _catalog.PostAsync(_catalog.ActiveToken, Path + "/create_system_auth")).Status);
        var system = await _catalog.PostAsync(_catalog.AdminToken, Path + "/create_system_auth");
        Assert.Equal(TestCatalog.SystemUser, (await _catalog.GetAsync(system.Text_("api_token"), "users/current")).Text_("uuid"));

        Assert.Equal(403, (await _catalog.PostAsync(_catalog.ActiveToken, "users", new JsonObject { ["username"] = "u" })).Status);
        var user = await _catalog.PostAsync(_catalog.AdminToken, "users", new JsonObject { ["username"] = "u", ["first_name"] = "U", ["last_name"] = "Ser" });
        Assert.Equal("U Ser", user.Text_("full_name"));
        Assert.Equal([user.Text_("uuid")], (await _catalog.GetAsync(_catalog.AdminToken, "users?filters=" + Uri.EscapeDataString("[[\"username\",\"=\",\"u\"]]"))).ItemTexts("uuid"));
        Assert.Equal(422, (await _catalog.PostAsync(_catalog.AdminToken, "users", new JsonObject { ["username"] = "u" })).Status);
    }

    [Fact]
    public async Task Root_token_is_the_system_user()
    {
        Assert.Equal(TestCatalog.SystemUser, (await _catalog.GetAsync(TestCatalog.RootToken, "users/current")).Text_("uuid"));
        Assert.Equal("zzzzz-gj3su-000000000000000", (await _catalog.GetAsync(TestCatalog.RootToken, Path + "/current")).Text_("uuid"));
        Assert.True((await _catalog.GetAsync(TestCatalog.RootToken, Path)).Json["items_available"]!.GetValue<int>() >= 3);
        Assert.Equal(TestCatalog.SystemUser, (await _catalog.GetAsync(_catalog.ActiveToken, "users/system")).Text_("uuid"));
        var own = (await _catalog.GetAsync(_catalog.ActiveToken, "users/current")).Json;
        Assert.True(own["can_write"]!.GetValue<bool>());
        Assert.True(own["is_active"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Secrets_are_not_in_the_database()
    {
        var created = await _catalog.PostAsync(_catalog.ActiveToken, Path, []);
        await using var copy = await _catalog.ConnectAsync();
        foreach (var table in new[] { "api_client_authorizations", "logs" })
        {
            await using var command = copy.CreateCommand();
            command.CommandText = $"SELECT * FROM {table}";
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                for (var i = 0; i < reader.FieldCount; i++)
                {
                    Assert.DoesNotContain(created.Text_("api_token"), reader.GetValue(i).ToString(), StringComparison.Ordinal);
                    Assert.DoesNotContain("activesecret", reader.GetValue(i).ToString(), StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public async Task Root_token_alone_is_told_the_secret_of_a_token()
    {
        var created = await _catalog.PostAsync(_catalog.ActiveToken, Path, []);
        var path = $"{Path}/{created.Text_("uuid")}";
        Assert.Equal(created.Text_("api_token"), (await _catalog.GetAsync(TestCatalog.RootToken, path)).Text_("api_token"));
        Assert.Null((await _catalog.GetAsync(_catalog.ActiveToken, path)).Json["api_token"]);
        Assert.NotEqual(200, (await _catalog.GetAsync(_catalog.SpectatorToken, path)).Status);
        var system = await _catalog.PostAsync(_catalog.AdminToken, Path + "/create_system_auth");
        Assert.Null((await _catalog.GetAsync(system.Text_("api_token"), path)).Json["api_token"]);
        Assert.Equal(404, (await _catalog.GetAsync(TestCatalog.RootToken, Path + "/zzzzz-gj3su-nosuchnosuchnos")).Status);
    }

    [Fact]
    public void A_sealed_secret_opens_only_for_its_token_and_root_token()
    {
        var seal = new Tokens.TokenSeal("root");
        var text = seal.Seal("uuid", "secret")!;
        Assert.Equal("secret", seal.Open("uuid", text));
        Assert.NotEqual(text, seal.Seal("uuid", "secret"));
        Assert.Null(seal.Open("other", text));
        Assert.Null(new Tokens.TokenSeal("other root").Open("uuid", text));
        Assert.True(seal.IsCurrent("uuid", "secret", text));
        Assert.False(new Tokens.TokenSeal("other root").IsCurrent("uuid", "secret", text));
        var none = new Tokens.TokenSeal("");
        Assert.Null(none.Seal("uuid", "secret"));
        Assert.Null(none.Open("uuid", text));
        Assert.False(none.IsCurrent("uuid", "secret", text));
        Assert.True(none.IsCurrent("uuid", "secret", null));
        foreach (var damaged in (string?[])[null, "", "x", "AAAA", text[..^4], "B" + text[1..]])
        {
            Assert.Null(seal.Open("uuid", damaged == text ? "C" + text[1..] : damaged));
        }
    }
}
