using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>The mounts of one keepstore in the orders in which it walks them (blocks.md section 5). Immutable.</summary>
public sealed class MountTable
{
    private readonly Mount[] _writable;

    /// <summary>Creates the table.</summary>
    /// <exception cref="ArgumentException">Two mounts have one UUID.</exception>
    public MountTable(IEnumerable<Mount> mounts)
    {
        All = [.. mounts.OrderBy(mount => mount.Uuid, StringComparer.Ordinal)];
        _writable = [.. All.Where(mount => mount.AllowWrite)];
        if (All.DistinctBy(mount => mount.Uuid).Count() != All.Count)
        {
            throw new ArgumentException("Two mounts have the same UUID.", nameof(mounts));
        }
    }

    /// <summary>All mounts by UUID: the order of index, touch, trash and untrash.</summary>
    public IReadOnlyList<Mount> All { get; }

    /// <summary>The writable ones by UUID.</summary>
    public IReadOnlyList<Mount> Writable => _writable;

    /// <summary>All mounts in reading order for a block.</summary>
    public IReadOnlyList<Mount> ForReading(BlockHash hash) => InOrder(hash, All);

    /// <summary>Writable mounts in writing order for a block.</summary>
    public IReadOnlyList<Mount> ForWriting(BlockHash hash) => InOrder(hash, _writable);

    /// <summary>The mount with this UUID, or null.</summary>
    public Mount? Find(string uuid) => All.FirstOrDefault(mount => mount.Uuid == uuid);

    private static IReadOnlyList<Mount> InOrder(BlockHash hash, IReadOnlyList<Mount> mounts) =>
        mounts.Count < 2 ? mounts : ProbeOrder.OfMounts(hash, mounts, static mount => mount.Uuid, static mount => mount.Priority);
}
