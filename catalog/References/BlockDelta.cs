using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.References;

/// <summary>The blocks that a change of content adds and takes away. Made outside the write lock. Immutable.</summary>
internal sealed record BlockDelta(IReadOnlyList<KeyValuePair<BlockHash, int>> Added, IReadOnlyList<BlockHash> Removed)
{
    public static BlockDelta Between(ReadOnlySpan<byte> before, ReadOnlySpan<byte> after) => Between(ManifestBlocks.Sizes(before), ManifestBlocks.Sizes(after));

    public static BlockDelta Between(Dictionary<BlockHash, int> before, Dictionary<BlockHash, int> after) =>
        new([.. after.Where(block => !before.ContainsKey(block.Key))], [.. before.Keys.Where(hash => !after.ContainsKey(hash))]);
}
