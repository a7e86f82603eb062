using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>Asks the catalogue, with the system's token, for the secret of another token (keep-web.md 4.1). Safe for concurrent use.</summary>
internal sealed class TokenLookup(HttpClient http, Uri apiRoot, string systemRootToken)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Null when there is no such token, or its secret is not known.</summary>
    /// <exception cref="CatalogException">The catalogue does not answer.</exception>
    public async Task<TokenSecret?> FindAsync(string uuid, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(apiRoot, "arvados/v1/api_client_authorizations/" + Uri.EscapeDataString(uuid)));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", systemRootToken);
        try
        {
            using var response = await http.SendAsync(request, limit.Token);
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }

            response.EnsureSuccessStatusCode();
            using var record = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(limit.Token));
            var secret = record.RootElement.TryGetProperty("api_token", out var token) ? token.GetString() : null;
            return secret is null ? null : new TokenSecret(
                secret, record.RootElement.TryGetProperty("expires_at", out var end) && end.ValueKind == JsonValueKind.String ? end.GetDateTimeOffset() : null);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new CatalogException(CatalogErrorKind.Unavailable, $"The catalogue at {apiRoot} does not tell the secret of token {uuid}: {e.Message}", e);
        }
    }
}
