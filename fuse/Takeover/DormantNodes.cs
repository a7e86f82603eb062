using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Takeover;

/// <summary>
/// Nodes that the kernel was told of by processes before this one and nobody asked for yet: their number, and the directory and name to find
/// them by. Only ever gets smaller. Safe for concurrent use.
/// </summary>
internal sealed class DormantNodes
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, StateNode> _nodes;
    private readonly Dictionary<(ulong Parent, string Name), ulong> _names;
    private volatile bool _isEmpty;

    public DormantNodes(MountState state)
    {
        (_nodes, _names) = (state.Nodes, state.Names);
        _isEmpty = _nodes.Count == 0;
    }

    public bool IsEmpty => _isEmpty;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _nodes.Count;
            }
        }
    }

    /// <summary>Where to look for it; false also for one whose name was removed.</summary>
    public bool TryGet(ulong nodeId, out ulong parent, [NotNullWhen(true)] out string? name)
    {
        (parent, name) = (0, null);
        if (_isEmpty)
        {
            return false;
        }

        lock (_lock)
        {
            if (_nodes.TryGetValue(nodeId, out var node))
            {
                (parent, name) = (node.Parent, node.Name);
            }

            return name is not null;
        }
    }

    public bool TryTake(ulong parent, string name, out ulong nodeId, out ulong lookups)
    {
        (nodeId, lookups) = (0, 0);
        if (_isEmpty)
        {
            return false;
        }

        lock (_lock)
        {
            return _names.TryGetValue((parent, name), out nodeId) && Take(nodeId, out _, out _, out lookups);
        }
    }

    public bool TryTake(ulong nodeId, out ulong parent, [NotNullWhen(true)] out string? name, out ulong lookups)
    {
        lock (_lock)
        {
            return Take(nodeId, out parent, out name, out lookups);
        }
    }

    /// <summary>False when it is not dormant.</summary>
    public bool Forget(ulong nodeId, ulong lookups)
    {
        if (_isEmpty)
        {
            return false;
        }

        lock (_lock)
        {
            ref var node = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, nodeId);
            if (Unsafe.IsNullRef(ref node))
            {
                return false;
            }

            node.Lookups -= Math.Min(lookups, node.Lookups);
            if (node.Lookups == 0)
            {
                Take(nodeId, out _, out _, out _);
            }

            return true;
        }
    }

    /// <summary>A name was removed or given to another node through this mount.</summary>
    public void NameGone(ulong parent, string name)
    {
        if (_isEmpty)
        {
            return;
        }

        lock (_lock)
        {
            if (_names.Remove((parent, name), out var nodeId))
            {
                CollectionsMarshal.GetValueRefOrNullRef(_nodes, nodeId).Name = null;
            }
        }
    }

    /// <summary>The same for a name that was changed.</summary>
    public void Renamed(ulong parent, string name, ulong newParent, string newName)
    {
        if (_isEmpty)
        {
            return;
        }

        lock (_lock)
        {
            NameGone(newParent, newName);
            if (_names.Remove((parent, name), out var nodeId))
            {
                ref var node = ref CollectionsMarshal.GetValueRefOrNullRef(_nodes, nodeId);
                (node.Parent, node.Name) = (newParent, newName);
                _names[(newParent, newName)] = nodeId;
            }
        }
    }

    public List<(ulong NodeId, ulong Parent, string Name)> Snapshot()
    {
        lock (_lock)
        {
            return [.. _nodes.Select(pair => (pair.Key, pair.Value.Parent, pair.Value.Name ?? string.Empty))];
        }
    }

    private bool Take(ulong nodeId, out ulong parent, [NotNullWhen(true)] out string? name, out ulong lookups)
    {
        (parent, name, lookups) = (0, null, 0);
        if (!_nodes.Remove(nodeId, out var node))
        {
            return false;
        }

        _isEmpty = _nodes.Count == 0;
        (parent, name, lookups) = (node.Parent, node.Name, node.Lookups);
        if (name is null)
        {
            return false;
        }

        _names.Remove((parent, name));
        return true;
    }
}
