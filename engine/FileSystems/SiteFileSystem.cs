using System.Collections.Concurrent;
using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// What one user sees of a cluster as a tree (mount.md section 2). Collections are opened when somebody looks inside and kept current while they are
/// open. Safe for concurrent use.
/// </summary>
public sealed class SiteFileSystem : IFileSystem
{
    private readonly ConcurrentDictionary<string, (bool MayWrite, long AskedAt)> _writableOwners = new(StringComparer.Ordinal);
    private readonly SiteRefresh _refresh;
    private IDirectoryNode? _root;

    private SiteFileSystem(CollectionServices services, SiteOptions options, SiteConfig config, User user, ICatalogEvents? events)
    {
        (Services, Options, Config, User) = (services, options, config, user);
        StartedAt = services.Time.GetUtcNow();
        _refresh = new SiteRefresh(this, events);
    }

    /// <inheritdoc/>
    public event Action<NodeChange>? Changed;

    /// <inheritdoc/>
    public IDirectoryNode Root => _root!;

    internal CollectionServices Services { get; }

    internal SiteOptions Options { get; }

    internal SiteConfig Config { get; }

    internal User User { get; }

    internal DateTimeOffset StartedAt { get; }

    internal SiteNodes Nodes { get; } = new();

    /// <summary>Asks the catalogue who the user is and opens the tree.</summary>
    /// <param name="services">Shared by its collections.</param>
    /// <param name="options">What it shows.</param>
    /// <param name="events">Tells what others change; null = only asking does.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CatalogException">The catalogue cannot be reached or refuses the token.</exception>
    /// <exception cref="FsException">What should stand at the root does not exist or may not be read.</exception>
    public static async Task<SiteFileSystem> OpenAsync(CollectionServices services, SiteOptions options, ICatalogEvents? events, CancellationToken cancellationToken)
    {
        var config = await services.Catalog.GetConfigAsync(cancellationToken);
        var site = new SiteFileSystem(services, options, config, await services.Catalog.GetCurrentUserAsync(cancellationToken), events);
        try
        {
            site._root = await SiteLayout.BuildAsync(site, options.Root, cancellationToken);

            // Every front refers to the root all the time and never says so.
            site.Hold(site._root);
            site._refresh.Start();
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same without change events.</summary>
    public static Task<SiteFileSystem> OpenAsync(CollectionServices services, SiteOptions options, CancellationToken cancellationToken) =>
        OpenAsync(services, options, events: null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<FileSystemTotals> GetTotalsAsync(CancellationToken cancellationToken) => new(Options.Totals);

    /// <inheritdoc/>
    public async ValueTask SyncAllAsync(CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        foreach (var entry in Nodes.Collections.Where(entry => entry.Kind != CollectionKind.Temporary))
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
    public void Hold(INode node) => SharedOf(node)?.Hold();

    /// <inheritdoc/>
    public void Release(INode node)
    {
        if (SharedOf(node) is { } shared)
        {
            shared.Release();
            if (!shared.IsHeld)
            {
                _refresh.ShrinkIfNeeded();
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _refresh.DisposeAsync();
        foreach (var entry in Nodes.Collections)
        {
            await UntrackAsync(entry);
        }
    }

    internal bool IsFresh(long askedAt) => askedAt != long.MinValue && Services.Time.GetElapsedTime(askedAt) < Options.RefreshTime;

    internal CollectionEntry Track(CollectionEntry entry)
    {
        Nodes.Add(entry);
        return entry;
    }

    internal void Track(ProjectDirectory project) => Nodes.Add(project);

    internal async ValueTask UntrackAsync(CollectionEntry entry)
    {
        if (Nodes.Remove(entry))
        {
            await entry.Shared.DisposeAsync();
        }
    }

    /// <summary>A collection does not exist any more, or may not be read any more. What is not saved stays, and says so when it is synced.</summary>
    internal async ValueTask VanishAsync(SharedCollection shared)
    {
        foreach (var place in shared.Places)
        {
            place.Parent?.Vanished(place);
            if (!shared.IsHeld && shared.Opened is null or { IsDirty: false })
            {
                await UntrackAsync(place);
            }
        }
    }

    internal void Opened(CollectionFileSystem collection, SharedCollection shared)
    {
        Nodes.Opens(collection, shared);
        _refresh.ShrinkIfNeeded();
    }

    internal void Closed(CollectionFileSystem collection) => Nodes.Closes(collection);

    internal void Announce(NodeChange change) => Changed?.Invoke(change);

    /// <summary>The home is the user's own, or the user may do everything.</summary>
    internal bool OwnsHome(string userUuid) => !Options.IsReadOnly && (User.IsAdmin || userUuid == User.Uuid);

    /// <summary>The user may create and change what that project or user owns.</summary>
    internal async ValueTask<bool> MayWriteAsync(string? ownerUuid, CancellationToken cancellationToken)
    {
        if (Options.IsReadOnly || ownerUuid is null)
        {
            return false;
        }

        if (User.IsAdmin || ownerUuid == User.Uuid)
        {
            return true;
        }

        if (_writableOwners.TryGetValue(ownerUuid, out var known) && IsFresh(known.AskedAt))
        {
            return known.MayWrite;
        }

        var asked = Services.Time.GetTimestamp();
        var group = await AskAsync(catalog => catalog.FindGroupAsync(ownerUuid, cancellationToken));
        var mayWrite = group is { CanWrite: true, GroupClass: not "filter" };
        _writableOwners[ownerUuid] = (mayWrite, asked);
        return mayWrite;
    }

    /// <summary>The user may change this collection: by its owner, or by a permission on the collection alone.</summary>
    internal async ValueTask<bool> MayWriteAsync(Collection record, CancellationToken cancellationToken) =>
        await MayWriteAsync(record.OwnerUuid, cancellationToken) || await AskAsync(catalog => catalog.MayUpdateCollectionAsync(record.Uuid, cancellationToken));

    /// <summary>A catalogue request whose failures are told in the file system's terms.</summary>
    internal Task<T> AskAsync<T>(Func<ICatalog, Task<T>> request) => AskAsync(Services.Catalog, request);

    /// <summary>The same, of another catalogue than the site's.</summary>
    internal static async Task<T> AskAsync<T>(ICatalog catalog, Func<ICatalog, Task<T>> request)
    {
        try
        {
            return await request(catalog);
        }
        catch (CatalogException e)
        {
            throw CollectionFileSystem.Translate(e);
        }
    }

    private SharedCollection? SharedOf(INode node) => node switch
    {
        CollectionEntry entry => entry.Shared,
        CollectionView view => view.Place.Shared,
        CollectionNode inside => Nodes.SharedOf(inside.Owner),
        _ => null,
    };
}
