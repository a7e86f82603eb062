using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Downloads;

/// <summary>
/// Strong validators of files: a digest of where the bytes are (blocks by hash, offsets, lengths) and the size. Equal tags mean equal bytes,
/// whatever the modification time; the same bytes cut differently get another tag, which costs a client one more download and nothing else.
/// </summary>
internal static class EntityTag
{
    /// <summary>The tag with its quotes.</summary>
    public static string Of(ManifestFile file)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        Span<byte> entry = stackalloc byte[24];
        foreach (var segment in file.Segments)
        {
            segment.Locator.Hash.CopyTo(entry);
            BinaryPrimitives.WriteInt32BigEndian(entry[16..], segment.Offset);
            BinaryPrimitives.WriteInt32BigEndian(entry[20..], segment.Length);
            digest.AppendData(entry);
        }

        return string.Create(CultureInfo.InvariantCulture, $"\"{Convert.ToHexStringLower(digest.GetHashAndReset())}-{file.SizeBytes:x}\"");
    }

    /// <summary>A list of tags, or <c>*</c> for anything that exists (RFC 9110 13.1). Commas inside quotes do not separate.</summary>
    /// <param name="list">The header.</param>
    /// <param name="tag">The current tag; null when there is a resource without one.</param>
    /// <param name="weak">Compare weakly: <c>W/</c> does not count.</param>
    public static bool ListMatches(string list, string? tag, bool weak)
    {
        if (list.Trim() == "*")
        {
            return true;
        }

        var rest = list.AsSpan().Trim();
        while (!rest.IsEmpty)
        {
            var isWeak = rest.StartsWith("W/", StringComparison.Ordinal);
            var start = isWeak ? 2 : 0;
            var end = rest.Length > start && rest[start] == '"' ? rest[(start + 1)..].IndexOf('"') + start + 2 : -1;
            if (end < start + 2)
            {
                return false;
            }

            if (tag is not null && (weak || !isWeak) && rest[start..end].SequenceEqual(tag))
            {
                return true;
            }

            rest = rest[end..].TrimStart(" \t,");
        }

        return false;
    }
}
