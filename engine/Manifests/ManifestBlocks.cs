using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>The blocks that a manifest names.</summary>
public static class ManifestBlocks
{
    /// <summary>Distinct hashes with their sizes (0 where a locator names none), the empty block left out; upper-case digests count as their lower-case form.</summary>
    public static Dictionary<BlockHash, int> Sizes(ReadOnlySpan<byte> manifest)
    {
        var sizes = new Dictionary<BlockHash, int>();
        var tokens = new ManifestTokens(manifest);
        Span<byte> lower = stackalloc byte[BlockHash.TextLength];
        while (tokens.MoveToNextStream())
        {
            tokens.TryNextToken(out _);
            while (tokens.TryNextToken(out var token) && ManifestTokens.LooksLikeLocator(token))
            {
                Ascii.ToLower(token[..BlockHash.TextLength], lower, out _);
                if (BlockHash.TryParse(lower, out var hash) && hash != BlockHash.Empty && !sizes.ContainsKey(hash))
                {
                    var rest = token[BlockHash.TextLength..];
                    sizes.Add(hash, rest.Length > 1 && rest[0] == (byte)'+' && System.Buffers.Text.Utf8Parser.TryParse(rest[1..], out int size, out _) ? size : 0);
                }
            }
        }

        return sizes;
    }
}
