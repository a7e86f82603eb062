using System.Collections.Concurrent;
using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// What one user sees of a cluster as a tree: <c>by_id/</c> and <c>home/</c> (mount.md section 2). Collections are opened when somebody looks inside
/// and refreshed in the background while they are open. Safe for concurrent use.
/// </summary>
public sealed class SiteFileSystem : IFileSystem
{
    private readonly ConcurrentDictionary<CollectionEntry, bool> _entries = new();
    private readonly ConcurrentDictionary<string, bool> _writableOwners = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _closing = new();
    private readonly User _user;
    private readonly Task _refreshing;

    private SiteFileSystem(CollectionServices services, SiteOptions options, SiteConfig config, User user)
    {
        (Services, Options, Config, _user) = (services, options, config, user);
        StartedAt = services.Time.GetUtcNow();
        Root = new VirtualDirectory(this, new SortedDictionary<string, IDirectoryNode>(StringComparer.Ordinal)
        {
            ["by_id"] = new ByIdDirectory(this),
            ["home"] = new ProjectDirectory(this, user.Uuid, !options.IsReadOnly),
        });
        _refreshing = RefreshLoopAsync();
    }

    /// <inheritdoc/>
    public event Action<NodeChange>? Changed;

    /// <inheritdoc/>
    public IDirectoryNode Root { get; }

    internal CollectionServices Services { get; }

    internal SiteOptions Options { get; }

    internal SiteConfig Config { get; }

    internal DateTimeOffset StartedAt { get; }

    /// <summary>Asks the catalogue who the user is and opens the tree.</summary>
    /// <exception cref="CatalogException">The catalogue cannot be reached or refuses the token.</exception>
    public static async Task<SiteFileSystem> OpenAsync(CollectionServices services, SiteOptions options, CancellationToken cancellationToken)
    {
        var config = await services.Catalog.GetConfigAsync(cancellationToken);
        return new SiteFileSystem(services, options, config, await services.Catalog.GetCurrentUserAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<FileSystemTotals> GetTotalsAsync(CancellationToken cancellationToken) => new(Options.Totals);

    /// <inheritdoc/>
    public async ValueTask SyncAllAsync(CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        foreach (var entry in _entries.Keys)
        {
            try
            {
                await entry.SyncAsync(cancellationToken);
            }
            catch (FsException e)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
        {
            throw failures.Count == 1 ? failures[0] : new AggregateException(failures);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _refreshing;
        foreach (var entry in _entries.Keys)
        {
            await entry.DisposeAsync();
        }

        _closing.Dispose();
    }

    internal bool IsFresh(long askedAt) => Services.Time.GetElapsedTime(askedAt) < Options.RefreshTime;

    internal CollectionEntry Track(CollectionEntry entry)
    {
        _entries[entry] = true;
        return entry;
    }

    internal async ValueTask UntrackAsync(CollectionEntry entry)
    {
        if (_entries.TryRemove(entry, out _))
        {
            await entry.DisposeAsync();
        }
    }

    internal void Announce(NodeChange change) => Changed?.Invoke(change);

    /// <summary>The user may create and change what that project or user owns. Permission on a single object does not count yet.</summary>
    internal async ValueTask<bool> MayWriteAsync(string? ownerUuid, CancellationToken cancellationToken)
    {
        if (Options.IsReadOnly || ownerUuid is null)
        {
            return false;
        }

        if (_user.IsAdmin || ownerUuid == _user.Uuid)
        {
            return true;
        }

        if (!_writableOwners.TryGetValue(ownerUuid, out var mayWrite))
        {
            var group = await AskAsync(catalog => catalog.FindGroupAsync(ownerUuid, cancellationToken));
            mayWrite = group is { CanWrite: true, GroupClass: not "filter" };
            _writableOwners[ownerUuid] = mayWrite;
        }

        return mayWrite;
    }

    /// <summary>A catalogue request whose failures are told in the file system's terms.</summary>
    internal async Task<T> AskAsync<T>(Func<ICatalog, Task<T>> request)
    {
        try
        {
            return await request(Services.Catalog);
        }
        catch (CatalogException e)
        {
            throw CollectionFileSystem.Translate(e);
        }
    }

    private async Task RefreshLoopAsync()
    {
        using var timer = new PeriodicTimer(Options.RefreshTime, Services.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                foreach (var open in _entries.Keys.Select(entry => entry.Opened).OfType<CollectionFileSystem>())
                {
                    await RefreshAsync(open);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The tree is being closed.
        }
    }

    private async Task RefreshAsync(CollectionFileSystem collection)
    {
        try
        {
            await collection.RefreshAsync(_closing.Token);
            if (collection.SignatureAge > Config.BlobSigningTtl / 2)
            {
                await collection.RenewSignaturesAsync(_closing.Token);
            }
        }
        catch (FsException e)
        {
            Services.Log($"collection {collection.Uuid}: could not be refreshed: {e.Message}");
        }
    }
}
