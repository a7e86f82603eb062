using System.Security.Cryptography;
using System.Text;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// Rendezvous order: which service or mount is asked first for a block (blocks.md sections 4 and 5). The weight is
/// MD5(hash text + id). Clients try the heaviest service first; a keepstore tries its mounts by priority, then the lightest.
/// </summary>
public static class ProbeOrder
{
    private const int UuidLength = 27;
    private const int RendezvousLength = 15;

    /// <summary>The weight of an id for a block; a 27-character UUID counts with its last 15 characters, anything else whole.</summary>
    public static BlockHash Weight(BlockHash hash, string id)
    {
        var tail = id.Length == UuidLength ? id.AsSpan(UuidLength - RendezvousLength) : id.AsSpan();
        var max = BlockHash.TextLength + Encoding.UTF8.GetMaxByteCount(tail.Length);
        var message = max <= 512 ? stackalloc byte[max] : new byte[max];
        hash.TryFormat(message, out _, default, null);
        var length = BlockHash.TextLength + Encoding.UTF8.GetBytes(tail, message[BlockHash.TextLength..]);
        Span<byte> digest = stackalloc byte[16];
        MD5.HashData(message[..length], digest);
        return BlockHash.FromDigest(digest);
    }

    /// <summary>Services in the order in which clients ask them: heaviest first.</summary>
    public static T[] OfServices<T>(BlockHash hash, IReadOnlyList<T> services, Func<T, string> id) =>
        Sort(hash, services, id, static _ => 0, descending: true);

    /// <summary>Mounts in the order in which a keepstore asks them: highest priority first, then lightest.</summary>
    public static T[] OfMounts<T>(BlockHash hash, IReadOnlyList<T> mounts, Func<T, string> id, Func<T, int> priority) =>
        Sort(hash, mounts, id, priority, descending: false);

    private static T[] Sort<T>(BlockHash hash, IReadOnlyList<T> items, Func<T, string> id, Func<T, int> priority, bool descending)
    {
        var sorted = items.ToArray();
        if (sorted.Length < 2)
        {
            return sorted;
        }

        var keys = Array.ConvertAll(sorted, item => (Priority: priority(item), Weight: Weight(hash, id(item))));
        Array.Sort(keys, sorted, Comparer<(int Priority, BlockHash Weight)>.Create((a, b) =>
        {
            var byPriority = b.Priority.CompareTo(a.Priority);
            return byPriority != 0 ? byPriority : descending ? b.Weight.CompareTo(a.Weight) : a.Weight.CompareTo(b.Weight);
        }));
        return sorted;
    }
}
