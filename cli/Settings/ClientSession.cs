using System.Net.Security;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Client;
using KeepFs.Engine.Client.DiskCache;
using KeepFs.Hosting.Http;

namespace KeepFs.Cli.Settings;

/// <summary>A command's connection to a cluster: catalogue, block store and the memory that they share.</summary>
internal sealed class ClientSession : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly IServiceDirectory _services;
    private readonly HashService _hashing;
    private readonly BlockCacheDirectory? _disk;
    private readonly IAsyncDisposable _cache;

    private ClientSession(
        HttpClient http, IServiceDirectory services, KeepTraffic keep, HashService hashing, ICatalog catalog, SiteConfig config, SessionLimits limits, ICatalogEvents? events)
    {
        (_http, _services, _hashing, Catalog, Config, Traffic, Events) = (http, services, hashing, catalog, config, keep, events);
        var pool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = Math.Max(limits.CacheBytes, 4L * Locator.MaxBlockSizeBytes) });
        var inMemory = new BlockCacheOptions { CapacityBytes = limits.CacheBytes };
        _disk = OpenDisk(limits);
        if (_disk is not null)
        {
            var store = new DiskCachedBlockStore(keep, pool, inMemory with { ReusesWhatWasRead = true }, _disk, hashing);
            (Store, _cache) = (store, store);
        }
        else
        {
            var store = new CachedBlockStore(keep, pool, inMemory);
            (Store, _cache) = (store, store);
        }

        WritePool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = limits.WriteBytes });
        PackPool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 4L * Locator.MaxBlockSizeBytes });
    }

    public ICatalog Catalog { get; }

    /// <summary>Never to be logged.</summary>
    public required string Token { get; init; }

    /// <summary>Reads blocks with other tokens than <see cref="Token"/>.</summary>
    public required FormerBlocks FormerBlocks { get; init; }

    public SiteConfig Config { get; }

    public IBlockStore Store { get; }

    /// <summary>For data on its way to keepstores.</summary>
    public BlockBufferPool WritePool { get; }

    /// <summary>Blocks and bytes to and from keepstores.</summary>
    public KeepTraffic Traffic { get; }

    /// <summary>Reads of blocks that memory or the disk answered.</summary>
    public long CacheHits => Store switch
    {
        DiskCachedBlockStore disk => disk.InMemory.Hits + disk.DiskHits,
        CachedBlockStore memory => memory.Hits,
        _ => 0,
    };

    /// <summary>What others change, where the cluster tells (its configuration names a websocket).</summary>
    public ICatalogEvents? Events { get; }

    /// <summary>For packing small files.</summary>
    public BlockBufferPool PackPool { get; }

    /// <summary>Asks the catalogue for its configuration and connects.</summary>
    /// <param name="settings">Address and token.</param>
    /// <param name="limits">Memory, disk and attempts.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<ClientSession> ConnectAsync(ArvadosSettings settings, SessionLimits limits, CancellationToken cancellationToken)
    {
        var http = CreateHttp(settings.IsInsecure);
        try
        {
            var requestId = RequestId.Create();
            var api = new CatalogClientOptions { ApiRoot = settings.ApiRoot, Token = settings.Token, RequestId = requestId, Attempts = limits.CatalogAttempts };
            var catalog = new CatalogClient(http, api, TimeProvider.System, Random.Shared);
            var config = await catalog.GetConfigAsync(cancellationToken);
            IServiceDirectory services = settings.KeepServices.Count > 0
                ? StaticServiceDirectory.OfUrls(settings.KeepServices)
                : new ServiceDirectory(http, settings.ApiRoot, settings.Token, TimeProvider.System);
            var options = new KeepClientOptions
            {
                Token = settings.Token,
                DefaultReplicas = config.DefaultReplication,
                DefaultStorageClasses = config.DefaultStorageClasses,
                Attempts = limits.Attempts,
                RequestId = requestId,
            };
            var hashing = new HashService(new HashServiceOptions { MaxBacklogBytes = 8 << 20 });
            var keep = new KeepClient(http, services, options, TimeProvider.System, Random.Shared, hashing);
            var events = config.WebsocketUrl is { } url ? new CatalogEvents(http, url, settings.Token) : null;
            return new ClientSession(http, services, new KeepTraffic(keep), hashing, catalog, config, limits, events)
            {
                Token = settings.Token,
                FormerBlocks = new FormerBlocks(token => new KeepClient(http, services, options with { Token = token }, TimeProvider.System, Random.Shared, hashing)),
            };
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    /// <summary>Null, with a line in the log, when a full or broken disk does not take it: a cache is no reason not to start.</summary>
    private static BlockCacheDirectory? OpenDisk(SessionLimits limits)
    {
        try
        {
            return limits.Disk is { } disk ? new BlockCacheDirectory(disk, TimeProvider.System, limits.Log) : null;
        }
        catch (IOException e)
        {
            limits.Log($"the block cache in {limits.Disk!.Path} cannot be made, so blocks are kept only in memory: {e.Message}");
            return null;
        }
    }

    /// <summary>A client for catalogue and keepstores. Timeouts are per request, in the callers.</summary>
    public static HttpClient CreateHttp(bool insecure)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
        };
        if (insecure)
        {
#pragma warning disable CA5359 // The user asked for it (ARVADOS_API_HOST_INSECURE), as a cluster with a self-signed certificate needs.
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        }

        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        _disk?.Dispose();
        await _hashing.DisposeAsync();
        (_services as IDisposable)?.Dispose();
        _http.Dispose();
    }
}
