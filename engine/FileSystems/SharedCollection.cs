using System.Collections.Immutable;
using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// One collection of a mount, at however many places it is shown (home, by_id, shared, tags): opened once, so that an edit at one place is at once there at all of
/// them and never conflicts with another one; closed again when metadata takes too much memory and nobody refers to it. Safe for concurrent use.
/// </summary>
/// <remarks>
/// Files are the same nodes at all places, so the kernel keeps one copy of their data. A directory can have only one parent in the kernel, so only the place that
/// opened the collection shows its own nodes, and the others show a <see cref="CollectionView"/> of each (decision 0025).
/// </remarks>
internal sealed class SharedCollection(SiteFileSystem site, CollectionServices services, CollectionKind kind, string id) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private ImmutableArray<CollectionEntry> _places = [];
    private volatile CollectionFileSystem? _opened;
    private volatile CollectionEntry? _first;
    private int _holds;
    private long _usedAt = services.Time.GetTimestamp();

    /// <summary>UUID or portable data hash.</summary>
    public string Id => id;

    public CollectionKind Kind => kind;

    /// <summary>The collection, once somebody looked inside.</summary>
    public CollectionFileSystem? Opened => _opened;

    /// <summary>The place whose directories are the collection's own nodes.</summary>
    public CollectionEntry? First => _first;

    /// <summary>Where it is shown.</summary>
    public ImmutableArray<CollectionEntry> Places => _places;

    /// <summary>The front refers to one of its places or to something in it.</summary>
    public bool IsHeld => Volatile.Read(ref _holds) > 0;

    /// <summary>Timestamp of the last operation on a root directory.</summary>
    public long UsedAt => Volatile.Read(ref _usedAt);

    /// <summary>Estimate of mount.md section 7.</summary>
    public long MetadataBytes { get; private set; }

    /// <summary>Called under the lock of <see cref="SiteNodes"/>.</summary>
    public void Add(CollectionEntry place) => _places = _places.Add(place);

    /// <summary>Called under the lock of <see cref="SiteNodes"/>; false if it was gone already.</summary>
    public bool Remove(CollectionEntry place)
    {
        var before = _places.Length;
        _places = _places.Remove(place);
        return _places.Length < before;
    }

    /// <summary>The front refers to a place or to something inside once more.</summary>
    public void Hold() => Interlocked.Increment(ref _holds);

    /// <summary>And once less.</summary>
    public void Release() => Interlocked.Decrement(ref _holds);

    /// <summary>Loads the collection if that has not happened yet.</summary>
    /// <param name="place">Where somebody looks inside.</param>
    /// <param name="record">With the manifest, if it was fetched anyway.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<CollectionFileSystem> OpenAsync(CollectionEntry place, Collection? record, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _usedAt, services.Time.GetTimestamp());
        if (_opened is { } open)
        {
            return open;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            return _opened ?? await OpenWithAsync(place, record ?? await LoadAsync(cancellationToken), cancellationToken);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Gives the memory back if nobody refers to it and everything is saved; false if not now.</summary>
    public async Task<bool> TryCloseAsync(CancellationToken cancellationToken)
    {
        if (kind == CollectionKind.Temporary || IsHeld)
        {
            return false;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_opened is not { } open)
            {
                return true;
            }

            await open.SaveAsync(cancellationToken);

            // Whoever takes hold from now on finds it closed and opens it again; whoever did before is seen here.
            _opened = null;
            Interlocked.MemoryBarrier();
            if (IsHeld || open.IsDirty)
            {
                _opened = open;
                return false;
            }

            site.Closed(open);
            await open.DisposeAsync();
            MetadataBytes = 0;
            return true;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>The node that stands for a directory at a place; null when that place has not shown it.</summary>
    public IDirectoryNode? NodeAt(CollectionEntry place, CollectionDirectory directory) =>
        directory == directory.Owner.RootNode ? place : place == _first ? directory : place.FindView(directory);

    /// <summary>A name in a directory was changed through <paramref name="by"/>: the kernel is told of it for the other places.</summary>
    public void Edited(CollectionDirectory directory, string name, INode? by)
    {
        var places = _places;
        if (places.Length > 1)
        {
            foreach (var place in places)
            {
                if (NodeAt(place, directory) is { } node && node != by)
                {
                    site.Announce(new NodeChange(node, name));
                }
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_opened is { } open)
        {
            site.Closed(open);
            await open.DisposeAsync();
        }

        _opening.Dispose();
    }

    private async Task<Collection> LoadAsync(CancellationToken cancellationToken) =>
        await SiteFileSystem.AskAsync(services.Catalog, catalog => catalog.FindCollectionAsync(id, null, cancellationToken))
            ?? throw new FsException(FsError.NotFound, $"There is no collection {id}, or it may not be read with this token.");

    private async ValueTask<CollectionFileSystem> OpenWithAsync(CollectionEntry place, Collection record, CancellationToken cancellationToken)
    {
        var mayWrite = kind switch
        {
            CollectionKind.Temporary => true,
            CollectionKind.Current => !site.Options.IsReadOnly && (place.OwnerMayWrite || await site.MayWriteAsync(record, cancellationToken)),
            _ => false,
        };
        var named = record with { Uuid = id, ModifiedAt = record.ModifiedAt ?? place.ModifiedAt };
        var open = CollectionFileSystem.Open(services, named, mayWrite, Announce);
        open.Refusal = site.Options.IsReadOnly ? FsError.ReadOnly : FsError.NotPermitted;
        open.Places = this;
        MetadataBytes = 8L * (record.ManifestText?.Length ?? 0);
        (_first, _opened) = (place, open);
        site.Opened(open, this);
        foreach (var shown in _places.Where(shown => shown.OwnerMayWrite != mayWrite))
        {
            site.Announce(new NodeChange(shown, null));
        }

        return open;
    }

    private void Announce(NodeChange change)
    {
        if (change.Node is not CollectionDirectory directory)
        {
            site.Announce(change);
            return;
        }

        foreach (var place in _places)
        {
            if (NodeAt(place, directory) is { } node)
            {
                site.Announce(change with { Node = node });
            }
        }
    }
}
