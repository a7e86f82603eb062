using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// Keeps what a mount shows current (mount.md section 7): every refresh time the open collections are compared with the catalogue, all in one request;
/// where change events arrive, they are compared when one names them and otherwise rarely. Also keeps signatures and the memory limit.
/// </summary>
internal sealed class SiteRefresh(SiteFileSystem site, ICatalogEvents? events) : IAsyncDisposable
{
    /// <summary>Open collections that mount.md section 7 keeps whatever the limit.</summary>
    private const int AlwaysKept = 4;

    /// <summary>Wait after a failed connection; doubles up to <see cref="MaxReconnectDelay"/>.</summary>
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxReconnectDelay = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _shrinking = new(1, 1);
    private Task _polling = Task.CompletedTask;
    private Task _listening = Task.CompletedTask;
    private volatile bool _hasEvents;

    public void Start()
    {
        _polling = PollAsync();
        _listening = events is null ? Task.CompletedTask : ListenAsync(events);
    }

    /// <summary>Closes the least recently used collections until the estimate fits the limit, in the background.</summary>
    public async void ShrinkIfNeeded()
    {
        if (Over() <= 0 || !await _shrinking.WaitAsync(0))
        {
            return;
        }

        try
        {
            foreach (var shared in site.Nodes.Opened.OrderBy(shared => shared.UsedAt).SkipLast(AlwaysKept).ToArray())
            {
                if (Over() <= 0)
                {
                    break;
                }

                await CloseAsync(shared);
            }
        }
        catch (OperationCanceledException)
        {
            // The tree is being closed.
        }
        catch (Exception e)
        {
            // Nobody waits for this; what could not be closed stays open.
            site.Services.Log($"collections could not be closed to give back memory: {e}");
        }
        finally
        {
            _shrinking.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _polling;
        await _listening;
        await _shrinking.WaitAsync();
        _closing.Dispose();
    }

    private long Over() => site.Nodes.Opened.Sum(shared => shared.MetadataBytes) - site.Options.MetadataBytes;

    private async Task CloseAsync(SharedCollection shared)
    {
        try
        {
            if (await shared.TryCloseAsync(_closing.Token))
            {
                return;
            }

            // The kernel refers to it: when it has followed this and let go, the next round succeeds.
            foreach (var place in shared.Places)
            {
                if (place is { Parent: { } parent, Name: { } name })
                {
                    site.Announce(new NodeChange(parent, name));
                }
            }
        }
        catch (FsException e)
        {
            site.Services.Log($"collection {shared.Id}: kept in memory, because it could not be saved: {e.Message}");
        }
    }

    private async Task PollAsync()
    {
        using var timer = new PeriodicTimer(site.Options.RefreshTime, site.Services.Time);
        var round = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                if (!_hasEvents || ++round % site.Options.RefreshesWithEvents == 0)
                {
                    await CompareAsync([.. site.Nodes.Opened]);
                }

                foreach (var shared in site.Nodes.Opened)
                {
                    await RenewAsync(shared);
                }

                ShrinkIfNeeded();
            }
        }
        catch (OperationCanceledException)
        {
            // The tree is being closed.
        }
    }

    /// <summary>Which of the collections have other content now than when they were loaded, or are gone.</summary>
    private async Task CompareAsync(IReadOnlyCollection<SharedCollection> opened)
    {
        try
        {
            var current = opened.Where(shared => shared.Kind == CollectionKind.Current).ToArray();
            var uuids = current.Select(shared => shared.Id).ToArray();
            var found = (await site.AskAsync(catalog => catalog.FindCollectionsAsync(uuids, CatalogFilters.None, _closing.Token)))
                .ToDictionary(record => record.Uuid, StringComparer.Ordinal);
            foreach (var shared in current)
            {
                if (!found.TryGetValue(shared.Id, out var record))
                {
                    await site.VanishAsync(shared);
                }
                else if (shared.Opened is { } open && !Manifests.PortableDataHash.Matches(record.PortableDataHash, open.PortableDataHash))
                {
                    await RefreshAsync(open);
                }
            }
        }
        catch (FsException e)
        {
            site.Services.Log($"what others changed could not be asked for: {e.Message}");
        }
    }

    private async Task RefreshAsync(CollectionFileSystem open)
    {
        try
        {
            await open.RefreshAsync(_closing.Token);
        }
        catch (FsException e)
        {
            site.Services.Log($"collection {open.Uuid}: could not be refreshed: {e.Message}");
        }
    }

    private async Task RenewAsync(SharedCollection shared)
    {
        try
        {
            if (shared.Opened is { } open && open.SignatureAge > site.Config.BlobSigningTtl / 2)
            {
                await open.RenewSignaturesAsync(_closing.Token);
            }
        }
        catch (FsException e)
        {
            site.Services.Log($"collection {shared.Id}: its signatures could not be renewed: {e.Message}");
        }
    }

    private async Task ListenAsync(ICatalogEvents events)
    {
        var delay = ReconnectDelay;
        try
        {
            while (true)
            {
                try
                {
                    await foreach (var change in events.ListenAsync(_closing.Token))
                    {
                        if (change is null)
                        {
                            // Connected: what happened before nobody told us.
                            delay = ReconnectDelay;
                            _hasEvents = true;
                            await InvalidateAllAsync();
                        }
                        else
                        {
                            await TakeAsync(change);
                        }
                    }

                    site.Services.Log("the server of change events closed the connection");
                }
                catch (CatalogException e)
                {
                    site.Services.Log($"no change events, so changes are asked for every {site.Options.RefreshTime.TotalSeconds} s: {e.Message}");
                }

                _hasEvents = false;
                await Task.Delay(delay, site.Services.Time, _closing.Token);
                delay = delay * 2 < MaxReconnectDelay ? delay * 2 : MaxReconnectDelay;
            }
        }
        catch (OperationCanceledException)
        {
            // The tree is being closed.
        }
    }

    private async Task InvalidateAllAsync()
    {
        foreach (var project in site.Nodes.All().OfType<ProjectDirectory>())
        {
            project.Invalidate();
        }

        await CompareAsync([.. site.Nodes.Opened]);
    }

    private async Task TakeAsync(CatalogEvent change)
    {
        foreach (var uuid in change.Owners)
        {
            foreach (var node in site.Nodes.Find(uuid))
            {
                node.Invalidate();
            }
        }

        var entries = site.Nodes.Find(change.ObjectUuid);
        foreach (var node in entries)
        {
            node.Invalidate();
        }

        await CompareAsync([.. entries.OfType<CollectionEntry>().Select(entry => entry.Shared).Where(shared => shared.Opened is not null).Distinct()]);
    }
}
