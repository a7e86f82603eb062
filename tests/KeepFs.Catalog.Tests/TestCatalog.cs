using System.Data.Common;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.Catalog.Tests;

/// <summary>A real server on a free port with a real database in a folder of its own, and two users.</summary>
internal sealed class TestCatalog : IAsyncDisposable
{
    public const string Cluster = "zzzzz";
    public const string RootToken = "rootsecretrootsecretrootsecretrootsecret";
    public const string AnonymousToken = "anonymoussecretanonymoussecretanonymous";
    public const string SigningKey = "testsigningkeytestsigningkey";
    public const string SystemUser = "zzzzz-tpzed-000000000000000";
    public const string AllUsers = "zzzzz-j7d0g-fffffffffffffff";
    public const string AnonymousRole = "zzzzz-j7d0g-anonymouspublic";

    private readonly string _folder = Directory.CreateTempSubdirectory("keepfs-catalog-").FullName;
    private readonly Func<ClusterConfig, ClusterConfig> _configure;
    private readonly bool _isTestMode;
    private readonly PostgreSqlConfig? _postgres;
    private readonly ILoggerFactory _loggers;
    private CatalogServer? _server;

    private bool _ownsDatabase = true;

    private TestCatalog(PostgreSqlConfig? postgres, Func<ClusterConfig, ClusterConfig> configure, bool isTestMode, ILoggerFactory? loggers = null) =>
        (_postgres, _configure, _isTestMode, _loggers) = (postgres, configure, isTestMode, loggers ?? NullLoggerFactory.Instance);

    public HttpClient Http { get; private set; } = null!;

    public TestClock Clock { get; private init; } = new();

    public string AdminToken { get; private set; } = "";

    public string ActiveToken { get; private set; } = "";

    public string SpectatorToken { get; private set; } = "";

    public string ActiveUser { get; private set; } = "";

    public string SpectatorUser { get; private set; } = "";

    public CatalogServer Server => _server!;

    public PostgreSqlConfig Postgres => _postgres!;

    public string DatabasePath => Path.Combine(_folder, "catalog.sqlite");

    public LocatorSigner Signer { get; } = new(SigningKey, TimeSpan.FromHours(336));

    public static async Task<TestCatalog> StartAsync(DatabaseKind database, Func<ClusterConfig, ClusterConfig>? configure = null, bool isTestMode = false, ILoggerFactory? loggers = null)
    {
        var catalog = new TestCatalog(database == DatabaseKind.Postgres ? await PostgresDatabases.CreateAsync() : null, configure ?? (config => config), isTestMode, loggers);
        await catalog.OpenAsync();
        return catalog;
    }

    /// <summary>The database itself, beside the server; the caller disposes it.</summary>
    public Storage.CatalogDatabase OpenDatabase() => _postgres is null ? Storage.CatalogDatabase.Open(DatabasePath, TimeProvider.System)
        : Storage.CatalogDatabase.Open(new ClusterConfig { ClusterId = Cluster, PostgreSQL = _postgres }, TimeProvider.System);

    /// <summary>Another server on the same PostgreSQL database, with the same clock. Dispose it first.</summary>
    public async Task<TestCatalog> StartBesideAsync()
    {
        var catalog = new TestCatalog(_postgres, _configure, _isTestMode) { Clock = Clock, _ownsDatabase = false };
        await catalog.OpenAsync();
        return catalog;
    }

    /// <summary>A server on a database that somebody else made and removes.</summary>
    public static async Task<TestCatalog> StartOnAsync(PostgreSqlConfig database)
    {
        var catalog = new TestCatalog(database, config => config, isTestMode: false) { _ownsDatabase = false };
        await catalog.OpenAsync();
        return catalog;
    }

    public async Task RestartAsync(Action? between = null)
    {
        await CloseAsync();
        between?.Invoke();
        await OpenAsync();
    }

    /// <summary>The database itself, past the server.</summary>
    public async Task<DbConnection> ConnectAsync()
    {
        DbConnection connection = _postgres is null ? new SqliteConnection($"Data Source={DatabasePath};Pooling=False") : PostgresDatabases.Connect(_postgres);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>A locator of the text, signed for the token.</summary>
    public string Signed(string text, string token, TimeSpan? lifetime = null)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return Signer.Sign(string.Create(CultureInfo.InvariantCulture, $"{BlockHash.Compute(bytes)}+{bytes.Length}"), token, Clock.GetUtcNow() + (lifetime ?? TimeSpan.FromHours(1)));
    }

