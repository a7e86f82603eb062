using System.Net;
using System.Net.Http.Headers;
using KeepFs.Hosting.Configuration;
using KeepFs.KeepstoreHost;

namespace KeepFs.Volumes.Tests;

/// <summary>A real keepstore, configured by a config.yml with one volume of an object store, and a client for it.</summary>
internal sealed class ObjectKeepstore : IAsyncDisposable
{
    public const string SystemToken = "the-system-root-token-of-the-tests";
    private const string Token = "a-users-token-of-the-tests";
    private const string Url = "http://keep0.zzzzz.example:25107/";
    private readonly HttpClient _client = new();
    private readonly KeepstoreServer _server;

    private ObjectKeepstore(KeepstoreServer server) => _server = server;

    public static async Task<ObjectKeepstore> StartAsync(string driver, IReadOnlyDictionary<string, string> parameters, TimeProvider? time = null, string collections = "")
    {
        var config = ClusterConfigLoader.Parse(Yaml(driver, parameters, collections), "config.yml").Config;
        var server = KeepstoreServer.Create(config, Url, new KeepstoreServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Time = time ?? TimeProvider.System });
        await server.StartAsync(default);
        return new ObjectKeepstore(server);
    }

    public static string Yaml(string driver, IReadOnlyDictionary<string, string> parameters, string collections = "") => $$$"""
        Clusters:
          zzzzz:
            SystemRootToken: {{{SystemToken}}}
            ManagementToken: manage
            Collections: {BlobSigningKey: "a key of the tests that is long enough", {{{collections}}}}
            Services:
              Keepstore:
                InternalURLs: {"{{{Url}}}": {}}
            Volumes:
              zzzzz-nyw5e-000000000000000:
                Driver: {{{driver}}}
                Replication: 2
                DriverParameters:
        {{{string.Join('\n', parameters.Select(parameter => $"          {parameter.Key}: \"{parameter.Value}\""))}}}
        """;

    public async Task<(HttpStatusCode Status, byte[] Body, HttpResponseHeaders Headers)> SendAsync(string method, string path, byte[]? body = null, string token = Token)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{_server.Addresses.Single()}/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Content = body is null ? null : new ByteArrayContent(body);
        using var response = await _client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(), response.Headers);
    }

    /// <summary>Stores a block and returns its signed locator.</summary>
    public async Task<string> PutAsync(byte[] data)
    {
        var hash = Engine.Blocks.BlockHash.Compute(data);
        var (status, body, headers) = await SendAsync("PUT", $"{hash}", data);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("2", headers.GetValues("X-Keep-Replicas-Stored").Single());
        return System.Text.Encoding.ASCII.GetString(body).TrimEnd('\n');
    }

    public async Task<string> TextAsync(string path, string token)
    {
        var (status, body, _) = await SendAsync("GET", path, token: token);
        Assert.Equal(HttpStatusCode.OK, status);
        return System.Text.Encoding.ASCII.GetString(body);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.StopAsync(default);
        await _server.DisposeAsync();
    }
}
