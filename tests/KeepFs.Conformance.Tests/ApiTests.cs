using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace KeepFs.Conformance.Tests;

/// <summary>What the official Python clients ask, request by request (python-clients.md), sent raw to the real services.</summary>
[Collection(ClusterTests.Name)]
public sealed class ApiTests(SharedCluster shared) : IDisposable
{
    private readonly KeepFsProcess _cluster = shared.Process;
    private readonly Http _http = new(shared.Process);

    public void Dispose() => _http.Dispose();

    [Theory]
    [InlineData("collections", "get list create update delete")]
    [InlineData("users", "current get list")]
    [InlineData("groups", "get list contents shared")]
    [InlineData("keep_services", "accessible")]
    [InlineData("configs", "get")]
    [InlineData("links", "list")]
    [InlineData("logs", "list")]
    [InlineData("api_client_authorizations", "current")]
    public async Task The_discovery_document_describes_a_resource_whole(string resource, string methods)
    {
        var document = await DiscoverAsync(_cluster.Token);
        foreach (var name in methods.Split(' '))
        {
            var method = document["resources"]![resource]!["methods"]![name]!;
            Assert.NotEqual("", (string)method["id"]!);
            Assert.NotEqual("", (string)method["path"]!);
            Assert.Equal(name switch { "create" => "POST", "update" => "PUT", "delete" => "DELETE", _ => "GET" }, (string)method["httpMethod"]!);
            Assert.NotNull(method["response"]);
            if ((string?)method["response"]!["$ref"] is { } schema)
            {
                Assert.NotNull(document["schemas"]![schema]);
            }

            var parameters = method["parameters"]?.AsObject() ?? [];
            Assert.All(Expected(name), parameter => Assert.Contains(parameter, parameters));
            if (((string)method["path"]!).Contains("{uuid}", StringComparison.Ordinal))
            {
                Assert.Equal("path", (string)parameters["uuid"]!["location"]!);
            }

            Assert.All(parameters, parameter => Assert.Contains((string)parameter.Value!["location"]!, (string[])["path", "query"]));
            Assert.All(parameters, parameter => Assert.NotNull(parameter.Value!["type"]));
            Assert.True(name is not ("create" or "update") || method["request"]!["properties"] is not null);
        }

        static string[] Expected(string method) => method switch
        {
            "list" => ["filters", "order", "select", "limit", "count", "offset"],
            "contents" => ["uuid", "filters", "order", "limit", "count"],
            "create" => ["ensure_unique_name"],
            _ => [],
        };
    }

