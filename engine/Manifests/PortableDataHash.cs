using System.Globalization;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>The content address of a manifest (manifests.md section 7).</summary>
public static class PortableDataHash
{
    /// <summary>PDH of the empty collection.</summary>
    public const string Empty = "d41d8cd98f00b204e9800998ecf8427e+0";

    /// <summary>MD5 of the manifest with every locator reduced to <c>digest[+size]</c>, <c>+</c>, and that text's length in bytes.</summary>
    public static string Compute(ReadOnlySpan<byte> manifest)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        long length = 0;
        var unhashed = 0;
        var tokens = new ManifestTokens(manifest);
        while (tokens.MoveToNextStream())
        {
            // The stream name is never a locator.
            tokens.TryNextToken(out _);
            while (tokens.TryNextToken(out var token) && ManifestTokens.LooksLikeLocator(token))
            {
                var kept = KeptLength(token);
                if (kept < token.Length)
                {
                    var until = tokens.TokenOffset + kept;
                    md5.AppendData(manifest[unhashed..until]);
                    length += until - unhashed;
                    unhashed = tokens.TokenOffset + token.Length;
                }
            }
        }

        md5.AppendData(manifest[unhashed..]);
        length += manifest.Length - unhashed;
        Span<byte> digest = stackalloc byte[16];
        md5.GetHashAndReset(digest);
        return string.Create(CultureInfo.InvariantCulture, $"{BlockHash.FromDigest(digest)}+{length}");
    }

    /// <summary>Two portable data hashes name the same content: their 32 digits agree; size and hints do not count.</summary>
    public static bool Matches(string a, string b) =>
        a.Length >= BlockHash.TextLength && b.Length >= BlockHash.TextLength
        && a.AsSpan(0, BlockHash.TextLength).Equals(b.AsSpan(0, BlockHash.TextLength), StringComparison.OrdinalIgnoreCase);

    /// <summary>The text is <c>digest+size</c>, possibly with hints.</summary>
    public static bool IsPortableDataHash(string text) => LocatorSyntax.IsSizedLocator(text);

    private static int KeptLength(ReadOnlySpan<byte> token)
    {
        var kept = BlockHash.TextLength;
        if (token.Length > kept + 1 && char.IsAsciiDigit((char)token[kept + 1]))
        {
            kept++;
            while (kept < token.Length && char.IsAsciiDigit((char)token[kept]))
            {
                kept++;
            }
        }

        return kept;
    }
}
