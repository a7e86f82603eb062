using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KeepFs.Catalog;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.KeepstoreHost;
using KeepFs.Testing.Volumes;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.WebDav.Tests;

/// <summary>A whole site on free ports: catalogue, two keepstores on folders, keep-web, and two users. Made once per test class.</summary>
public sealed class TestSite : IAsyncLifetime, IDisposable
{
    private const string RootToken = "systemtokensystemtokensystemtokensystemtoken";
    private const string ManagementToken = "managementmanagementmanagement";
    private readonly TemporaryFolder _database = new();
    private readonly List<KeepstoreServer> _keepstores = [];
    private readonly HttpClient _catalogHttp = new() { Timeout = Timeout.InfiniteTimeSpan };
    private CatalogServer _catalog = null!;
    private KeepWebServer _web = null!;
    private int _names;

    public IReadOnlyList<TemporaryFolder> Volumes { get; } = [new(), new()];

    /// <summary>What the keepstores say went wrong.</summary>
    public RecentErrors KeepstoreErrors { get; } = new(TimeProvider.System);

    public string Token { get; private set; } = "";

    public string OtherToken { get; private set; } = "";

    public string AdminToken { get; private set; } = "";

    public ICatalog Catalog { get; private set; } = null!;

    public ICatalog OtherCatalog { get; private set; } = null!;

    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false }) { Timeout = TimeSpan.FromMinutes(2) };

    public Uri Address => new(_web.Addresses.Single());

    public ClusterConfig Config { get; private set; } = null!;

    public Uri ApiRoot => new(_catalog.Addresses[0].AbsoluteUri);

    public async Task InitializeAsync()
    {
        string[] urls = ["http://keep0.test:1", "http://keep1.test:1"];
        Config = new ClusterConfig
        {
            ClusterId = "zzzzz",
            SystemRootToken = RootToken,
            ManagementToken = ManagementToken,
            Collections = new CollectionsConfig { BlobSigningKey = "signingkeysigningkeysigningkey", DefaultReplication = 2 },
            Catalog = new CatalogConfig { SqlitePath = Path.Combine(_database.Path, "catalog.sqlite") },
            Services = new ServicesConfig { Keepstore = new ServiceConfig { InternalURLs = urls.ToDictionary(url => url, _ => new InternalUrlConfig()) } },
            Volumes = urls.Select((url, i) => (url, i)).ToDictionary(
                entry => $"zzzzz-nyw5e-{new string((char)('0' + entry.i), 15)}",
                entry => new VolumeConfig
                {
                    DriverParameters = new Dictionary<string, string> { ["Root"] = Volumes[entry.i].Path },
                    AccessViaHosts = new Dictionary<string, VolumeAccessConfig> { [entry.url] = new() },
                }),
        };
        _catalog = CatalogServer.Create(Config, new CatalogServerOptions(), certificate: null, TimeProvider.System, NullLoggerFactory.Instance);
        await _catalog.StartAsync(default);
        var admin = AdminToken = await _catalog.EnsureUserAsync("admin", admin: true, "zzzzz-gj3su-adminadminadmin", "adminsecretadminsecretadminsecret", default);
        Token = await _catalog.EnsureUserAsync("active", admin: false, "zzzzz-gj3su-activeactiveact", "activesecretactivesecretactive", default);
        OtherToken = await _catalog.EnsureUserAsync("other", admin: false, "zzzzz-gj3su-otherotherother", "othersecretothersecretothersecret", default);
        (Catalog, OtherCatalog) = (CatalogOf(Token), CatalogOf(OtherToken));
        foreach (var url in urls)
        {
            var keepstore = KeepstoreServer.Create(Config, url, new KeepstoreServerOptions
            {
                Errors = KeepstoreErrors,
                Listen = new IPEndPoint(IPAddress.Loopback, 0),

                // Tests damage copies and want to see what readers get then.
                Verified = new VerifiedBlocksOptions { TrustedFor = TimeSpan.Zero },
            });
            await keepstore.StartAsync(default);
            _keepstores.Add(keepstore);
            await RegisterAsync(admin, new Uri(keepstore.Addresses.Single()));
        }

        _web = await StartWebAsync(options => options);
    }

    /// <summary>Another keep-web on the same site; the caller stops it.</summary>
    public async Task<KeepWebServer> StartWebAsync(Func<KeepWebServerOptions, KeepWebServerOptions> configure, ClusterConfig? config = null)
    {
        var web = KeepWebServer.Create(config ?? Config, configure(new KeepWebServerOptions
        {
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            ApiRoot = ApiRoot,
            FirstRetryDelay = TimeSpan.FromMilliseconds(1),
            ReadMemoryBytes = 128L << 20,
            WriteMemoryBytes = 128L << 20,
        }));
        await web.StartAsync(default);
        return web;
    }

    /// <summary>An empty collection in the user's home, with a name of its own; returns its UUID.</summary>
    public async Task<string> CreateCollectionAsync(string? name = null)
    {
        var write = new CollectionWrite { Name = name ?? $"collection {Interlocked.Increment(ref _names)}", ManifestText = ReadOnlyMemory<byte>.Empty };
        return (await Catalog.CreateCollectionAsync(new CollectionChange { Collection = write }, default)).Uuid;
    }

    public async Task<string> ManifestOfAsync(string uuid) =>
        Encoding.UTF8.GetString((await Catalog.FindCollectionAsync(uuid, null, default))!.ManifestText!.Value.Span);

    public HttpRequestMessage Request(string method, string path, byte[]? body = null, string? token = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Address.AbsoluteUri.TrimEnd('/') + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if ((token ?? Token).Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token ?? Token);
        }

        request.Content = body is null ? null : new ByteArrayContent(body);
        foreach (var (name, value) in headers)
        {
            _ = request.Headers.TryAddWithoutValidation(name, value) || (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    /// <summary>Sends, expects a status, and returns the answer with its body read.</summary>
    public async Task<TestAnswer> ExpectAsync(int status, string method, string path, byte[]? body = null, string? token = null, params (string Name, string Value)[] headers)
    {
        using var request = Request(method, path, body, token, headers);
        using var response = await Http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.True((int)response.StatusCode == status, $"{method} {path}: wanted {status}, got {(int)response.StatusCode} {Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(500, bytes.Length)))}");
        return new TestAnswer(bytes, response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
    }

    public Task<TestAnswer> PutAsync(string path, string text, int status = 201) => ExpectAsync(status, "PUT", path, Encoding.UTF8.GetBytes(text));

    public async Task<string> GetTextAsync(string path) => (await ExpectAsync(200, "GET", path)).Text;

    public async Task DisposeAsync()
    {
        await _web.StopAsync(default);
        await _web.DisposeAsync();
        foreach (var keepstore in _keepstores)
        {
            await keepstore.StopAsync(default);
            await keepstore.DisposeAsync();
        }

        await _catalog.StopAsync(default);
        await _catalog.DisposeAsync();
    }

    public void Dispose()
    {
        Http.Dispose();
        _catalogHttp.Dispose();
        _database.Dispose();
        foreach (var volume in Volumes)
        {
            volume.Dispose();
        }
    }

    /// <summary>A token of the user that may do nothing but ask who it is.</summary>
    public async Task<string> CreateScopedTokenAsync()
    {
        using var answer = JsonDocument.Parse(await PostAsync(
            Token, "api_client_authorizations", """{"api_client_authorization":{"scopes":["GET /arvados/v1/users/current"]}}"""));
        return $"v2/{answer.RootElement.GetProperty("uuid").GetString()}/{answer.RootElement.GetProperty("api_token").GetString()}";
    }

    /// <summary>Lets the other user at an object of the user.</summary>
    public async Task ShareAsync(string uuid, string right)
    {
        var other = (await OtherCatalog.GetCurrentUserAsync(default)).Uuid;
        await PostAsync(Token, "links", $$$"""{"link":{"link_class":"permission","name":"{{{right}}}","tail_uuid":"{{{other}}}","head_uuid":"{{{uuid}}}"}}""");
    }

    /// <summary>What keep-web's /metrics says.</summary>
    public async Task<string> MetricsAsync() => (await ExpectAsync(200, "GET", "/metrics", null, ManagementToken)).Text;

    /// <summary>The same of another keep-web.</summary>
    public async Task<string> MetricsAsync(Uri address)
    {
        using var request = Request("GET", "/metrics", null, ManagementToken);
        request.RequestUri = new Uri(address, "/metrics");
        using var response = await Http.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }

    private CatalogClient CatalogOf(string token) =>
        new(_catalogHttp, new CatalogClientOptions { ApiRoot = ApiRoot, Token = token }, TimeProvider.System, new Random(1));

    private Task<string> RegisterAsync(string admin, Uri address) => PostAsync(
        admin, "keep_services", $$$"""{"keep_service":{"service_host":"{{{address.Host}}}","service_port":{{{address.Port}}},"service_type":"disk"}}""");

    /// <summary>GETs from the catalogue.</summary>
    public async Task<JsonElement> AskAsync(string token, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(ApiRoot, "arvados/v1/" + path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await _catalogHttp.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        using var answer = JsonDocument.Parse(text);
        return answer.RootElement.Clone();
    }

    /// <summary>POSTs to the catalogue.</summary>
    public Task<string> PostAsync(string token, string path, string json) => SendAsync(HttpMethod.Post, token, "arvados/v1/" + path, json);

    /// <summary>Lets what is in a user's home or a project have so many bytes.</summary>
    public Task SetQuotaAsync(string uuid, long bytes) => SendAsync(HttpMethod.Put, AdminToken, "keepfs/v1/quotas/" + uuid, $$"""{"hard_bytes":{{bytes}}}""");

    private async Task<string> SendAsync(HttpMethod method, string token, string path, string json)
    {
        using var request = new HttpRequestMessage(method, new Uri(ApiRoot, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _catalogHttp.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return text;
    }
}

/// <summary>An answer whose body was read.</summary>
public sealed record TestAnswer(byte[] Body, IReadOnlyDictionary<string, string> Headers)
{
    public string Text => Encoding.UTF8.GetString(Body);
}
