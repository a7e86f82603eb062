using System.Runtime.CompilerServices;
using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.S3.Listing;

/// <summary>
/// The sub-directories of a manifest in the order of their keys, which end with a slash: "a-b/" comes before "a/", while the names sort the other
/// way round. Only directories where that makes a difference get a table. Immutable and safe for concurrent use.
/// </summary>
internal sealed class KeyOrder
{
    private readonly ManifestIndex _index;
    private readonly Dictionary<int, int[]> _sorted = [];

    public KeyOrder(ManifestIndex index)
    {
        _index = index;
        for (var directory = 0; directory < index.DirectoryCount; directory++)
        {
            var children = index.DirectoriesOf(directory);
            for (var i = 1; i < children.Length; i++)
            {
                if (Compare(children[i - 1], children[i]) > 0)
                {
                    var sorted = children.ToArray();
                    Array.Sort(sorted, Compare);
                    _sorted.Add(directory, sorted);
                    break;
                }
            }
        }
    }

    /// <summary>Sub-directories in key order.</summary>
    public ReadOnlySpan<int> DirectoriesOf(int directory) => _sorted.TryGetValue(directory, out var sorted) ? sorted : _index.DirectoriesOf(directory);

    /// <summary>Compares <c>name/</c> with a text.</summary>
    public static int CompareWithSlash(ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        if (text.Length <= name.Length)
        {
            return name[..text.Length].SequenceCompareTo(text) is var order && order != 0 ? order : 1;
        }

        return name.SequenceCompareTo(text[..name.Length]) is var start && start != 0 ? start
            : text[name.Length] != '/' ? '/' - text[name.Length]
            : text.Length > name.Length + 1 ? -1 : 0;
    }

    private int Compare(int a, int b)
    {
        var left = _index.DirectoryName(a);
        var right = _index.DirectoryName(b);
        var common = Math.Min(left.Length, right.Length);
        return left[..common].SequenceCompareTo(right[..common]) is var order && order != 0 ? order
            : (left.Length > common ? left[common] : '/') - (right.Length > common ? right[common] : '/');
    }
}

/// <summary>The orders of the manifests that are in memory, made once for each. Safe for concurrent use.</summary>
internal sealed class KeyOrders
{
    private readonly ConditionalWeakTable<ManifestIndex, KeyOrder> _orders = [];

    public KeyOrder Of(ManifestIndex index) => _orders.GetValue(index, static manifest => new KeyOrder(manifest));
}
