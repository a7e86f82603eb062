using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Catalog.Checkpoints.Rebuild;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;
using KeepFs.KeepstoreHost;
using KeepFs.Testing.Volumes;

namespace KeepFs.Catalog.Tests.Checkpoints;

/// <summary>A catalogue with two real keepstores, each with a volume of its own; what is stored has two copies.</summary>
internal sealed class CheckpointCluster : IAsyncDisposable
{
    private readonly TemporaryFolder[] _folders = [new(), new()];
    private readonly List<KeepstoreServer> _keepstores = [];
    private readonly HttpClient _http = new();

    private CheckpointCluster()
    {
    }

    public TestCatalog Catalog { get; private set; } = null!;

    public string[] Volumes => [.. _folders.Select(folder => folder.Path)];

    /// <summary>Of the keepstores.</summary>
    public IEnumerable<Uri> Addresses => _keepstores.Select(keepstore => new Uri(keepstore.Addresses[0]));

    public static async Task<CheckpointCluster> StartAsync(DatabaseKind database, TimeSpan? interval = null)
    {
        var cluster = new CheckpointCluster();
        for (var i = 0; i < cluster._folders.Length; i++)
        {
            await cluster.AddKeepstoreAsync(i);
        }

        cluster.Catalog = await TestCatalog.StartAsync(database, config => cluster.Configure(config, interval ?? TimeSpan.FromHours(1)));
        return cluster;
    }

    /// <summary>A new catalogue on the same keepstores, as after the loss of the other.</summary>
    public Task<TestCatalog> StartFreshAsync(DatabaseKind database) => TestCatalog.StartAsync(database, config => Configure(config, TimeSpan.FromHours(1)));

    public async Task StopKeepstoresAsync()
    {
        foreach (var keepstore in _keepstores)
        {
            await keepstore.StopAsync(CancellationToken.None);
            await keepstore.DisposeAsync();
        }

        _keepstores.Clear();
    }

    /// <summary>Has one made, and returns what the server says of it.</summary>
    public async Task<JsonObject> CheckpointAsync(bool isFull = false)
    {
        var answer = await Catalog.PostAsync(Catalog.AdminToken, "/keepfs/v1/catalog/checkpoint" + (isFull ? "?full=true" : ""));
        Assert.True(answer.Status == 200, answer.Text);
        return answer.Json;
    }

    /// <summary>Stores text as a block and saves it as a collection of one file.</summary>
    public async Task<string> SaveAsync(string name, string text, JsonObject? more = null)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        await Client(Catalog).WriteAsync(bytes, BlockWriteOptions.Default, CancellationToken.None);
        var attributes = more ?? [];
        attributes["name"] = name;
        attributes["manifest_text"] = Catalog.OneFile(name, text, Catalog.ActiveToken);
        return await Catalog.CreateAsync(Catalog.ActiveToken, "collections", attributes);
    }

    /// <summary>The text of the one file of a collection, as its owner reads it through the catalogue and a keepstore.</summary>
    public async Task<string> ReadAsync(TestCatalog catalog, string uuid)
    {
        var locator = Locator.Parse((await catalog.GetAsync(catalog.ActiveToken, $"collections/{uuid}")).Text_("manifest_text").Split(' ')[1]);
        var pool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
        var buffer = await pool.RentAsync(locator.SizeBytes, CancellationToken.None);
        try
        {
            await Client(catalog).FetchAsync(locator, buffer, CancellationToken.None);
            return Encoding.UTF8.GetString(buffer.Memory.Span);
        }
        finally
        {
            buffer.Release();
        }
    }

    /// <summary>Rebuilds from the volumes alone.</summary>
    public async Task<(RebuildReport? Report, string Lines, List<string> Skipped)> RebuildAsync()
    {
        await using var first = Open(Volumes[0]);
        await using var second = Open(Volumes[1]);
        var rebuild = await CheckpointRebuild.OpenAsync([first, second], CancellationToken.None);
        using var output = new MemoryStream();
        var skipped = new List<string>();
        var report = await rebuild.WriteAsync(await rebuild.FindAsync(CancellationToken.None), output, (candidate, why) => skipped.Add($"{candidate.Sequence}: {why}"), CancellationToken.None);
        return (report, Encoding.UTF8.GetString(output.ToArray()), skipped);
    }

    public async Task<IReadOnlyList<FoundCheckpoint>> FindAsync()
    {
        await using var first = Open(Volumes[0]);
        await using var second = Open(Volumes[1]);
        return await (await CheckpointRebuild.OpenAsync([first, second], CancellationToken.None)).FindAsync(CancellationToken.None);
    }

    /// <summary>Flips a bit in a copy of a block.</summary>
    public void Damage(int volume, string hash)
    {
        var path = Path.Join(Volumes[volume], hash[..3], hash[..32]);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync();
        await StopKeepstoresAsync();
        _http.Dispose();
        foreach (var folder in _folders)
        {
            folder.Dispose();
        }
    }

    public KeepClient Client(TestCatalog catalog) => new(
        _http, new StaticServiceDirectory([.. _keepstores.Select((keepstore, i) => new KeepService($"zzzzz-bi6l4-{i:d15}", new Uri(keepstore.Addresses[0].TrimEnd('/') + "/"), "disk", false))]),
        new KeepClientOptions { Token = catalog.ActiveToken, DefaultReplicas = 2 }, TimeProvider.System, new Random(1));

    private static DirectoryVolume Open(string folder) =>
        new(new DirectoryVolumeOptions { Root = folder, Trash = new TrashPolicy(TimeSpan.Zero, TimeSpan.Zero, TimeProvider.System), ShareSyncsFrom = 0 });

    private ClusterConfig Configure(ClusterConfig config, TimeSpan interval) => config with
    {
        Collections = config.Collections with { DefaultReplication = 2 },
        KeepFs = config.KeepFs with { CheckpointInterval = interval },
        Services = new ServicesConfig { Keepstore = new ServiceConfig { InternalURLs = _keepstores.ToDictionary(keepstore => keepstore.Addresses[0], _ => new InternalUrlConfig()) } },
    };

    private async Task AddKeepstoreAsync(int i)
    {
        var url = $"http://keep{i}.example:25107";
        var config = new ClusterConfig
        {
            ClusterId = TestCatalog.Cluster,
            SystemRootToken = TestCatalog.RootToken,
            Collections = new CollectionsConfig { BlobSigningKey = TestCatalog.SigningKey },
            Services = new ServicesConfig { Keepstore = new ServiceConfig { InternalURLs = new Dictionary<string, InternalUrlConfig> { [url] = new() } } },
            Volumes = new Dictionary<string, VolumeConfig>
            {
                [string.Create(CultureInfo.InvariantCulture, $"zzzzz-nyw5e-{i:d15}")] = new() { DriverParameters = new Dictionary<string, string> { ["Root"] = _folders[i].Path } },
            },
        };
        var keepstore = KeepstoreServer.Create(config, url + "/", new KeepstoreServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0) });
        await keepstore.StartAsync(CancellationToken.None);
        _keepstores.Add(keepstore);
    }
}
