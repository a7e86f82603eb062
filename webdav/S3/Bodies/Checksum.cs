using System.Security.Cryptography;
using KeepFs.WebDav.Bodies;
using KeepFs.WebDav.S3.Protocol;

namespace KeepFs.WebDav.S3.Bodies;

/// <summary>One of the <c>x-amz-checksum-*</c> algorithms, or MD5, over a body as it passes.</summary>
internal sealed class Checksum : IDisposable
{
    public const string HeaderPrefix = "x-amz-checksum-";

    /// <summary>The algorithms by the last part of their headers' names.</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

    private readonly IncrementalHash? _hash;
    private readonly Crc? _crc;
    private byte[]? _result;

    private Checksum(IncrementalHash? hash, Crc? crc) => (_hash, _crc) = (hash, crc);

    /// <summary>Starts one; lower-case names.</summary>
    public static Checksum Of(string algorithm) => algorithm switch
    {
        "crc32" => new Checksum(null, Crc.Crc32()),
        "crc32c" => new Checksum(null, Crc.Crc32C()),
        "crc64nvme" => new Checksum(null, Crc.Crc64Nvme()),
        "sha1" => new Checksum(IncrementalHash.CreateHash(HashAlgorithmName.SHA1), null),
        "sha256" => new Checksum(IncrementalHash.CreateHash(HashAlgorithmName.SHA256), null),
        "md5" => new Checksum(IncrementalHash.CreateHash(HashAlgorithmName.MD5), null),
        _ => throw S3Errors.InvalidRequest($"Checksum algorithm {algorithm} is not known; use one of {string.Join(", ", Algorithms)}."),
    };

    public void Append(ReadOnlySpan<byte> data)
    {
        _hash?.AppendData(data);
        _crc?.Append(data);
    }

    /// <summary>The digest; nothing may be appended afterwards.</summary>
    public byte[] Result() => _result ??= _hash?.GetHashAndReset() ?? _crc!.Result();

    /// <summary>The digest is the one given in base64.</summary>
    public bool Is(string base64)
    {
        Span<byte> given = stackalloc byte[64];
        return Convert.TryFromBase64String(base64, given, out var length) && given[..length].SequenceEqual(Result());
    }

    public void Dispose() => _hash?.Dispose();
}
