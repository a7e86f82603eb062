using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Tests;

/// <summary>What keeps a catalogue safe that strangers can reach (docs/security.md).</summary>
public abstract class ExposureTests(DatabaseKind database)
{
    private static readonly string[] Strangers = ["203.0.113.7", "203.0.113.8"];

    [Fact]
    public async Task Wrong_tokens_are_held_up_where_they_come_from_and_nowhere_else()
    {
        await using var catalog = await TestCatalog.StartAsync(database, BehindProxy);
        Assert.Equal(200, (await FromAsync(catalog, Strangers[0], catalog.SpectatorToken)).Status);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(401, (await FromAsync(catalog, Strangers[0], $"v2/zzzzz-gj3su-activeactiveact/guess{i}")).Status);
        }

        var held = await FromAsync(catalog, Strangers[0], catalog.ActiveToken);
        Assert.Equal(429, held.Status);
        Assert.InRange(int.Parse(held.Headers["Retry-After"], CultureInfo.InvariantCulture), 1, 12);
        Assert.Contains("too many wrong tokens", held.Error, StringComparison.Ordinal);

        Assert.Equal(200, (await FromAsync(catalog, Strangers[1], catalog.ActiveToken)).Status);
        Assert.Equal(200, (await FromAsync(catalog, Strangers[0], catalog.SpectatorToken)).Status);
        Assert.Equal(200, (await catalog.SendAsync(null, HttpMethod.Get, "/arvados/v1/config", null)).Status);
        Assert.Equal(401, (await FromAsync(catalog, Strangers[0], null)).Status);
        Assert.Contains("keepfs_catalog_logins_held_total 1\n", (await catalog.SendAsync(null, HttpMethod.Get, "/metrics", null)).Text, StringComparison.Ordinal);

