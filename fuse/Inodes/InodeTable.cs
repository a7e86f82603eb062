using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Fuse.Inodes;

/// <summary>
/// The nodes that the kernel knows, by its number for them, with how many answers named each one: the kernel takes those back with
/// FORGET, and then the node is let go. Safe for concurrent use; one short lock, nothing is called under it.
/// </summary>
/// <remarks>
/// The kernel's number is <see cref="INode.Id"/>, except that its root is always 1: the root's own id and 1 change places.
/// </remarks>
internal sealed class InodeTable
{
    public const ulong RootNodeId = 1;

    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Entry> _entries = [];
    private readonly ulong _rootId;

    public InodeTable(IDirectoryNode root)
    {
        _rootId = root.Id;
        _entries.Add(RootNodeId, new Entry(root, RootNodeId, string.Empty) { Lookups = 1 });
    }

    /// <summary>Told of each node that the kernel comes to know (<see cref="IFileSystem.Hold"/>).</summary>
    public Action<INode>? Held { get; init; }

    /// <summary>Told of each that it has let go of.</summary>
    public Action<INode>? Released { get; init; }

    /// <summary>Nodes known to the kernel, the root included.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    public ulong NodeIdOf(INode node) => NodeIdOf(node.Id);

    public ulong NodeIdOf(ulong id) => id == _rootId ? RootNodeId : id == RootNodeId ? _rootId : id;

    public bool TryGet(ulong nodeId, [NotNullWhen(true)] out INode? node)
    {
        lock (_lock)
        {
            var found = _entries.TryGetValue(nodeId, out var entry);
            node = entry?.Node;
            return found;
        }
    }

    /// <summary>Counts one answer that names the node; call before answering, and <see cref="Forget"/> if the answer does not arrive.</summary>
    public ulong Remember(INode node, ulong parent, string name)
    {
        var nodeId = NodeIdOf(node.Id);
        bool isNew;
        lock (_lock)
        {
            isNew = !_entries.TryGetValue(nodeId, out var entry);
            if (entry is null)
            {
                entry = new Entry(node, parent, name);
                _entries.Add(nodeId, entry);
            }

            Debug.Assert(ReferenceEquals(entry.Node, node), "Two nodes with one id.");
            (entry.Parent, entry.Name) = (parent, name);
            entry.Lookups++;
        }

        if (isNew)
        {
            Held?.Invoke(node);
        }

        return nodeId;
    }

    /// <summary>Takes back counted answers. The root stays: the kernel never looks it up.</summary>
    public void Forget(ulong nodeId, ulong lookups)
    {
        INode? released = null;
        lock (_lock)
        {
            if (nodeId == RootNodeId || !_entries.TryGetValue(nodeId, out var entry))
            {
                return;
            }

            Debug.Assert(entry.Lookups >= lookups, "The kernel forgot more than it was told.");
            entry.Lookups -= Math.Min(lookups, entry.Lookups);
            if (entry.Lookups == 0)
            {
                _entries.Remove(nodeId);
                released = entry.Node;
            }
        }

        if (released is not null)
        {
            Released?.Invoke(released);
        }
    }

    /// <summary>Notes that the node, or a name in it, changed behind the kernel's back. Call before the kernel is told.</summary>
    public void Changed(ulong nodeId)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(nodeId, out var entry))
            {
                entry.Changes++;
            }
        }
    }

    /// <summary>The count of <see cref="Changed"/>, to be read before listing and handed to <see cref="Listed"/> after it.</summary>
    public long Changes(ulong nodeId)
    {
        lock (_lock)
        {
            return _entries.GetValueOrDefault(nodeId)?.Changes ?? 0;
        }
    }

    public void Listed(ulong nodeId, long changes)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(nodeId, out var entry))
            {
                entry.ListedAt = changes;
            }
        }
    }

    /// <summary>Nothing changed behind the kernel's back since the listing that it may have kept.</summary>
    public bool IsListingCurrent(ulong nodeId)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(nodeId, out var entry) && entry.ListedAt == entry.Changes;
        }
    }

    /// <summary>Every node that the kernel may cache, with the name under which it last saw it; for invalidating all.</summary>
    public IReadOnlyList<(ulong NodeId, ulong Parent, string Name)> Snapshot()
    {
        lock (_lock)
        {
            return [.. _entries.Select(pair => (pair.Key, pair.Value.Parent, pair.Value.Name))];
        }
    }

    private sealed class Entry(INode node, ulong parent, string name)
    {
        public INode Node { get; } = node;

        public ulong Parent { get; set; } = parent;

        public string Name { get; set; } = name;

        public ulong Lookups { get; set; }

        public long Changes { get; set; }

        public long ListedAt { get; set; } = -1;
    }
}
