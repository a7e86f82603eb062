using System.Collections.Concurrent;

namespace KeepFs.Engine.FileSystems;

/// <summary>The collections and projects that a mount has shown, by UUID: what an event or a poll must reach. Safe for concurrent use.</summary>
internal sealed class SiteNodes
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<SiteDirectory>> _byUuid = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<CollectionEntry, bool> _collections = new();
    private readonly ConcurrentDictionary<CollectionFileSystem, SharedCollection> _opened = new();
    private readonly Dictionary<string, SharedCollection> _shared = new(StringComparer.Ordinal);

    /// <summary>Every collection that is shown.</summary>
    public IEnumerable<CollectionEntry> Collections => _collections.Keys;

    /// <summary>Those that somebody looked into.</summary>
    public IEnumerable<SharedCollection> Opened => _opened.Values;

    public void Add(CollectionEntry entry)
    {
        _collections[entry] = true;
        Add(entry.CollectionId, entry);
    }

    public void Add(ProjectDirectory project) => Add(project.Uuid, project);

    /// <summary>The collection that all its places share; those that cannot change are not shared.</summary>
    public SharedCollection Share(CollectionEntry place, CollectionKind kind, string id, Func<SharedCollection> make)
    {
        lock (_lock)
        {
            if (kind != CollectionKind.Current || !_shared.TryGetValue(id, out var shared))
            {
                shared = make();
                if (kind == CollectionKind.Current)
                {
                    _shared.Add(id, shared);
                }
            }

            shared.Add(place);
            return shared;
        }
    }

    /// <summary>True when no other place shows the collection: it is the caller's to dispose.</summary>
    public bool Remove(CollectionEntry entry)
    {
        lock (_lock)
        {
            if (!entry.Shared.Remove(entry))
            {
                return false;
            }

            _collections.TryRemove(entry, out _);
            if (entry.Shared.Places.IsEmpty && _shared.GetValueOrDefault(entry.CollectionId) == entry.Shared)
            {
                _shared.Remove(entry.CollectionId);
            }

            if (_byUuid.TryGetValue(entry.CollectionId, out var nodes) && nodes.Remove(entry) && nodes.Count == 0)
            {
                _byUuid.Remove(entry.CollectionId);
            }

            return entry.Shared.Places.IsEmpty;
        }
    }

    public void Opens(CollectionFileSystem collection, SharedCollection shared) => _opened[collection] = shared;

    public void Closes(CollectionFileSystem collection) => _opened.TryRemove(collection, out _);

    /// <summary>What an open collection belongs to.</summary>
    public SharedCollection? SharedOf(CollectionFileSystem collection) => _opened.GetValueOrDefault(collection);

    public SiteDirectory[] Find(string uuid)
    {
        lock (_lock)
        {
            return _byUuid.TryGetValue(uuid, out var nodes) ? [.. nodes] : [];
        }
    }

    public SiteDirectory[] All()
    {
        lock (_lock)
        {
            return [.. _byUuid.Values.SelectMany(nodes => nodes)];
        }
    }

    private void Add(string uuid, SiteDirectory node)
    {
        lock (_lock)
        {
            if (!_byUuid.TryGetValue(uuid, out var nodes))
            {
                _byUuid.Add(uuid, nodes = []);
            }

            nodes.Add(node);
        }
    }
}
