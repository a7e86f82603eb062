using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Tokens;

/// <summary>Issues and revokes tokens (catalog-api.md 8). A secret leaves this class once, when it is made. Safe for concurrent use.</summary>
internal sealed class TokenWriter(CatalogContext catalog)
{
    private readonly TokenSeal _seal = new(catalog.Config.SystemRootToken);

    /// <summary>Creates a token and returns its UUID and secret.</summary>
    public async Task<(string Uuid, string Secret)> CreateAsync(Caller caller, AttributeSet attributes, string? address, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        var given = attributes.Decode(RecordTypes.Tokens);
        var owner = (string?)given.GetValueOrDefault("owner_uuid") ?? caller.UserUuid;
        if (!caller.IsAdmin && owner != caller.UserUuid)
        {
            throw ApiException.Forbidden("only an admin may create tokens of other users");
        }

        if (caller.IsAnonymous)
        {
            throw ApiException.Forbidden();
        }

        var secret = TokenSecrets.Create();
        var uuid = await catalog.Database.WriteAsync(
            session =>
            {
                if (!RecordStore.Exists(session, RecordTypes.Users, owner))
                {
                    throw ApiException.Invalid($"owner_uuid {owner} is not a user");
                }

                var expires = Clamp(caller, (string?)given.GetValueOrDefault("expires_at"), session.Now);
                return Insert(session, caller, catalog.Uuids.Create(RecordTypes.Tokens), secret, owner, (string?)given.GetValueOrDefault("scopes") ?? "[\"all\"]", expires, address);
            },
            ct);
        return (uuid, secret);
    }

    public Task<bool> UpdateAsync(Caller caller, string uuid, AttributeSet attributes, CancellationToken ct)
    {
        var given = attributes.Decode(RecordTypes.Tokens);
        return catalog.Database.WriteAsync(
            session =>
            {
                var before = FindOwn(session, caller, uuid);
                if (given.FirstOrDefault(pair => pair.Key is not ("expires_at" or "scopes") && !Equals(pair.Value, before[pair.Key])).Key is { } other)
                {
                    throw caller.IsAdmin ? ApiException.Invalid($"{other} cannot be changed") : ApiException.Forbidden($"{other} cannot be changed");
                }

                var after = before.Clone();
                after["expires_at"] = given.TryGetValue("expires_at", out var expires) ? Clamp(caller, (string?)expires, session.Now) : before["expires_at"];
                after["scopes"] = given.GetValueOrDefault("scopes") ?? before["scopes"];
                RecordStore.Update(session, RecordTypes.Tokens, uuid, new Dictionary<string, object?> { ["expires_at"] = after["expires_at"], ["scopes"] = after["scopes"] });
                AuditLog.Append(session, catalog.Uuids, caller, before, after);
                return true;
            },
            ct);
    }

    public Task<bool> DeleteAsync(Caller caller, string uuid, CancellationToken ct) => catalog.Database.WriteAsync(
        session =>
        {
            var row = FindOwn(session, caller, uuid);
            RecordStore.Delete(session, RecordTypes.Tokens, uuid);
            AuditLog.Append(session, catalog.Uuids, caller, row, after: null);
            return true;
        },
        ct);

    /// <summary>Inserts a token with a given secret.</summary>
    public string Insert(WriteSession session, Caller caller, string uuid, string secret, string owner, string scopes, string? expires, string? address)
    {
        var row = new Row(RecordTypes.Tokens)
        {
            ["uuid"] = uuid,
            ["owner_uuid"] = owner,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
            ["created_by_ip_address"] = address,
            ["expires_at"] = expires,
            ["scopes"] = scopes,
        };
        var sql = session.Sql("""
            INSERT INTO api_client_authorizations
                (uuid, owner_uuid, created_at, modified_at, modified_by_user_uuid, created_by_ip_address, expires_at, scopes, secret_hash, salted_hash, sealed_secret)
            VALUES (
            """);
        sql.Join(", ", row.Values.Values.Append(TokenSecrets.Hash(secret)).Append(TokenSecrets.SaltedHash(secret, catalog.Uuids.ClusterId)).Append(_seal.Seal(uuid, secret))
            .Select<object?, Action<SqlText>>(value => s => s.Value(value))).Append(")");
        session.Execute(sql);
        AuditLog.Append(session, catalog.Uuids, caller, before: null, row);
        return uuid;
    }

    /// <summary>The secret of a token, for the system only; null when it is from before secrets were kept, or the root token was another.</summary>
    public async Task<string?> RevealAsync(string uuid, CancellationToken ct) => _seal.Open(uuid, await catalog.Database.ReadAsync(
        session => session.Scalar("SELECT sealed_secret FROM api_client_authorizations WHERE uuid = @p0", uuid) as string, ct));

    /// <summary>A token with that UUID and secret for that user, unrestricted; whatever had the UUID before is replaced.</summary>
    public void Ensure(WriteSession session, Caller system, string uuid, string secret, string owner)
    {
        var kept = session.Strings(
            "SELECT coalesce(sealed_secret, '') FROM api_client_authorizations WHERE uuid = @p0 AND owner_uuid = @p1 AND secret_hash = @p2 AND expires_at IS NULL AND scopes = '[\"all\"]'",
            uuid, owner, TokenSecrets.Hash(secret));
        if (kept is not [var text] || !_seal.IsCurrent(uuid, secret, text.Length == 0 ? null : text))
        {
            RecordStore.Delete(session, RecordTypes.Tokens, uuid);
            Insert(session, system, uuid, secret, owner, "[\"all\"]", expires: null, address: null);
        }
    }

    // A token may revoke itself and its siblings; the root token any.
    private static Row FindOwn(WriteSession session, Caller caller, string uuid) =>
        RecordStore.FindVisible(session, Projection.Default(RecordTypes.Tokens), uuid, caller, includeTrash: false) ?? throw ApiException.NotFound();

    private string? Clamp(Caller caller, string? expires, DateTimeOffset now)
    {
        var most = catalog.Config.API.MaxTokenLifetime;
        if (most <= TimeSpan.Zero || (caller.IsAdmin && expires is not null))
        {
            return expires;
        }

        var latest = Timestamp.Format(Timestamp.Truncate(now + most));
        return expires is null || string.CompareOrdinal(expires, latest) > 0 ? latest : expires;
    }
}
