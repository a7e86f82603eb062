using System.Security.Cryptography;
using System.Text;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>A version 4 signing key in its scope: what signs the request, its chunks and its trailer. Immutable, safe for concurrent use.</summary>
internal sealed class SigningScope
{
    private readonly byte[] _key;

    /// <summary>Derives the key.</summary>
    /// <param name="secret">The secret access key.</param>
    /// <param name="timestamp"><c>YYYYMMDDTHHMMSSZ</c> of the request.</param>
    /// <param name="scope"><c>date/region/service/aws4_request</c>.</param>
    public SigningScope(string secret, string timestamp, string scope)
    {
        (Timestamp, Scope) = (timestamp, scope);
        _key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (var part in scope.Split('/'))
        {
            _key = HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(part));
        }
    }

    public string Timestamp { get; }

    public string Scope { get; }

    /// <summary>Signature of a canonical request.</summary>
    public byte[] SignRequest(string canonicalRequest) =>
        Sign($"AWS4-HMAC-SHA256\n{Timestamp}\n{Scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonicalRequest)))}");

    /// <summary>Signature of a chunk of a streamed body.</summary>
    public byte[] SignChunk(string previousSignature, ReadOnlySpan<byte> dataHash) =>
        Sign($"AWS4-HMAC-SHA256-PAYLOAD\n{Timestamp}\n{Scope}\n{previousSignature}\n{CanonicalRequest.EmptyHash}\n{Hex(dataHash)}");

    /// <summary>Signature of the trailer of a streamed body.</summary>
    public byte[] SignTrailer(string previousSignature, string trailer) =>
        Sign($"AWS4-HMAC-SHA256-TRAILER\n{Timestamp}\n{Scope}\n{previousSignature}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(trailer)))}");

    /// <summary>Compares in a time that says nothing about where they differ.</summary>
    public static bool Same(byte[] signature, string hex)
    {
        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        return hex.Length == 2 * SHA256.HashSizeInBytes
            && Convert.FromHexString(hex, given, out _, out _) == System.Buffers.OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(signature, given);
    }

    private byte[] Sign(string text) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(text));

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
