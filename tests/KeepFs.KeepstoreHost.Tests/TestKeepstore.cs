using System.Net;
using System.Net.Http.Headers;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>A real keepstore on a free port with directory volumes, and a client for it.</summary>
public sealed class TestKeepstore : IAsyncDisposable
{
    public const string Url = "http://keep0.example:25107";
    public const string SystemToken = "systemroottoken";
    public const string Token = "hocfupkn2pjhrpgp2vxv8rsku7tvtx49arbc9s4bvu7p7wxqvk";

    public const string Key =
        "13u9fkuccnboeewr0ne3mvapk28epf68a3bhj9q8sb4l6e4e5mkkp6nhj2mmpscgu1zze5h5enydxfe3j215024u16ij4hjaiqs5u4pzsl3nczmaoxnc" +
        "ljkm4875xqn4xv058koz3vkptmzhyheiy6wzevzjmdvxhvcqsvr5abhl15c2d4o4jhl0s91lojy1mtrzqqvprqcverls0xvy9vai9t1l1lvvazpuadafm71jl4mrwq2y" +
        "gokee3eamvjy8qq1fvy238838enjmy5wzy2md7yvsitp5vztft6j4q866efym7e6vu5wm9fpnwjyxfldw3vbo01mgjs75rgo7qioh8z8ij7jpyp8508okhgbbex3ceei" +
        "786u5rw2a9gx743dj3fgq2irk";

    private readonly HttpClient _client = new();
    private KeepstoreServer _server;

    private TestKeepstore(ClusterConfig config, ManualTime time)
    {
        Config = config;
        Time = time;
        _server = Make();
    }

    public ClusterConfig Config { get; }

    public ManualTime Time { get; }

    public KeepstoreServer Server => _server;

    public static ClusterConfig ConfigFor(params TemporaryFolder[] folders) => new()
    {
        ClusterId = "zzzzz",
        SystemRootToken = SystemToken,
        ManagementToken = "manage",
        Collections = new CollectionsConfig { BlobSigningKey = Key },
        Services = new ServicesConfig
        {
            Keepstore = new ServiceConfig { InternalURLs = new Dictionary<string, InternalUrlConfig> { [Url] = new() } },
        },
        Volumes = folders.Select((folder, i) => (folder, i)).ToDictionary(
            entry => $"zzzzz-nyw5e-{new string((char)('0' + entry.i), 15)}",
            entry => new VolumeConfig { DriverParameters = new Dictionary<string, string> { ["Root"] = entry.folder.Path } }),
    };

    public static async Task<TestKeepstore> StartAsync(ClusterConfig config, ManualTime? time = null)
    {
        var keepstore = new TestKeepstore(config, time ?? new ManualTime());
        await keepstore._server.StartAsync(default);
        return keepstore;
    }

    public async Task RestartAsync()
    {
        await _server.StopAsync(default);
        await _server.DisposeAsync();
        _server = Make();
        await _server.StartAsync(default);
    }

    public Uri Address => new(_server.Addresses.Single());

    public async Task<HttpResponseMessage> SendAsync(
        string method, string path, string? token = Token, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), Address + path[1..]);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        request.Content = body is null ? null : new ByteArrayContent(body);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _client.SendAsync(request);
    }

    /// <summary>Sends and expects a status; returns the body as text.</summary>
    public async Task<string> ExpectAsync(HttpStatusCode status, string method, string path, string? token = Token, byte[]? body = null)
    {
        using var response = await SendAsync(method, path, token, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.StopAsync(default);
        await _server.DisposeAsync();
    }

    private KeepstoreServer Make() =>
        KeepstoreServer.Create(Config, Url + "/", new KeepstoreServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Time = Time });
}
