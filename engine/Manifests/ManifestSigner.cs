using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>Adds, removes and checks the permission signatures in a manifest (manifests.md section 8). Text in, text out; nothing is parsed into objects.</summary>
public static class ManifestSigner
{
    /// <summary>The manifest with every old signature removed and a new one appended to every locator.</summary>
    public static byte[] Sign(ReadOnlySpan<byte> manifest, LocatorSigner signer, string token, DateTimeOffset expiry)
    {
        if (!signer.HasKey || token.Length == 0)
        {
            return Strip(manifest);
        }

        var tokenUtf8 = Encoding.UTF8.GetBytes(token);
        var expiryHex = Encoding.ASCII.GetBytes(LocatorSigner.ExpiryHex(expiry));
        var output = new ArrayBufferWriter<byte>(manifest.Length + (manifest.Length / 2) + 256);
        var places = new List<(int Hash, int Hint)>();
        var copied = 0;
        var tokens = new ManifestTokens(manifest);
        while (tokens.MoveToNextStream())
        {
            tokens.TryNextToken(out _);
            while (tokens.TryNextToken(out var locator) && ManifestTokens.LooksLikeLocator(locator))
            {
                output.Write(manifest[copied..tokens.TokenOffset]);
                var hash = output.WrittenCount;
                WriteStripped(output, locator);
                places.Add((hash, output.WrittenCount));
                output.GetSpan(LocatorSigner.HintLength);
                output.Advance(LocatorSigner.HintLength);
                copied = tokens.TokenOffset + locator.Length;
            }
        }

        output.Write(manifest[copied..]);
        var signed = output.WrittenSpan.ToArray();
        signer.WriteHints(signed, CollectionsMarshal.AsSpan(places), tokenUtf8, expiryHex);
        return signed;
    }

    /// <summary>The manifest as it is stored: every <c>+A</c> hint removed, all other hints kept.</summary>
    public static byte[] Strip(ReadOnlySpan<byte> manifest)
    {
        if (manifest.IndexOf("+A"u8) < 0)
        {
            return manifest.ToArray();
        }

        var output = new ArrayBufferWriter<byte>(manifest.Length);
        var copied = 0;
        var tokens = new ManifestTokens(manifest);
        while (tokens.MoveToNextStream())
        {
            tokens.TryNextToken(out _);
            while (tokens.TryNextToken(out var locator) && ManifestTokens.LooksLikeLocator(locator))
            {
                output.Write(manifest[copied..tokens.TokenOffset]);
                WriteStripped(output, locator);
                copied = tokens.TokenOffset + locator.Length;
            }
        }

        output.Write(manifest[copied..]);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Checks that the token may use every block: each locator is the empty block or validly signed, or, if
    /// <paramref name="allowUnsigned"/>, carries no signature at all (catalog-api.md 4.5). Returns the first failure and its locator.
    /// </summary>
    public static SignatureCheck Verify(
        ReadOnlySpan<byte> manifest, LocatorSigner signer, string token, DateTimeOffset now, bool allowUnsigned, out string? locator)
    {
        var tokens = new ManifestTokens(manifest);
        var last = default(ReadOnlySpan<byte>);
        while (tokens.MoveToNextStream())
        {
            tokens.TryNextToken(out _);
            while (tokens.TryNextToken(out var text) && ManifestTokens.LooksLikeLocator(text))
            {
                if (text.SequenceEqual(last) || (BlockHash.TryParse(text[..BlockHash.TextLength], out var hash) && hash == BlockHash.Empty))
                {
                    continue;
                }

                if (allowUnsigned && text.IndexOf("+A"u8) < 0)
                {
                    continue;
                }

                var shown = Encoding.ASCII.GetString(text);
                var check = signer.Verify(shown, token, now);
                if (check != SignatureCheck.Valid)
                {
                    locator = shown;
                    return check;
                }

                last = text;
            }
        }

        locator = null;
        return SignatureCheck.Valid;
    }

    private static void WriteStripped(IBufferWriter<byte> output, ReadOnlySpan<byte> locator)
    {
        while (locator.IndexOf("+A"u8) is >= 0 and var at)
        {
            output.Write(locator[..at]);
            locator = locator[(at + 1)..];
            var next = locator.IndexOf((byte)'+');
            locator = next < 0 ? default : locator[next..];
        }

        output.Write(locator);
    }
}
