using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Takeover;

namespace KeepFs.Fuse.Inodes;

/// <summary>
/// The nodes that the kernel knows, by its number for them, with how many answers named each one: the kernel takes those back with
/// FORGET, and then the node is let go. Safe for concurrent use; short locks, nothing is called under them.
/// </summary>
/// <remarks>
/// The kernel's number is <see cref="INode.Id"/>, except that its root is always 1: the root's own id and 1 change places. In a process that
/// took the mount over, whose tree counts from the beginning again, new numbers lie above those of all processes before it, and a node that
/// one of those had told the kernel of keeps its old number: it is dormant until it is asked for by number or met again by name.
/// About 70 bytes per node: a table of structures, and no object per node.
/// </remarks>
internal sealed class InodeTable
{
    public const ulong RootNodeId = 1;

    private const int Shards = 16;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard())];
    private readonly ConcurrentDictionary<ulong, Listing> _listings = new();
    private readonly ConcurrentDictionary<ulong, ulong> _adopted = new();
    private readonly Lock _waking = new();
    private readonly DormantNodes _dormant;
    private readonly IStateLog _log;
    private readonly ulong _rootId;
    private readonly ulong _base;

    public InodeTable(IDirectoryNode root)
        : this(root, MountState.Fresh, NoStateLog.Instance)
    {
    }

    /// <summary>The table of a process that takes over, or that may be taken over from.</summary>
    public InodeTable(IDirectoryNode root, MountState state, IStateLog log)
    {
        (_rootId, _base, _dormant, _log) = (root.Id, state.FirstNumber, new DormantNodes(state), log);
        ShardOf(RootNodeId).Entries.Add(RootNodeId, new Entry { Node = root, Parent = RootNodeId, Name = string.Empty, Lookups = 1 });
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
            var count = _dormant.Count;
            foreach (var shard in _shards)
            {
                lock (shard.Lock)
                {
                    count += shard.Entries.Count;
                }
            }

            return count;
        }
    }

    public ulong NodeIdOf(INode node) => NodeIdOf(node.Id);

    public ulong NodeIdOf(ulong id)
    {
        if (id == _rootId)
        {
            return RootNodeId;
        }

        if (_base == 0)
        {
            return id == RootNodeId ? _rootId : id;
        }

        return _adopted.TryGetValue(id, out var nodeId) ? nodeId : _base | id;
    }

    public bool TryGet(ulong nodeId, [NotNullWhen(true)] out INode? node)
    {
        var shard = ShardOf(nodeId);
        lock (shard.Lock)
        {
            var found = shard.Entries.TryGetValue(nodeId, out var entry);
            node = found ? entry.Node : null;
            return found;
        }
    }

    /// <summary>Where a node lies that the kernel knows from a process before this one.</summary>
    public bool TryGetDormant(ulong nodeId, out ulong parent, [NotNullWhen(true)] out string? name) => _dormant.TryGet(nodeId, out parent, out name);

    /// <summary>Counts one answer that names the node; call before answering, and <see cref="Forget"/> if the answer does not arrive.</summary>
    public ulong Remember(INode node, ulong parent, string name)
    {
        if (!_dormant.IsEmpty)
        {
            lock (_waking)
            {
                if (_dormant.TryTake(parent, name, out var dormant, out var lookups))
                {
                    Wake(dormant, node, parent, name, lookups);
                }
            }
        }

        var nodeId = NodeIdOf(node.Id);
        var shard = ShardOf(nodeId);
        bool isKnown;
        bool isNews;
        lock (shard.Lock)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(shard.Entries, nodeId, out isKnown);
            isNews = !isKnown || entry.Parent != parent || entry.Name != name;
            Debug.Assert(!isKnown || ReferenceEquals(entry.Node, node), "Two nodes with one id.");
            entry.Node = node;
            entry.Lookups++;
            if (isNews)
            {
                (entry.Parent, entry.Name) = (parent, name);
            }
        }

        if (isNews)
        {
            _log.Named(nodeId, parent, name);
        }
        else
        {
            _log.NamedAgain(nodeId);
        }

        if (!isKnown)
        {
            Held?.Invoke(node);
        }

        return nodeId;
    }

    /// <summary>The node behind a number that an earlier process gave out was found.</summary>
    public void Wake(ulong nodeId, INode node)
    {
        lock (_waking)
        {
            if (_dormant.TryTake(nodeId, out var parent, out var name, out var lookups))
            {
                Wake(nodeId, node, parent, name, lookups);
            }
        }
    }

    /// <summary>As <see cref="TryGet"/>, when a node that was dormant a moment ago may be between the tables.</summary>
    public bool TryGetWoken(ulong nodeId, [NotNullWhen(true)] out INode? node)
    {
        lock (_waking)
        {
            return TryGet(nodeId, out node);
        }
    }

    /// <summary>A name was removed through this mount; call after the tree did it.</summary>
    public void Removed(ulong parent, string name)
    {
        _dormant.NameGone(parent, name);
        _log.Removed(parent, name);
    }

    /// <summary>A name was changed through this mount; call after the tree did it.</summary>
    public void Renamed(ulong parent, string name, ulong newParent, string newName)
    {
        _dormant.Renamed(parent, name, newParent, newName);
        _log.Renamed(parent, name, newParent, newName);
    }

    /// <summary>Takes back counted answers. The root stays: the kernel never looks it up.</summary>
    public void Forget(ulong nodeId, ulong lookups)
    {
        if (nodeId == RootNodeId)
        {
            return;
        }

        _log.Forgotten(nodeId, lookups);
        if (_dormant.Forget(nodeId, lookups))
        {
            return;
        }

        INode released;
        var shard = ShardOf(nodeId);
        lock (shard.Lock)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(shard.Entries, nodeId);
            if (Unsafe.IsNullRef(ref entry))
            {
                return;
            }

            entry.Lookups -= Math.Min(lookups, entry.Lookups);
            if (entry.Lookups > 0)
            {
                return;
            }

            if (_base != 0)
            {
                _adopted.TryRemove(entry.Node.Id, out _);
            }

            released = entry.Node;
            shard.Entries.Remove(nodeId);
            _listings.TryRemove(nodeId, out _);
            if (shard.Entries.Count < shard.Entries.EnsureCapacity(0) / 4)
            {
                shard.Entries.TrimExcess();
            }
        }

        Released?.Invoke(released);
    }

    /// <summary>Notes that the node, or a name in it, changed behind the kernel's back. Call before the kernel is told.</summary>
    public void Changed(ulong nodeId)
    {
        if (_listings.TryGetValue(nodeId, out var listing))
        {
            Interlocked.Increment(ref listing.Changes);
        }
    }

    /// <summary>The count of <see cref="Changed"/>, to be read before listing and handed to <see cref="Listed"/> after it.</summary>
    public long Changes(ulong nodeId) => Interlocked.Read(ref _listings.GetOrAdd(nodeId, static _ => new Listing()).Changes);

    public void Listed(ulong nodeId, long changes)
    {
        if (_listings.TryGetValue(nodeId, out var listing))
        {
            Interlocked.Exchange(ref listing.ListedAt, changes);
        }
    }

    /// <summary>Nothing changed behind the kernel's back since the listing that it may have kept.</summary>
    public bool IsListingCurrent(ulong nodeId) =>
        _listings.TryGetValue(nodeId, out var listing) && Interlocked.Read(ref listing.ListedAt) == Interlocked.Read(ref listing.Changes);

    /// <summary>Every node that the kernel may cache, with the name under which it last saw it; for invalidating all.</summary>
    public IReadOnlyList<(ulong NodeId, ulong Parent, string Name)> Snapshot()
    {
        var all = _dormant.Snapshot();
        foreach (var shard in _shards)
        {
            lock (shard.Lock)
            {
                all.AddRange(shard.Entries.Select(pair => (pair.Key, pair.Value.Parent, pair.Value.Name)));
            }
        }

        return all;
    }

    private void Wake(ulong nodeId, INode node, ulong parent, string name, ulong lookups)
    {
        if (!_adopted.TryAdd(node.Id, nodeId))
        {
            // It has a number already: renamed in the meantime. The old number answers ESTALE from now on.
            return;
        }

        var shard = ShardOf(nodeId);
        lock (shard.Lock)
        {
            shard.Entries[nodeId] = new Entry { Node = node, Parent = parent, Name = name, Lookups = lookups };
        }

        Held?.Invoke(node);
    }

    // The lowest bits differ between nodes that are used together.
    private Shard ShardOf(ulong nodeId) => _shards[nodeId % Shards];

    private sealed class Shard
    {
        public Lock Lock { get; } = new();

        public Dictionary<ulong, Entry> Entries { get; } = [];
    }

    /// <summary>Of a directory that was listed.</summary>
    private sealed class Listing
    {
        public long Changes;
        public long ListedAt = -1;
    }

    private struct Entry
    {
        public INode Node;
        public string Name;
        public ulong Parent;
        public ulong Lookups;
    }
}