        catalog.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(200, (await FromAsync(catalog, Strangers[0], catalog.ActiveToken)).Status);
    }

    [Fact]
    public async Task Wrong_reader_tokens_count_and_are_not_looked_at_any_more()
    {
        await using var catalog = await TestCatalog.StartAsync(database, BehindProxy);
        var secret = await catalog.CreateAsync(catalog.AdminToken, "collections", new JsonObject { ["name"] = "secret" });
        var guesses = Uri.EscapeDataString("[\"a\",\"b\",\"c\",\"d\",\"e\"]");
        var right = Uri.EscapeDataString($"[\"{catalog.AdminToken}\"]");
        Assert.Equal(200, (await FromAsync(catalog, Strangers[0], catalog.SpectatorToken, $"collections/{secret}?reader_tokens={right}")).Status);
        Assert.Equal(404, (await FromAsync(catalog, Strangers[1], catalog.SpectatorToken, $"collections/{secret}?reader_tokens={guesses}")).Status);
        Assert.Equal(404, (await FromAsync(catalog, Strangers[1], catalog.SpectatorToken, $"collections/{secret}?reader_tokens={right}")).Status);
    }

    [Fact]
    public async Task Services_of_this_machine_are_not_held_up_and_strangers_names_are_not_believed()
    {
        await using var catalog = await TestCatalog.StartAsync(database, config => BehindProxy(config) with { KeepFs = Limits() with { TrustedProxies = new Dictionary<string, bool> { ["192.0.2.1"] = true } } });
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(401, (await FromAsync(catalog, Strangers[0], "wrong")).Status);
        }

        Assert.Equal(200, (await FromAsync(catalog, Strangers[0], catalog.ActiveToken)).Status);
    }

    [Fact]
    public async Task Client_is_the_last_address_that_is_no_trusted_proxy()
    {
        await using var catalog = await TestCatalog.StartAsync(database, config => BehindProxy(config) with
        {
            KeepFs = Limits() with { TrustedProxies = new Dictionary<string, bool> { ["127.0.0.0/8"] = true, ["10.0.0.0/8"] = true, ["10.9.9.9"] = false } },
        });
        var created = await FromAsync(catalog, "198.51.100.1, 203.0.113.7:4711, 10.1.2.3", catalog.ActiveToken, "api_client_authorizations", HttpMethod.Post);
        Assert.Equal("203.0.113.7", created.Text_("created_by_ip_address"));
        created = await FromAsync(catalog, "no address", catalog.ActiveToken, "api_client_authorizations", HttpMethod.Post);
        Assert.Equal("127.0.0.1", created.Text_("created_by_ip_address"));
    }

    [Fact]
    public async Task Request_that_takes_too_long_is_cancelled()
    {
        // Also the limit of what the test itself asks for first, on a machine that may be busy.
        await using var catalog = await TestCatalog.StartAsync(database, config => config with { API = config.API with { RequestTimeout = TimeSpan.FromSeconds(3) } });
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, catalog.Http.BaseAddress!.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /arvados/v1/collections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {catalog.ActiveToken}\r\nContent-Type: application/json\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{{"));
        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 500", await reader.ReadLineAsync(), StringComparison.Ordinal);
        Assert.Contains("API.RequestTimeout", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_change_is_recorded_with_who_and_from_where_for_admins_only()
    {
        await using var catalog = await TestCatalog.StartAsync(database, BehindProxy);
        var created = await FromAsync(catalog, Strangers[0], catalog.ActiveToken, "collections", HttpMethod.Post);
        var uuid = created.Text_("uuid");
        Assert.Equal(200, (await FromAsync(catalog, Strangers[1], catalog.AdminToken, $"collections/{uuid}", HttpMethod.Delete)).Status);
        var entries = (await catalog.GetAsync(catalog.AdminToken, $"/keepfs/v1/audit?object_uuid={uuid}")).Items;
        Assert.Equal(["update", "create"], entries.Select(entry => entry!["event_type"]!.GetValue<string>()));
        Assert.Equal(Strangers[1], entries[0]!["address"]!.GetValue<string>());
        Assert.Equal("zzzzz-gj3su-adminadminadmin", entries[0]!["token_uuid"]!.GetValue<string>());
        Assert.StartsWith("req-", entries[0]!["request_id"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(Strangers[0], entries[1]!["address"]!.GetValue<string>());
        Assert.Equal(catalog.ActiveUser, entries[1]!["user_uuid"]!.GetValue<string>());

        Assert.Equal(403, (await catalog.GetAsync(catalog.ActiveToken, "/keepfs/v1/audit")).Status);
        var log = await catalog.GetAsync(catalog.ActiveToken, $"logs?filters=[[\"object_uuid\",\"=\",\"{uuid}\"]]");
        Assert.NotEmpty(log.Items);
        Assert.DoesNotContain(Strangers[0], log.Text, StringComparison.Ordinal);
        Assert.Equal(422, (await catalog.GetAsync(catalog.ActiveToken, "logs?filters=[[\"origin\",\"like\",\"%203%\"]]")).Status);
        Assert.Equal(422, (await catalog.GetAsync(catalog.ActiveToken, "logs?filters=[[\"origin.address\",\"=\",\"203.0.113.7\"]]")).Status);
        Assert.Empty((await catalog.GetAsync(catalog.ActiveToken, "logs?filters=[[\"any\",\"like\",\"%203.0.113%\"]]")).Items);
        Assert.Empty((await catalog.GetAsync(catalog.ActiveToken, "logs?filters=[[\"any\",\"ilike\",\"%203.0.113%\"]]")).Items);
        Assert.Contains("203.0.113.7", await catalog.ExportAsync(catalog.AdminToken), StringComparison.Ordinal);

        catalog.Clock.Advance(TimeSpan.FromDays(20));
        await catalog.PostAsync(TestCatalog.RootToken, "/sys/trash_sweep");
        var swept = (await catalog.GetAsync(catalog.AdminToken, $"/keepfs/v1/audit?object_uuid={uuid}&limit=1")).Items.Single()!;
        Assert.Equal(("delete", null), (swept["event_type"]!.GetValue<string>(), swept["address"]?.GetValue<string>()));
    }

    [Fact]
    public async Task No_log_line_holds_a_secret()
    {
        using var log = new LogLines();
        await using var catalog = await TestCatalog.StartAsync(database, isTestMode: true, loggers: log);
        await new RandomRecords(catalog, new Random(5)).MakeAsync();
        var created = await catalog.PostAsync(catalog.ActiveToken, "api_client_authorizations");
        var token = created.Text_("api_token");
        var signed = catalog.Signed("some block", token);
        foreach (var path in new[]
        {
            $"users/current?api_token={token}", $"collections?api_token={token}&filters=[[", $"collections?reader_tokens=[\"{token}\"]", $"collections/{token}",
            $"collections/{signed}", $"api_client_authorizations?filters=[[\"api_token\",\"=\",\"{token}\"]]", $"/websocket?api_token={token}", $"/no/such/path?api_token={token}",
        })
        {
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete, HttpMethod.Post, HttpMethod.Put })
            {
                await catalog.SendAsync(token, method, path, method == HttpMethod.Get ? null : new JsonObject { ["api_token"] = token, ["manifest_text"] = $". {signed} 0:10:x\n" });
            }
        }

        using var form = new HttpRequestMessage(HttpMethod.Post, "/arvados/v1/collections") { Content = new FormUrlEncodedContent([new("api_token", token), new("collection", "{"), new("_method", token)]) };
        await catalog.SendAsync(form);
        await catalog.SendAsync($"v2/{created.Text_("uuid")}/{token}wrong", HttpMethod.Get, "users/current", null);
        await catalog.ImportAsync(catalog.AdminToken, await catalog.ExportAsync(catalog.AdminToken), "?replace=true");
        await catalog.PostAsync(catalog.AdminToken, "/database/reset");
        await catalog.GetAsync(catalog.AdminToken, "/keepfs/v1/catalog/backup");

        Assert.True(log.Text.Count > 80, $"the log was not seen: {log.Text.Count} lines");
        var secrets = new[] { token, TestCatalog.RootToken, TestCatalog.AnonymousToken, TestCatalog.SigningKey, signed[(signed.IndexOf("+A", StringComparison.Ordinal) + 2)..] }
            .Concat(new[] { catalog.AdminToken, catalog.ActiveToken, catalog.SpectatorToken }.Select(known => known.Split('/')[2]));
        foreach (var secret in secrets.SelectMany(secret => new[] { secret, Uri.EscapeDataString(secret) }))
        {
            // The id of a request that asks for a token as if it were a UUID is its path: nothing else may hold it.
            Assert.DoesNotContain(log.Text.Where(line => !line.Contains("/arvados/v1/collections/" + token, StringComparison.Ordinal)), line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    private static ClusterConfig BehindProxy(ClusterConfig config) => config with { KeepFs = Limits() };

    private static KeepFsConfig Limits() => new()
    {
        FailedLogins = new FailedLoginsConfig { Limit = 5, Window = TimeSpan.FromMinutes(1) },
        TrustedProxies = new Dictionary<string, bool> { ["127.0.0.1"] = true },
    };

    private static async Task<Answer> FromAsync(TestCatalog catalog, string address, string? token, string path = "users/current", HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, "/arvados/v1/" + path);
        request.Headers.Add("X-Forwarded-For", address);
        if (token is not null)
        {
            request.Headers.Add("Authorization", "Bearer " + token);
        }

        return await catalog.SendAsync(request);
    }
}
