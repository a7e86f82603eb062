namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A directory whose entries come from one request to the catalogue, believed for the refresh time: shared projects, tags, users, versions. Nodes stay
/// the same while their key does.
/// </summary>
internal abstract class NamedDirectory(SiteFileSystem site) : SiteDirectory(site)
{
    private readonly Lock _lock = new();
    private Dictionary<string, SiteDirectory> _nodes = new(StringComparer.Ordinal);

    /// <summary>Never changed, only replaced, so that it can be handed out.</summary>
    private Dictionary<string, SiteDirectory>? _entries;
    private long _askedAt;

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken) =>
        (await EntriesAsync(cancellationToken)).GetValueOrDefault(name);

    public override async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) =>
        Sorted((await EntriesAsync(cancellationToken)).Select(entry => KeyValuePair.Create(entry.Key, (INode)entry.Value)));

    public override void Invalidate()
    {
        lock (_lock)
        {
            _askedAt = long.MinValue;
        }
    }

    public override void Vanished(CollectionEntry entry) => Invalidate();

    /// <summary>Asks the catalogue: name, key (what the node is of), and how to make the node. The first of several equal names counts.</summary>
    protected abstract Task<IReadOnlyList<(string Name, string Key, Func<SiteDirectory> Make)>> LoadAsync(CancellationToken cancellationToken);

    protected virtual TimeSpan Lifetime => Site.Options.RefreshTime;

    /// <summary>Adds an entry that was found outside the listing; it is listed from now on.</summary>
    protected SiteDirectory Add(string name, string key, Func<SiteDirectory> make)
    {
        lock (_lock)
        {
            if (!_nodes.TryGetValue(key, out var node))
            {
                _nodes.Add(key, node = make());
            }

            if (_entries is not null)
            {
                _entries = new Dictionary<string, SiteDirectory>(_entries, StringComparer.Ordinal) { [name] = node };
            }

            return node;
        }
    }

    private async ValueTask<IReadOnlyDictionary<string, SiteDirectory>> EntriesAsync(CancellationToken cancellationToken)
    {
        if (Fresh() is { } known)
        {
            return known;
        }

        // Two at once ask twice; both get the same nodes.
        var asked = Site.Services.Time.GetTimestamp();
        try
        {
            return Take(await LoadAsync(cancellationToken), asked);
        }
        catch (FsException e) when (Volatile.Read(ref _entries) is { } old)
        {
            Site.Services.Log($"{GetType().Name}: old entries are shown, because the catalogue could not be asked: {e.Message}");
            return old;
        }
    }

    private Dictionary<string, SiteDirectory>? Fresh()
    {
        lock (_lock)
        {
            return _entries is not null && _askedAt != long.MinValue && Site.Services.Time.GetElapsedTime(_askedAt) < Lifetime ? _entries : null;
        }
    }

    private Dictionary<string, SiteDirectory> Take(IReadOnlyList<(string Name, string Key, Func<SiteDirectory> Make)> loaded, long asked)
    {
        lock (_lock)
        {
            var nodes = new Dictionary<string, SiteDirectory>(StringComparer.Ordinal);
            var entries = new Dictionary<string, SiteDirectory>(StringComparer.Ordinal);
            foreach (var (name, key, make) in loaded)
            {
                var node = nodes.GetValueOrDefault(key) ?? _nodes.GetValueOrDefault(key) ?? make();
                nodes[key] = node;
                entries.TryAdd(name, node);
            }

            (_nodes, _entries, _askedAt) = (nodes, entries, asked);
            return entries;
        }
    }
}
