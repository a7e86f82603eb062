using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Takeover;

/// <summary>What the kernel holds of a mount: the nodes and handles that it was told of. Built by replaying a <see cref="StateLog"/>.</summary>
internal sealed class MountState
{
    // Numbers of nodes and handles: the process's turn above, its own count below.
    private const int EpochShift = 48;

    /// <summary>A mount that was never told anything.</summary>
    public static MountState Fresh => new();

    /// <summary>How many processes served the mount before this one.</summary>
    public ushort Epoch { get; init; }

    /// <summary>Above every number that processes before this one gave out.</summary>
    public ulong FirstNumber => (ulong)Epoch << EpochShift;

    public Dictionary<ulong, StateNode> Nodes { get; } = [];

    public Dictionary<(ulong Parent, string Name), ulong> Names { get; } = [];

    public Dictionary<ulong, StateHandle> Handles { get; } = [];

    public void Named(ulong nodeId, ulong parent, string name, ulong lookups)
    {
        Removed(parent, name);
        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(Nodes, nodeId, out _);
        if (node.Name is not null)
        {
            Names.Remove((node.Parent, node.Name));
        }

        (node.Parent, node.Name, node.Lookups) = (parent, name, node.Lookups + lookups);
        Names[(parent, name)] = nodeId;
    }

    public void Counted(ulong nodeId)
    {
        ref var node = ref CollectionsMarshal.GetValueRefOrAddDefault(Nodes, nodeId, out _);
        node.Lookups++;
    }

    public void Forgotten(ulong nodeId, ulong lookups)
    {
        if (!Nodes.TryGetValue(nodeId, out var node))
        {
            return;
        }

        if (node.Lookups > lookups)
        {
            Nodes[nodeId] = node with { Lookups = node.Lookups - lookups };
            return;
        }

        Nodes.Remove(nodeId);
        if (node.Name is not null)
        {
            Names.Remove((node.Parent, node.Name));
        }
    }

    /// <summary>What had the name lives on without one while the kernel knows it.</summary>
    public void Removed(ulong parent, string name)
    {
        if (Names.Remove((parent, name), out var nodeId))
        {
            Nodes[nodeId] = Nodes[nodeId] with { Name = null };
        }
    }

    public void Renamed(ulong parent, string name, ulong newParent, string newName)
    {
        Removed(newParent, newName);
        if (Names.Remove((parent, name), out var nodeId))
        {
            Nodes[nodeId] = Nodes[nodeId] with { Parent = newParent, Name = newName };
            Names[(newParent, newName)] = nodeId;
        }
    }
}

/// <summary>A node that the kernel knows; the name is null when it was removed.</summary>
internal record struct StateNode(ulong Parent, string? Name, ulong Lookups);

/// <summary>A handle that the kernel holds.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Flags">Of open(2); -1 for a directory.</param>
/// <param name="BackingId">
/// The backing file that the kernel reads from instead of asking; 0 when it asks and keeps what it was told, <see cref="Uncounted"/> when it
/// keeps nothing.
/// </param>
internal readonly record struct StateHandle(ulong NodeId, int Flags, int BackingId)
{
    public const int DirectoryFlags = -1;
    public const int Uncounted = -1;

    public bool IsDirectory => Flags == DirectoryFlags;
}
