using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>The blocks that a manifest names.</summary>
public static class ManifestBlocks
{
    /// <summary>Distinct hashes in order of appearance, the empty block left out; upper-case digests count as their lower-case form.</summary>
    public static IReadOnlyCollection<BlockHash> Hashes(ReadOnlySpan<byte> manifest)
    {
        var hashes = new HashSet<BlockHash>();
        var tokens = new ManifestTokens(manifest);
        Span<byte> lower = stackalloc byte[BlockHash.TextLength];
        while (tokens.MoveToNextStream())
        {
            tokens.TryNextToken(out _);
            while (tokens.TryNextToken(out var token) && ManifestTokens.LooksLikeLocator(token))
            {
                Ascii.ToLower(token[..BlockHash.TextLength], lower, out _);
                if (BlockHash.TryParse(lower, out var hash) && hash != BlockHash.Empty)
                {
                    hashes.Add(hash);
                }
            }
        }

        return hashes;
    }
}
