using System.Security.Cryptography;
using System.Text;

namespace KeepFs.Engine.Blocks;

/// <summary>Salts a token for another cluster, which then cannot use it elsewhere (blocks.md section 3.4).</summary>
public static class TokenSalt
{
    private const int SaltedLength = 40;

    /// <summary>The token to send to <paramref name="cluster"/> (five characters).</summary>
    /// <exception cref="FormatException">Obsolete (v1), malformed or already salted token; the message says which.</exception>
    public static string ForCluster(string token, string cluster)
    {
        var parts = token.Split('/');
        if (parts.Length < 3 || parts[0] != "v2")
        {
            var obsolete = token.Length >= 41 && token.All(c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c));
            throw new FormatException(obsolete ? "obsolete token format" : "badly formatted token");
        }

        var (uuid, secret) = (parts[1], parts[2]);
        if (uuid.StartsWith(cluster, StringComparison.Ordinal))
        {
            return token;
        }

        if (secret.Length == SaltedLength)
        {
            throw new FormatException("token already salted");
        }

        var mac = HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(cluster));
        return $"v2/{uuid}/{Convert.ToHexStringLower(mac)}";
    }
}
