using KeepFs.WebDav.S3.Protocol;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>The secret and the token of an access key. Found secrets are kept for a while, a bounded number. Safe for concurrent use.</summary>
/// <param name="find">Asks the catalogue, with the system's token, for a token's secret and end; null when there is none.</param>
/// <param name="lifetime">WebDAVCache.TTL: how long a secret is believed; also how long a revoked token's signatures still pass here (its requests no longer do).</param>
/// <param name="time">The clock.</param>
internal sealed class TokenSecrets(Func<string, CancellationToken, Task<TokenSecret?>> find, TimeSpan lifetime, TimeProvider time)
{
    /// <summary>Tokens in use by S3 clients at once; when there are more, all are asked for again.</summary>
    private const int MaxKnown = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Secret, DateTimeOffset Until)> _known = new(StringComparer.Ordinal);

    /// <summary>What signs, and the token that the request acts with.</summary>
    /// <exception cref="S3Exception">403: the key names no valid token.</exception>
    public async ValueTask<(string Secret, string Token)> FindAsync(AccessKey key, CancellationToken cancellationToken)
    {
        if (key.Token is { } token)
        {
            // The key is the token: who knows it may do everything that it may. Whether it is valid shows with the first request to the catalogue.
            return (key.Text, token);
        }

        var uuid = key.TokenUuid!;
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (_known.TryGetValue(uuid, out var known) && known.Until > now)
            {
                return (known.Secret, $"v2/{uuid}/{known.Secret}");
            }
        }

        var found = await find(uuid, cancellationToken) ?? throw S3Errors.InvalidAccessKey();
        var until = found.ExpiresAt is { } end && end < now + lifetime ? end : now + lifetime;
        lock (_lock)
        {
            if (_known.Count >= MaxKnown)
            {
                _known.Clear();
            }

            _known[uuid] = (found.Secret, until);
        }

        return (found.Secret, $"v2/{uuid}/{found.Secret}");
    }
}

/// <summary>What the catalogue knows of a token.</summary>
/// <param name="Secret">Never logged.</param>
/// <param name="ExpiresAt">Null: never.</param>
internal sealed record TokenSecret(string Secret, DateTimeOffset? ExpiresAt);
