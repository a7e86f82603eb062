using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.Catalog.Tests;

/// <summary>The server as a whole: transport, errors, services, restart (catalog-api.md 1, 7).</summary>
public abstract class ServerTests(DatabaseKind database) : IAsyncLifetime
{
    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Everything_survives_a_restart()
    {
        var project = await _catalog.CreateAsync(_catalog.ActiveToken, "groups", new JsonObject { ["name"] = "p", ["group_class"] = "project" });
        var uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["owner_uuid"] = project, ["manifest_text"] = _catalog.OneFile("f", "foo", _catalog.ActiveToken) });
        var before = await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{uuid}?select=%5B%22unsigned_manifest_text%22,%22modified_at%22,%22version%22%5D");
        var user = _catalog.ActiveUser;

        await _catalog.RestartAsync();

        Assert.Equal(user, _catalog.ActiveUser);
        Assert.Equal(before.Text, (await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{uuid}?select=%5B%22unsigned_manifest_text%22,%22modified_at%22,%22version%22%5D")).Text);
        Assert.Equal(404, (await _catalog.GetAsync(_catalog.SpectatorToken, $"collections/{uuid}")).Status);
        Assert.Equal(2, (await _catalog.GetAsync(_catalog.ActiveToken, "keep_services/accessible")).Items.Count);
    }

    [Fact]
    public async Task Other_secret_for_the_same_token_replaces_it()
    {
        var replaced = await _catalog.Server.EnsureUserAsync("active", admin: false, "zzzzz-gj3su-activeactiveact", "anothersecret", CancellationToken.None);
        Assert.Equal("v2/zzzzz-gj3su-activeactiveact/anothersecret", replaced);
        Assert.Equal(_catalog.ActiveUser, (await _catalog.GetAsync(replaced, "users/current")).Text_("uuid"));
        Assert.Equal(401, (await _catalog.GetAsync(_catalog.ActiveToken, "users/current")).Status);
        await Assert.ThrowsAsync<ArgumentException>(() => _catalog.Server.EnsureUserAsync("x", admin: false, "zzzzz-tpzed-activeactiveact", "s", CancellationToken.None));
    }

    [Fact]
    public void Incomplete_configuration_is_refused_with_all_faults()
    {
        var error = Assert.Throws<ConfigException>(() => CatalogServer.Create(
            new ClusterConfig { ClusterId = "BAD" }, new CatalogServerOptions(), null, TimeProvider.System, NullLoggerFactory.Instance));
        foreach (var name in new[] { "'BAD'", "SystemRootToken", "SqlitePath", "BlobSigningKey" })
        {
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Serves_https_with_a_certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        var folder = Directory.CreateTempSubdirectory("keepfs-catalog-tls-").FullName;
        var config = new ClusterConfig
        {
            ClusterId = "zzzzz",
            SystemRootToken = TestCatalog.RootToken,
            Collections = new CollectionsConfig { BlobSigningKey = "k" },
            Catalog = new CatalogConfig { SqlitePath = Path.Combine(folder, "db") },
        };
        await using (var server = CatalogServer.Create(config, new CatalogServerOptions(), ServerCertificate.Of(certificate), TimeProvider.System, NullLoggerFactory.Instance))
        {
            await server.StartAsync(CancellationToken.None);
            Assert.Equal("https", server.Addresses[0].Scheme);
            using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, given, _, _) => given?.Thumbprint == certificate.Thumbprint };
            using var http = new HttpClient(handler) { BaseAddress = server.Addresses[0] };
            var document = JsonNode.Parse(await http.GetStringAsync("/discovery/v1/apis/arvados/v1/rest"))!;
            Assert.Equal(server.Addresses[0].ToString(), document["rootUrl"]!.GetValue<string>());
            await server.StopAsync(CancellationToken.None);
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Concurrent_writes_are_all_counted_in_the_metrics()
    {
        var before = _catalog.Server.Writes;
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["name"] = $"n{i}" })));

        var metrics = await _catalog.SendAsync(null, HttpMethod.Get, "/metrics", null);
        Assert.Equal(50, _catalog.Server.Writes - before);
        Assert.Contains($"keepfs_catalog_writes_total {_catalog.Server.Writes}", metrics.Text, StringComparison.Ordinal);
        Assert.Equal(50, (await _catalog.GetAsync(_catalog.ActiveToken, "collections?limit=0")).Json["items_available"]!.GetValue<int>());
    }

    [Fact]
    public async Task Discovery_answers_304_to_its_etag()
    {
        var first = await _catalog.SendAsync(null, HttpMethod.Get, "/discovery/v1/apis/arvados/v1/rest", null);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/discovery/v1/apis/arvados/v1/rest");
        request.Headers.Add("If-None-Match", first.Headers["ETag"]);
        Assert.Equal(304, (await _catalog.SendAsync(request)).Status);
    }

    [Fact]
    public async Task Errors_have_the_shape_and_the_request_id()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/arvados/v1/collections/zzzzz-4zz18-nosuchnosuchnos");
        request.Headers.Add("Authorization", "Bearer " + _catalog.ActiveToken);
        request.Headers.Add("X-Request-Id", "req-abcdefghij0123456789");
        var answer = await _catalog.SendAsync(request);

        Assert.Equal(404, answer.Status);
        Assert.Equal("req-abcdefghij0123456789", answer.Headers["X-Request-Id"]);
        Assert.Contains("(req-abcdefghij0123456789)", answer.Error, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\+[0-9a-f]{8}$", answer.Text_("error_token"));
    }

    [Theory]
    [InlineData("GET", "/arvados/v1/nosuch", 404)]
    [InlineData("GET", "/", 404)]
    [InlineData("DELETE", "/arvados/v1/collections", 405)]
    [InlineData("PUT", "/arvados/v1/logs/x", 405)]
    [InlineData("OPTIONS", "/arvados/v1/anything", 200)]
    [InlineData("HEAD", "/arvados/v1/config", 200)]
    public async Task Path_and_method_decide_the_status(string method, string path, int status)
    {
        var answer = await _catalog.SendAsync(_catalog.ActiveToken, new HttpMethod(method), path, null);
        Assert.Equal(status, answer.Status);
        Assert.Equal("*", answer.Headers["Access-Control-Allow-Origin"]);
        Assert.True(status is 200 || answer.Error.Length > 0);
    }

    [Fact]
    public async Task Malformed_body_is_400_unknown_attribute_422_and_known_fields_are_ignored()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/arvados/v1/collections") { Content = new StringContent("{\"name\":", Encoding.UTF8, "application/json") };
        request.Headers.Add("Authorization", "Bearer " + _catalog.ActiveToken);
        Assert.Equal(400, (await _catalog.SendAsync(request)).Status);
        Assert.Equal(422, (await _catalog.PostAsync(_catalog.ActiveToken, "collections", new JsonObject { ["nosuch"] = 1 })).Status);
        Assert.Equal(422, (await _catalog.PostAsync(_catalog.ActiveToken, "collections", new JsonObject { ["file_names"] = "x" })).Status);
        Assert.Equal(422, (await _catalog.PostAsync(_catalog.ActiveToken, "collections", new JsonObject { ["uuid"] = "zzzzz-4zz18-aaaaaaaaaaaaaaa" })).Status);
        var ignored = await _catalog.PostAsync(_catalog.ActiveToken, "collections", new JsonObject
        {
            ["kind"] = "x",
            ["etag"] = "x",
            ["created_at"] = "2001-01-01T00:00:00Z",
            ["modified_by_client_uuid"] = "x",
            ["file_count"] = 5,
            ["version"] = 9,
        });
        Assert.Equal(200, ignored.Status);
        Assert.Equal(1, ignored.Json["version"]!.GetValue<int>());
        Assert.Equal(0, ignored.Json["file_count"]!.GetValue<int>());
        Assert.DoesNotContain("2001", ignored.Text_("created_at"), StringComparison.Ordinal);
        Assert.Equal(200, (await _catalog.PostAsync(_catalog.AdminToken, "collections", new JsonObject { ["uuid"] = "zzzzz-4zz18-aaaaaaaaaaaaaaa" })).Status);
    }

    [Fact]
    public async Task Body_above_the_limit_is_413()
    {
        await using var small = await TestCatalog.StartAsync(database, config => config with { API = new ApiConfig { MaxRequestSize = 10_000 } });
        var answer = await small.PostAsync(small.ActiveToken, "collections", new JsonObject { ["description"] = new string('x', 20_000) });
        Assert.Equal(413, answer.Status);
        Assert.Single(answer.Json["errors"]!.AsArray());
    }

    [Fact]
    public async Task Method_override_works_by_parameter_and_header()
    {
        var uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["name"] = "before" });
        using var form = new HttpRequestMessage(HttpMethod.Post, $"/arvados/v1/collections/{uuid}")
        {
            Content = new FormUrlEncodedContent([new("_method", "PUT"), new("collection", "{\"name\":\"after\"}"), new("api_token", _catalog.ActiveToken)]),
        };

        Assert.Equal("after", (await _catalog.SendAsync(form)).Text_("name"));
        Assert.Equal(405, (await _catalog.PostAsync(_catalog.ActiveToken, $"collections/{uuid}", [])).Status);
        Assert.Equal(200, (await _catalog.PostAsync(_catalog.ActiveToken, $"collections/{uuid}?_method=DELETE")).Status);
    }

    [Fact]
    public async Task Keep_services_come_from_the_configuration_until_one_is_registered()
    {
        var body = new JsonObject { ["keep_service"] = new JsonObject { ["service_host"] = "keep0.zzzzz.example", ["service_port"] = 25107, ["service_ssl_flag"] = false, ["service_type"] = "disk" } };
        var generated = await _catalog.SendAsync(null, HttpMethod.Get, "keep_services/accessible", null);
        using var external = new HttpRequestMessage(HttpMethod.Get, "/arvados/v1/keep_services/accessible");
        external.Headers.Add("X-External-Client", "1");
        var proxies = await _catalog.SendAsync(external);

        Assert.Equal(["127.0.0.1", "keep1.example"], generated.ItemTexts("service_host").Order(StringComparer.Ordinal));
        Assert.Contains("zzzzz-bi6l4-" + Convert.ToHexStringLower(MD5.HashData("https://keep1.example:25108"u8))[..15], generated.ItemTexts("uuid"));
        Assert.Equal(["proxy"], proxies.ItemTexts("service_type"));
        Assert.True(proxies.Items[0]!["service_ssl_flag"]!.GetValue<bool>());
        Assert.Equal(443, proxies.Items[0]!["service_port"]!.GetValue<int>());

        Assert.Equal(403, (await _catalog.PostAsync(_catalog.ActiveToken, "keep_services", JsonNode.Parse(body.ToJsonString())!.AsObject())).Status);
        var uuid = await _catalog.CreateAsync(_catalog.AdminToken, "keep_services", body);
        Assert.Equal([uuid], (await _catalog.GetAsync(_catalog.ActiveToken, "keep_services")).ItemTexts("uuid"));
        Assert.True((await _catalog.PutAsync(_catalog.AdminToken, $"keep_services/{uuid}", new JsonObject { ["read_only"] = true })).Json["read_only"]!.GetValue<bool>());
        Assert.Equal(200, (await _catalog.DeleteAsync(_catalog.AdminToken, $"keep_services/{uuid}")).Status);
        Assert.Equal(3, (await _catalog.GetAsync(_catalog.ActiveToken, "keep_services")).Items.Count);
    }

    [Fact]
    public async Task Clients_write_log_records_and_nobody_changes_them()
    {
        var uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "logs", new JsonObject
        {
            ["log"] = new JsonObject { ["object_uuid"] = _catalog.ActiveUser, ["event_type"] = "file_download", ["properties"] = new JsonObject { ["reqPath"] = "/x" } },
        });
        Assert.Equal("file_download", (await _catalog.GetAsync(_catalog.ActiveToken, $"logs/{uuid}")).Text_("event_type"));
        Assert.Equal(405, (await _catalog.DeleteAsync(_catalog.AdminToken, $"logs/{uuid}")).Status);
    }

    [Fact]
    public async Task Servers_write_several_log_records_at_once_or_none()
    {
        static JsonObject Of(params JsonNode[] records) => new() { ["logs"] = new JsonArray(records) };
        JsonObject Record(string kind) => new() { ["object_uuid"] = _catalog.ActiveUser, ["event_type"] = kind };

        Assert.Equal(403, (await _catalog.PostAsync(_catalog.ActiveToken, "/keepfs/v1/logs", Of(Record("mine")))).Status);
        Assert.Equal(422, (await _catalog.PostAsync(_catalog.AdminToken, "/keepfs/v1/logs", Of(Record("first"), new JsonObject { ["nothing"] = 1 }))).Status);
        Assert.Equal(422, (await _catalog.PostAsync(_catalog.AdminToken, "/keepfs/v1/logs", Of([.. Enumerable.Range(0, 1001).Select(_ => Record("many"))]))).Status);
        Assert.Equal(200, (await _catalog.PostAsync(_catalog.AdminToken, "/keepfs/v1/logs", Of(Record("second"), Record("third")))).Status);

        var kinds = (await _catalog.GetAsync(_catalog.ActiveToken, "logs?limit=1000")).Items.Select(item => (string?)item!["event_type"]);
        Assert.Equal(["second", "third"], kinds.Where(kind => kind is "mine" or "first" or "many" or "second" or "third").Order());
    }
}
