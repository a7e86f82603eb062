using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Sessions;

/// <summary>
/// Parsed manifests by session and portable data hash within a memory budget, the least recently used goes first. Every opening asks the catalogue for
/// the current hash, so that changes by anyone show with the next request (keep-web.md 2.7); openings that wait while one asks are answered by the next
/// question together. Loads are shared by all that wait for the same one. Safe for concurrent use.
/// </summary>
internal sealed class ManifestCache(KeepWebServerOptions options, TimeSpan signatureLifetime)
{
    /// <summary>Tables beside the text: per file token about as much as the text itself.</summary>
    private const int BytesPerTextByte = 2;

    private const int BytesPerEntry = 4096;

    private static readonly string[] StateFields =
    [
        "uuid", "owner_uuid", "name", "portable_data_hash", "created_at", "modified_at", "version", "current_version_uuid", "replication_desired", "storage_classes_desired",
        "file_size_total", "properties",
    ];

    /// <summary>Requests that one look at a state answers; each began before it.</summary>
    private const int MaxLookingTogether = 1000;

    private readonly Gathering<(Session Session, string Id), Look> _looks = new(atOnce: 1, MaxLookingTogether, static (_, _) => true, LookAsync);
    private readonly Lock _lock = new();
    private readonly Dictionary<(Session Session, string Hash), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _bytes;

    public long Bytes => Interlocked.Read(ref _bytes);

    public async ValueTask<OpenCollection?> OpenAsync(Session session, string id, bool fresh, CancellationToken cancellationToken)
    {
        var isHash = PortableDataHash.IsPortableDataHash(id);
        Collection? state = null;
        if (!isHash)
        {
            var look = new Look();
            await _looks.DoAsync((session, id), look, cancellationToken);
            if ((state = look.Found) is null)
            {
                return null;
            }
        }

        var loaded = await LoadAsync(session, id, state?.PortableDataHash ?? id, fresh, cancellationToken);

        // Changed between the two requests: the loaded one is newer and complete.
        return loaded is null ? null
            : state is not null && state.PortableDataHash == loaded.Record.PortableDataHash ? new OpenCollection(id, state, loaded.Index)
            : new OpenCollection(id, loaded.Record, loaded.Index);
    }

    /// <summary>Drops what a session holds.</summary>
    public void Forget(Session session)
    {
        lock (_lock)
        {
            for (var node = _byUse.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.Key.Session == session)
                {
                    Remove(node);
                }

                node = next;
            }
        }
    }

    private async Task<Loaded?> LoadAsync(Session session, string id, string hash, bool fresh, CancellationToken cancellationToken)
    {
        Entry entry;
        lock (_lock)
        {
            var isHash = id == hash;
            if (_entries.TryGetValue((session, hash), out var node) && !fresh && IsUsable(node.Value, isHash))
            {
                _byUse.Remove(node);
                _byUse.AddLast(node);
                entry = node.Value;
            }
            else
            {
                if (node is not null)
                {
                    Remove(node);
                }

                // Not the caller's token: others may come to wait for the same load. The catalogue client bounds its own time.
                entry = new Entry((session, hash), options.Time.GetTimestamp(), FetchAsync(session, id));
                _entries.Add(entry.Key, _byUse.AddLast(entry));
            }
        }

        Loaded? loaded;
        try
        {
            loaded = await entry.Load.WaitAsync(cancellationToken);
        }
        catch when (entry.Load.IsFaulted)
        {
            Drop(entry);
            throw;
        }

        if (loaded is null || loaded.Record.PortableDataHash != hash)
        {
            Drop(entry);
        }
        else
        {
            Account(entry, loaded);
        }

        return loaded;
    }

    private static async Task LookAsync((Session Session, string Id) target, IReadOnlyList<Look> looks)
    {
        var found = await target.Session.Catalog.FindCollectionAsync(target.Id, StateFields, CancellationToken.None);
        foreach (var look in looks)
        {
            look.Found = found;
            look.Done.TrySetResult();
        }
    }

    /// <summary>Old signatures would end in the middle of a long download; half of their life is left when they are renewed.</summary>
    private bool IsUsable(Entry entry, bool isHash)
    {
        var age = options.Time.GetElapsedTime(entry.LoadedAt);
        return age < signatureLifetime / 2 && (!isHash || age < options.SessionLifetime);
    }

    private static async Task<Loaded?> FetchAsync(Session session, string id)
    {
        // Away from the lock that the caller holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (await session.Catalog.FindCollectionAsync(id, null, CancellationToken.None) is not { } record)
        {
            return null;
        }

        var text = record.ManifestText ?? throw new CatalogException(CatalogErrorKind.Unavailable, $"The catalogue gave no manifest for {id}.");
        var hash = record.PortableDataHash.Length > 0 ? record.PortableDataHash : PortableDataHash.Compute(text.Span);
        return new Loaded(record with { ManifestText = null, PortableDataHash = hash }, ManifestIndex.Parse(text));
    }

    private void Account(Entry entry, Loaded loaded)
    {
        lock (_lock)
        {
            if (entry.Bytes > 0 || !_entries.TryGetValue(entry.Key, out var node) || node.Value != entry)
            {
                return;
            }

            entry.Bytes = BytesPerEntry + ((long)loaded.Index.Text.Length * BytesPerTextByte);
            _bytes += entry.Bytes;
            for (var oldest = _byUse.First; oldest is not null && _bytes > options.MaxCollectionBytes;)
            {
                // The newest stays even if it is larger than the budget: it is in use anyway.
                var next = oldest.Next;
                if (oldest.Value != entry && oldest.Value.Bytes > 0)
                {
                    Remove(oldest);
                }

                oldest = next;
            }
        }
    }

    private void Drop(Entry entry)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(entry.Key, out var node) && node.Value == entry)
            {
                Remove(node);
            }
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _byUse.Remove(node);
        _entries.Remove(node.Value.Key);
        _bytes -= node.Value.Bytes;
    }

    /// <summary>A request that must know the present state.</summary>
    private sealed class Look : GatheredItem
    {
        public Collection? Found { get; set; }
    }

    private sealed record Loaded(Collection Record, ManifestIndex Index);

    private sealed class Entry((Session Session, string Hash) key, long loadedAt, Task<Loaded?> load)
    {
        public (Session Session, string Hash) Key => key;

        public long LoadedAt => loadedAt;

        public Task<Loaded?> Load => load;

        /// <summary>0 while it loads.</summary>
        public long Bytes { get; set; }
    }
}
