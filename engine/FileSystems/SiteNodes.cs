using System.Collections.Concurrent;

namespace KeepFs.Engine.FileSystems;

/// <summary>The collections and projects that a mount has shown, by UUID: what an event or a poll must reach. Safe for concurrent use.</summary>
internal sealed class SiteNodes
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<SiteDirectory>> _byUuid = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<CollectionEntry, bool> _collections = new();
    private readonly ConcurrentDictionary<CollectionFileSystem, CollectionEntry> _opened = new();

    /// <summary>Every collection that is shown.</summary>
    public IEnumerable<CollectionEntry> Collections => _collections.Keys;

    /// <summary>Those that somebody looked into.</summary>
    public IEnumerable<CollectionEntry> Opened => _opened.Values;

    public void Add(CollectionEntry entry)
    {
        _collections[entry] = true;
        Add(entry.CollectionId, entry);
    }

    public void Add(ProjectDirectory project) => Add(project.Uuid, project);

    public bool Remove(CollectionEntry entry)
    {
        lock (_lock)
        {
            if (_byUuid.TryGetValue(entry.CollectionId, out var nodes) && nodes.Remove(entry) && nodes.Count == 0)
            {
                _byUuid.Remove(entry.CollectionId);
            }
        }

        return _collections.TryRemove(entry, out _);
    }

    public void Opens(CollectionFileSystem collection, CollectionEntry entry) => _opened[collection] = entry;

    public void Closes(CollectionFileSystem collection) => _opened.TryRemove(collection, out _);

    /// <summary>The entry of an open collection.</summary>
    public CollectionEntry? EntryOf(CollectionFileSystem collection) => _opened.GetValueOrDefault(collection);

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
