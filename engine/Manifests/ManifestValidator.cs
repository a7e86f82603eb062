using System.Text;
using System.Text.Unicode;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>The API's check of a manifest that a client wants to save (manifests.md section 5).</summary>
public static class ManifestValidator
{
    private const int MaxShownBytes = 100;

    /// <summary>Null when the manifest may be saved, else the failure text for a 422 answer.</summary>
    public static string? Validate(ReadOnlySpan<byte> manifest) => Validate(manifest, forReading: false);

    /// <summary>
    /// As above; with <paramref name="forReading"/> a zero-size name that ends in "/." is accepted too: readers take it as the
    /// directory before it (manifests.md section 4).
    /// </summary>
    internal static string? Validate(ReadOnlySpan<byte> manifest, bool forReading)
    {
        if (manifest.IsEmpty)
        {
            return null;
        }

        if (!Utf8.IsValid(manifest))
        {
            return "Invalid manifest: must use UTF-8 encoding";
        }

        if (manifest[^1] != (byte)'\n')
        {
            return "Invalid manifest: does not end with newline";
        }

        var tokens = new ManifestTokens(manifest);
        while (tokens.MoveToNextStream())
        {
            if (CheckStream(ref tokens, forReading) is { } failure)
            {
                return $"Manifest invalid for stream {tokens.StreamNumber}: {failure}";
            }
        }

        return null;
    }

    private static string? CheckStream(ref ManifestTokens tokens, bool forReading)
    {
        tokens.TryNextToken(out var name);
        if (name.IsEmpty)
        {
            return "missing stream name";
        }

        if (HasBigEscape(name))
        {
            return $">8-bit encoded chars not allowed on stream token {Show(name)}";
        }

        if (!IsStreamName(name))
        {
            return $"missing or invalid stream name {Show(name)}";
        }

        if (!tokens.TryNextToken(out var token) || !IsLocator(token))
        {
            return $"missing or invalid locator {Show(token)}";
        }

        var more = tokens.TryNextToken(out token);
        while (more && IsLocator(token))
        {
            more = tokens.TryNextToken(out token);
        }

        if (!more)
        {
            return "no file tokens";
        }

        for (; more; more = tokens.TryNextToken(out token))
        {
            if (HasBigEscape(token))
            {
                return $">8-bit encoded chars not allowed on file token {Show(token)}";
            }

            if (!IsFileToken(token, forReading))
            {
                var last = token.IsEmpty && !tokens.TryNextToken(out _);
                return last ? "trailing space" : $"invalid file token {Show(token)}";
            }
        }

        return null;
    }

    private static bool IsLocator(ReadOnlySpan<byte> token)
    {
        if (!ManifestTokens.LooksLikeLocator(token))
        {
            return false;
        }

        var hints = token[BlockHash.TextLength..];
        for (var first = true; !hints.IsEmpty; first = false)
        {
            hints = hints[1..];
            var end = hints.IndexOf((byte)'+');
            var hint = end < 0 ? hints : hints[..end];
            hints = end < 0 ? default : hints[end..];
            if (hint.IsEmpty || !(first && !hint.ContainsAnyExceptInRange((byte)'0', (byte)'9')) && !IsHint(hint))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHint(ReadOnlySpan<byte> hint)
    {
        if (!char.IsAsciiLetterUpper((char)hint[0]))
        {
            return false;
        }

        foreach (var c in hint)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'@' or (byte)'_' or (byte)'-'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsStreamName(ReadOnlySpan<byte> token)
    {
        if (!HasOnlyKnownEscapes(token))
        {
            return false;
        }

        var name = token.Length <= 512 ? stackalloc byte[token.Length] : new byte[token.Length];
        name = name[..ManifestEscape.Unescape(token, name)];
        return name.Length >= 1 && name[0] == (byte)'.' && (name.Length == 1 || (name[1] == (byte)'/' && ManifestPath.IsClean(name[2..])));
    }

    private static bool IsFileToken(ReadOnlySpan<byte> token, bool forReading)
    {
        if (!HasOnlyKnownEscapes(token) || !SegmentToken.TryParse(token, out var segment))
        {
            return false;
        }

        var name = segment.Name.Length <= 512 ? stackalloc byte[segment.Name.Length] : new byte[segment.Name.Length];
        name = name[..ManifestEscape.Unescape(segment.Name, name)];

        if (forReading && segment.Size == 0 && name.EndsWith("/."u8))
        {
            name = name[..^2];
        }

        // The placeholder of an empty directory, and only in the spelling 0:0:. (manifests.md section 4).
        return name.SequenceEqual("."u8) ? token.StartsWith("0:0:"u8) : ManifestPath.IsClean(name);
    }

    /// <summary>No raw control character or space, and every backslash starts an escape of value 000 to 377.</summary>
    private static bool HasOnlyKnownEscapes(ReadOnlySpan<byte> token)
    {
        for (var i = 0; i < token.Length; i++)
        {
            if (token[i] <= 0x20)
            {
                return false;
            }

            if (token[i] == (byte)'\\')
            {
                if (!ManifestEscape.IsEscape(token[i..]))
                {
                    return false;
                }

                i += 3;
            }
        }

        return true;
    }

    private static bool HasBigEscape(ReadOnlySpan<byte> token)
    {
        for (var i = 0; i + 3 < token.Length; i++)
        {
            if (token[i] == (byte)'\\')
            {
                if (token[i + 1] is >= (byte)'4' and <= (byte)'7' && ManifestEscape.IsOctal(token[i + 2]) && ManifestEscape.IsOctal(token[i + 3]))
                {
                    return true;
                }

                // A doubled backslash does not start an escape with its second half.
                i += token[i + 1] == (byte)'\\' ? 1 : 0;
            }
        }

        return false;
    }

    private static string Show(ReadOnlySpan<byte> token) => $"\"{Encoding.UTF8.GetString(token.Length > MaxShownBytes ? token[..MaxShownBytes] : token)}\"";
}
