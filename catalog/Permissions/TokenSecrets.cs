using System.Security.Cryptography;
using System.Text;

namespace KeepFs.Catalog.Permissions;

/// <summary>Forms of tokens and how their secrets are stored: as SHA-256 and sealed (<see cref="Tokens.TokenSeal"/>), never in clear (catalog-api.md 8).</summary>
internal static class TokenSecrets
{
    private const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

    // 50 characters of base 36 are 258 bits: a plain hash is enough for secrets that nobody can guess.
    public static string Create() => RandomNumberGenerator.GetString(Alphabet, 50);

    public static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>Hash of the form that a federating server of the same cluster would present.</summary>
    public static string SaltedHash(string secret, string clusterId) =>
        Hash(Convert.ToHexStringLower(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(clusterId))));

    /// <summary>Splits <c>v2/uuid/secret[/...]</c>; a bare secret has no UUID.</summary>
    public static (string? Uuid, string Secret) Parse(string token) =>
        token.Split('/') is ["v2", var uuid, var secret, ..] ? (uuid, secret) : (null, token);

    public static bool Same(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(left)), SHA256.HashData(Encoding.UTF8.GetBytes(right)));
}
