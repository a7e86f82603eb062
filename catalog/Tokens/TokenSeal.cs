using System.Security.Cryptography;
using System.Text;

namespace KeepFs.Catalog.Tokens;

/// <summary>
/// Token secrets encrypted under the system root token (AES-256-GCM): keep-web must know the secret to verify an S3 signature, and a copy of the database
/// alone must not give it away (docs/decisions/0027-s3.md). Sealed to the token's UUID, so that rows cannot be exchanged. Immutable, safe for concurrent use.
/// </summary>
internal sealed class TokenSeal
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly byte[]? _key;

    /// <summary>Derives the key. Without a root token there is none, and nothing is kept: anybody could derive it.</summary>
    public TokenSeal(string systemRootToken) => _key = systemRootToken.Length == 0 ? null
        : HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(systemRootToken), 32, info: "keepfs token secrets"u8.ToArray());

    /// <summary>Base64 of nonce, tag and encrypted secret; null without a root token.</summary>
    public string? Seal(string uuid, string secret)
    {
        if (_key is null)
        {
            return null;
        }

        var plain = Encoding.UTF8.GetBytes(secret);
        var result = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(result.AsSpan(0, NonceBytes), plain, result.AsSpan(NonceBytes + TagBytes), result.AsSpan(NonceBytes, TagBytes), Encoding.UTF8.GetBytes(uuid));
        return Convert.ToBase64String(result);
    }

    /// <summary>Whether what is kept of a secret is what would be kept now.</summary>
    public bool IsCurrent(string uuid, string secret, string? @sealed) => _key is null ? @sealed is null : Open(uuid, @sealed) == secret;

    /// <summary>The secret, or null when it was sealed under another root token, or is damaged.</summary>
    public string? Open(string uuid, string? @sealed)
    {
        var bytes = new byte[@sealed?.Length ?? 0];
        if (_key is null || @sealed is null || !Convert.TryFromBase64String(@sealed, bytes, out var length) || length < NonceBytes + TagBytes)
        {
            return null;
        }

        var plain = new byte[length - NonceBytes - TagBytes];
        using var aes = new AesGcm(_key, TagBytes);
        try
        {
            aes.Decrypt(
                bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes + TagBytes, plain.Length), bytes.AsSpan(NonceBytes, TagBytes), plain, Encoding.UTF8.GetBytes(uuid));
            return Encoding.UTF8.GetString(plain);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
