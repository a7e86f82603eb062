using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.Sessions;

/// <summary>
/// What had a name in a project, and what was known of collections, when somebody looked last. Only hints: whoever uses one has it confirmed by the
/// catalogue. Safe for concurrent use.
/// </summary>
internal sealed class KnownPlaces(TimeProvider time)
{
    /// <summary>More than a client works in at a time; then it starts again with none.</summary>
    private const int MaxPlaces = 1000;

    /// <summary>For how long new files may be stored with the replication that a collection wished for.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Owner, string Name), string> _uuids = [];
    private readonly Dictionary<string, (BlockWriteOptions Options, long SeenAt)> _collections = new(StringComparer.Ordinal);

    /// <summary>The collection or project that had the name.</summary>
    public string? Find(string owner, string name)
    {
        lock (_lock)
        {
            return _uuids.GetValueOrDefault((owner, name));
        }
    }

    public void Remember(string owner, string name, string uuid)
    {
        lock (_lock)
        {
            MakeRoom(_uuids);
            _uuids[(owner, name)] = uuid;
        }
    }

    /// <summary>How new blocks of a collection that can be changed are to be stored; null when nobody looked lately.</summary>
    public BlockWriteOptions? FindOptions(string uuid)
    {
        lock (_lock)
        {
            return _collections.TryGetValue(uuid, out var known) && time.GetElapsedTime(known.SeenAt) < MaxAge ? known.Options : null;
        }
    }

    public void Remember(Collection seen)
    {
        // Old versions cannot be changed, and a catalogue without this state does not check what is presumed.
        if (seen.DavState is null || seen.Uuid.Length == 0 || seen.CurrentVersionUuid != seen.Uuid)
        {
            return;
        }

        lock (_lock)
        {
            MakeRoom(_collections);
            _collections[seen.Uuid] = (OpenCollection.WriteOptionsOf(seen), time.GetTimestamp());
        }
    }

    /// <summary>It was not as presumed.</summary>
    public void Forget(string uuid)
    {
        lock (_lock)
        {
            _collections.Remove(uuid);
        }
    }

    private static void MakeRoom<TKey, TValue>(Dictionary<TKey, TValue> known)
        where TKey : notnull
    {
        if (known.Count >= MaxPlaces)
        {
            known.Clear();
        }
    }
}