    [Fact]
    public async Task The_discovery_document_leads_back_to_this_server_with_or_without_a_token()
    {
        foreach (var token in (string?[])[_cluster.Token, null, "nonsense"])
        {
            var document = await DiscoverAsync(token);
            var uuid = (string)(await _http.ApiOkAsync(HttpMethod.Get, "arvados/v1/users/current"))["uuid"]!;

            Assert.Equal($"https://{_cluster.Env["ARVADOS_API_HOST"]}", ((string)document["rootUrl"]!).TrimEnd('/'));
            Assert.Equal("arvados/v1/", (string)document["servicePath"]!);
            Assert.Equal(uuid[..5], (string)document["uuidPrefix"]!);
            Assert.Equal(2, (int)document["defaultCollectionReplication"]!);
            Assert.True((string?)document["websocketUrl"] is null or "" || ((string)document["websocketUrl"]!).StartsWith("wss://", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_requests_of_arv_put_and_arv_get_work_in_their_order()
    {
        // 1. Configuration and user; alt=json is on every call.
        var config = await _http.ApiOkAsync(HttpMethod.Get, "arvados/v1/config?alt=json");
        Assert.True((bool)config["StorageClasses"]!["default"]!["Default"]!);
        var user = (string)(await _http.ApiOkAsync(HttpMethod.Get, "arvados/v1/users/current?alt=json"))["uuid"]!;

        // 2. Keep services.
        var services = (await _http.ApiOkAsync(HttpMethod.Get, "arvados/v1/keep_services/accessible?alt=json"))["items"]!.AsArray();
        var disks = services.Where(service => (string)service!["service_type"]! == "disk").ToArray();
        Assert.Equal([_cluster.KeepstorePort(0), _cluster.KeepstorePort(1)], disks.Select(service => (int)service!["service_port"]!).Order());
        Assert.All(services, service => Assert.Equal((27, false), (((string)service!["uuid"]!).Length, (bool)service["service_ssl_flag"]!)));
        Assert.All(disks, service => Assert.False((bool)service!["read_only"]!));

        // Clients ask the gateway only where a locator names it, and never write to it.
        Assert.All(services.Except(disks), service => Assert.Equal(("gateway:keepgw", true), ((string)service!["service_type"]!, (bool)service["read_only"]!)));

        // 3. The block to both, the first by the library that arv-put uses.
        var data = RandomNumberGenerator.GetBytes(100_000);
        var file = Path.Combine(_cluster.NewFolder(), "file");
        await File.WriteAllBytesAsync(file, data);
        var curl = await _cluster.ScriptAsync(
            $"curl -sS -v -T {file} -H 'Expect: 100-continue' -H \"Authorization: Bearer $ARVADOS_API_TOKEN\" -H 'X-Keep-Desired-Replicas: 2' -H 'X-Keep-Storage-Classes: default' http://127.0.0.1:{_cluster.KeepstorePort(0)}/{Blocks.Hash(data)}");
        var locator = curl.Ok();
        Assert.Contains("100 Continue", curl.Errors, StringComparison.Ordinal);
        Assert.Contains("X-Keep-Replicas-Stored: 1", curl.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("X-Keep-Storage-Classes-Confirmed: default=1", curl.Errors, StringComparison.OrdinalIgnoreCase);
        using var second = await _http.KeepstoreAsync(HttpMethod.Put, 1, Blocks.Hash(data), _cluster.Token, data);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Matches($@"^{Blocks.Hash(data)}\+100000\+A[0-9a-f]{{40}}@[0-9a-f]{{8}}$", locator);

        // 4. The collection, attributes at top level, nulls explicit.
        var name = "arv-put " + Guid.NewGuid().ToString("N");
        var body = new JsonObject
        {
            ["manifest_text"] = $". {locator} 0:100000:file\n",
            ["name"] = name,
            ["replication_desired"] = null,
            ["owner_uuid"] = user,
            ["storage_classes_desired"] = new JsonArray("default"),
        };
        var created = await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/collections?ensure_unique_name=true&alt=json", body);
        Assert.Equal(name, (string)created["name"]!);

        // arv-get: by UUID and by portable data hash, whose plus sign arrives escaped.
        foreach (var id in (string[])[(string)created["uuid"]!, ((string)created["portable_data_hash"]!).Replace("+", "%2B", StringComparison.Ordinal)])
        {
            var manifest = (string)(await _http.ApiOkAsync(HttpMethod.Get, $"arvados/v1/collections/{id}?alt=json"))["manifest_text"]!;
            Assert.Matches($@"^\. {Blocks.Hash(data)}\+100000\+A[0-9a-f]{{40}}@[0-9a-f]{{8}} 0:100000:file\n$", manifest);
            for (var store = 0; store < 2; store++)
            {
                using var read = await _http.KeepstoreAsync(HttpMethod.Get, store, manifest.Split(' ')[1], _cluster.Token);
                Assert.Equal(data, await read.Content.ReadAsByteArrayAsync());
            }
        }
    }

    private async Task<JsonNode> DiscoverAsync(string? token)
    {
        using var response = await _http.ApiAsync(HttpMethod.Get, "discovery/v1/apis/arvados/v1/rest", token);
        return await Http.JsonAsync(response);
    }
}
