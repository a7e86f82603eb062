using System.Text.Json;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Catalog.Permissions;

/// <summary>Finds the user behind a token (catalog-api.md 8). No answer is remembered between requests: a revoked token ends at once.</summary>
internal sealed class Authenticator(CatalogContext catalog, LoginLimiter limiter)
{
    private const int MaxReaderTokens = 100;

    /// <summary>The caller of the first valid token; null when none is valid.</summary>
    /// <exception cref="ApiException">429: too many wrong ones came from the same address.</exception>
    public async Task<Caller?> AuthenticateAsync(HttpContext http, IReadOnlyList<string> tokens, IReadOnlyList<string> readerTokens, CancellationToken ct)
    {
        if (readerTokens.Count >= MaxReaderTokens)
        {
            throw ApiException.Invalid($"reader_tokens: fewer than {MaxReaderTokens} are allowed");
        }

        if (tokens.Count == 0)
        {
            return null;
        }

        var address = http.Connection.RemoteIpAddress;
        var isLimited = !ClientAddress.IsLocal(http);
        if (isLimited)
        {
            tokens = limiter.Admit(address, tokens, out var retryAfter);
            readerTokens = limiter.Admit(address, readerTokens, out _);
            if (tokens.Count == 0)
            {
                throw ApiException.TooManyWrongTokens(retryAfter);
            }
        }

        var (caller, wrong) = await catalog.Database.ReadOneAsync(session => FindAsync(session, tokens, readerTokens), ct);
        if (isLimited)
        {
            limiter.Report(address, caller?.Token, wrong);
        }

        return caller is null ? null : caller with { Address = address?.ToString(), RequestId = http.TraceIdentifier };
    }

    private async Task<(Caller? Caller, int Wrong)> FindAsync(CatalogSession session, IReadOnlyList<string> tokens, IReadOnlyList<string> readerTokens)
    {
        var wrong = 0;
        Caller? caller = null;
        for (var i = 0; i < tokens.Count && caller is null; i++)
        {
            caller = await FindAsync(session, tokens[i]);
            wrong += caller is null ? 1 : 0;
        }

        if (caller is null)
        {
            return (null, wrong);
        }

        var readers = new List<Caller>();
        foreach (var token in readerTokens)
        {
            if (await FindAsync(session, token) is { } reader)
            {
                readers.Add(reader);
            }
        }

        return (readers.Count == 0 ? caller : caller with
        {
            AlsoReadsAs = [.. readers.SelectMany(reader => reader.ActsAs)],
            ReadsEverything = readers.Any(reader => reader.IsAdmin),
        }, wrong + readerTokens.Count - readers.Count);
    }

    private async Task<Caller?> FindAsync(CatalogSession session, string token)
    {
        var (uuid, secret) = TokenSecrets.Parse(token);
        return secret.Length == 0 ? null : await AnonymousAsync(session, token, uuid, secret) ?? SystemRoot(token, uuid, secret) ?? await StoredAsync(session, token, uuid, secret);
    }

    private async Task<Caller?> AnonymousAsync(CatalogSession session, string token, string? uuid, string secret)
    {
        var configured = TokenSecrets.Parse(catalog.Config.Users.AnonymousUserToken).Secret;
        if (configured.Length == 0 || (uuid is not null && uuid != catalog.Uuids.AnonymousToken) || !TokenSecrets.Same(configured, secret))
        {
            return null;
        }

        return new Caller
        {
            UserUuid = catalog.Uuids.AnonymousUser,
            IsAdmin = false,
            IsActive = true,
            IsAnonymous = true,
            Token = token,
            TokenUuid = catalog.Uuids.AnonymousToken,
            TokenSecret = secret,
            Scopes = ["GET /"],
            ActsAs = ActsAs(catalog.Uuids.AnonymousUser, (await session.RowsAsync(
                session.Sql($"SELECT {Managed(session, "u.uuid")} AS managed FROM users u WHERE u.uuid = ").Value(catalog.Uuids.AnonymousUser), Records.RecordTypes.Users)).SingleOrDefault()),
        };
    }

    private Caller? SystemRoot(string token, string? uuid, string secret)
    {
        var configured = TokenSecrets.Parse(catalog.Config.SystemRootToken).Secret;
        if (configured.Length == 0 || (uuid is not null && uuid != catalog.Uuids.SystemToken) || !TokenSecrets.Same(configured, secret))
        {
            return null;
        }

        return new Caller
        {
            UserUuid = catalog.Uuids.SystemUser,
            IsAdmin = true,
            IsActive = true,
            IsSystem = true,
            Token = token,
            TokenUuid = catalog.Uuids.SystemToken,
            TokenSecret = secret,
            ActsAs = [catalog.Uuids.SystemUser],
        };
    }

    private static async Task<Caller?> StoredAsync(CatalogSession session, string token, string? uuid, string secret)
    {
        // By hash for bare secrets: the time of an index lookup says nothing about a secret whose hash an attacker cannot choose.
        var hash = TokenSecrets.Hash(secret);
        var sql = session.Sql($"""
            SELECT a.uuid AS uuid, a.owner_uuid AS owner_uuid, a.secret_hash, a.salted_hash, a.scopes AS scopes, u.is_active, u.is_admin, {Managed(session, "u.uuid")} AS managed
            FROM api_client_authorizations a JOIN users u ON u.uuid = a.owner_uuid
            WHERE (a.expires_at IS NULL OR a.expires_at > 
            """).Value(session.NowText).Append(uuid is null ? ") AND a.secret_hash = " : ") AND a.uuid = ").Value(uuid ?? hash);
        var row = (await session.RowsAsync(sql, Records.RecordTypes.Tokens)).SingleOrDefault();
        if (row is null || !(TokenSecrets.Same(row.Text("secret_hash")!, hash) | (uuid is not null && TokenSecrets.Same(row.Text("salted_hash")!, hash))))
        {
            return null;
        }

        var isActive = row.Flag("is_active");
        return new Caller
        {
            UserUuid = row.Text("owner_uuid")!,
            IsAdmin = isActive && row.Flag("is_admin"),
            IsActive = isActive,
            Token = token,
            TokenUuid = row.Uuid,
            TokenSecret = secret,
            Scopes = JsonSerializer.Deserialize(row.Text("scopes")!, WireJson.Default.StringArray)!,
            ActsAs = ActsAs(row.Text("owner_uuid")!, row),
        };
    }

    /// <summary>The users that a user manages, itself among them, with a space between.</summary>
    private static string Managed(CatalogSession session, string user) =>
        $"(SELECT {session.Dialect.Choose("group_concat", "string_agg")}(target_uuid, ' ') FROM reachable WHERE user_uuid = {user} AND level = 3 AND substr(target_uuid, 7, 5) = 'tpzed')";

    private static string[] ActsAs(string user, Records.Row? row)
    {
        var users = row?.Text("managed")?.Split(' ') ?? [];
        return users.Contains(user) ? users : [user, .. users];
    }
}
