using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>
/// Entity tags as S3 clients expect them (docs/decisions/0027-s3.md): the MD5 of the content where it is known without reading, which is when the
/// object is one whole block, otherwise a digest of where the bytes are with a dash in it, which no client takes for an MD5. Equal tags mean equal bytes.
/// </summary>
internal static class ObjectTag
{
    private const string EmptyMd5 = "d41d8cd98f00b204e9800998ecf8427e";

    /// <summary>The tag with its quotes.</summary>
    public static string Of(ManifestFile file) => Of(file.Segments);

    /// <summary>The tag with its quotes.</summary>
    public static string Of(ReadOnlySpan<ManifestSegment> segments)
    {
        if (segments.IsEmpty)
        {
            return $"\"{EmptyMd5}\"";
        }

        if (segments.Length == 1 && segments[0] is { Offset: 0 } only && only.Length == only.Locator.SizeBytes)
        {
            return $"\"{only.Locator.Hash}\"";
        }

        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        Span<byte> entry = stackalloc byte[24];
        foreach (var segment in segments)
        {
            segment.Locator.Hash.CopyTo(entry);
            BinaryPrimitives.WriteInt32BigEndian(entry[16..], segment.Offset);
            BinaryPrimitives.WriteInt32BigEndian(entry[20..], segment.Length);
            digest.AppendData(entry);
        }

        return string.Create(CultureInfo.InvariantCulture, $"\"{Convert.ToHexStringLower(digest.GetHashAndReset())}-{segments.Length}\"");
    }
}