    /// <summary>A manifest of one file that holds its own name's text, signed for the token.</summary>
    public string OneFile(string name, string content, string token) =>
        string.Create(CultureInfo.InvariantCulture, $". {Signed(content, token)} 0:{Encoding.UTF8.GetByteCount(content)}:{name}\n");

    public Task<Answer> GetAsync(string token, string path) => SendAsync(token, HttpMethod.Get, path, null);

    public Task<Answer> PostAsync(string token, string path, JsonObject? body = null) => SendAsync(token, HttpMethod.Post, path, body);

    public Task<Answer> PutAsync(string token, string path, JsonObject body) => SendAsync(token, HttpMethod.Put, path, body);

    public Task<Answer> DeleteAsync(string token, string path) => SendAsync(token, HttpMethod.Delete, path, null);

    public async Task<Answer> SendAsync(string? token, HttpMethod method, string path, JsonObject? body)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith('/') ? path : "/arvados/v1/" + path);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        return await SendAsync(request);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Everything, as it is exported.</summary>
    public async Task<string> ExportAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/keepfs/v1/catalog/export");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var answer = await SendAsync(request);
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Text;
    }

    public async Task<Answer> ImportAsync(string token, string lines, string query = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/keepfs/v1/catalog/import" + query) { Content = new StringContent(lines, Encoding.UTF8, "application/x-ndjson") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await SendAsync(request);
    }

    public async Task<string> CreateAsync(string token, string type, JsonObject attributes, string query = "")
    {
        var answer = await PostAsync(token, type + query, attributes);
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Text_("uuid");
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(_folder, recursive: true);
        if (_postgres is not null && _ownsDatabase)
        {
            await PostgresDatabases.DropAsync(_postgres);
        }
    }

    private async Task OpenAsync()
    {
        var config = _configure(new ClusterConfig
        {
            ClusterId = Cluster,
            SystemRootToken = RootToken,
            Users = new UsersConfig { AnonymousUserToken = AnonymousToken },
            Collections = new CollectionsConfig { BlobSigningKey = SigningKey, TrashSweepInterval = TimeSpan.Zero },
            Catalog = new CatalogConfig { SqlitePath = DatabasePath },
            // The keepstores below are not there.
            KeepFs = new KeepFsConfig { CheckpointInterval = TimeSpan.Zero },
            PostgreSQL = _postgres ?? new PostgreSqlConfig(),
            Services = new ServicesConfig
            {
                Keepstore = new ServiceConfig
                {
                    InternalURLs = new Dictionary<string, InternalUrlConfig>
                    {
                        ["http://127.0.0.1:25107"] = new() { Rendezvous = "aaaaabbbbbccccc" },
                        ["https://keep1.example:25108/"] = new(),
                    },
                },
                Keepproxy = new ServiceConfig { ExternalURL = "https://keep.example/" },
            },
        });
        _server = CatalogServer.Create(config, new CatalogServerOptions { IsTestMode = _isTestMode }, certificate: null, Clock, _loggers);
        await _server.StartAsync(CancellationToken.None);
        Http = new HttpClient { BaseAddress = _server.Addresses[0] };
        AdminToken = await _server.EnsureUserAsync("admin", admin: true, "zzzzz-gj3su-adminadminadmin", "adminsecretadminsecretadminsecret", CancellationToken.None);
        ActiveToken = await _server.EnsureUserAsync("active", admin: false, "zzzzz-gj3su-activeactiveact", "activesecretactivesecretactive", CancellationToken.None);
        SpectatorToken = await _server.EnsureUserAsync("spectator", admin: false, "zzzzz-gj3su-spectatorspecta", "spectatorsecretspectatorsecret", CancellationToken.None);
        ActiveUser = (await GetAsync(ActiveToken, "users/current")).Text_("uuid");
        SpectatorUser = (await GetAsync(SpectatorToken, "users/current")).Text_("uuid");
    }

    private async Task CloseAsync()
    {
        Http.Dispose();
        await _server!.StopAsync(CancellationToken.None);
        await _server.DisposeAsync();
    }
}
