using KeepFs.WebDav.S3.Protocol;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>An access key as a client sends it (keep-web.md 4.1).</summary>
/// <param name="Text">As sent.</param>
/// <param name="Token">The token it stands for, or null when it only names one, whose secret must be looked up.</param>
internal sealed record AccessKey(string Text, string? Token)
{
    /// <summary>Tokens have about 90 characters.</summary>
    private const int MaxLength = 1024;

    private const int UuidLength = 27;

    /// <summary>The UUID of the token that must be looked up.</summary>
    public string? TokenUuid => Token is null ? Text : null;

    /// <summary>Sorts a key by its form.</summary>
    /// <exception cref="S3Exception">403: empty or longer than any token.</exception>
    public static AccessKey Parse(string text)
    {
        if (text.Length is 0 or > MaxLength || text.AsSpan().ContainsAnyInRange('\0', ' '))
        {
            throw S3Errors.InvalidAccessKey();
        }

        if (text.Length == UuidLength && text.AsSpan(5, 7) is "-gj3su-")
        {
            return new AccessKey(text, null);
        }

        if (text.StartsWith("v2_", StringComparison.Ordinal) && text.Split('_', 3) is [_, var uuid, var secret])
        {
            return new AccessKey(text, $"v2/{uuid}/{secret}");
        }

        return new AccessKey(text, text.Contains('%', StringComparison.Ordinal) ? PercentCode.Decode(text, plusIsSpace: false) : text);
    }
}
