namespace KeepFs.Engine.Catalog;

public sealed partial class CatalogClient : IPageCatalog
{
    /// <inheritdoc/>
    public async Task<string> CreateTokenAsync(IReadOnlyList<string> scopes, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var change = new TokenChange { Token = new TokenWrite { Scopes = scopes, ExpiresAt = expiresAt.UtcDateTime } };
        using var answer = await WriteAsync(HttpMethod.Post, "api_client_authorizations", change, CatalogJson.Default.TokenChange, CatalogJson.Default.JsonDocument, cancellationToken);
        return answer.RootElement.TryGetProperty("api_token", out var secret) && secret.GetString() is { Length: > 0 } text ? text
            : throw new CatalogException(CatalogErrorKind.Unavailable, "The catalogue made a token and did not tell it.");
    }

    /// <inheritdoc/>
    public async Task UntrashAsync(string uuid, CancellationToken cancellationToken)
    {
        var type = uuid.AsSpan(5, 7) is "-4zz18-" ? "collections" : "groups";
        using var answer = await SendAsync(
            HttpMethod.Post, $"{type}/{Uri.EscapeDataString(uuid)}/untrash", """{"ensure_unique_name":true}"""u8.ToArray(), CatalogJson.Default.JsonDocument, notFoundIsNull: false, cancellationToken);
    }
}
