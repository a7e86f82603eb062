using System.Text;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Hosting.Http;

/// <summary>Finds the tokens that a request presents, in the order in which they count (blocks.md 3.2, catalog-api.md 1.4).</summary>
public static class RequestTokens
{
    /// <summary>
    /// Authorization (Bearer, OAuth2, then the Basic password), every <c>api_token</c> query parameter, the cookie
    /// <c>arvados_api_token</c> (URL-safe base64). Tokens are taken exactly as presented; form bodies are not read here.
    /// </summary>
    public static IReadOnlyList<string> Collect(HttpRequest request)
    {
        var tokens = new List<string>();
        foreach (var header in request.Headers.Authorization)
        {
            AddAuthorization(header, tokens);
        }

        tokens.AddRange(request.Query["api_token"].Where(token => !string.IsNullOrEmpty(token))!);
        if (request.Cookies.TryGetValue("arvados_api_token", out var cookie) && DecodeBase64(cookie.Replace('-', '+').Replace('_', '/')) is { Length: > 0 } fromCookie)
        {
            tokens.Add(fromCookie);
        }

        return tokens;
    }

    private static void AddAuthorization(string? header, List<string> tokens)
    {
        var space = header?.IndexOf(' ', StringComparison.Ordinal) ?? -1;
        if (space < 0)
        {
            return;
        }

        var value = header![(space + 1)..].Trim();
        switch (header[..space].ToUpperInvariant())
        {
            case "BEARER" or "OAUTH2" when value.Length > 0:
                tokens.Add(value);
                break;
            case "BASIC" when DecodeBase64(value) is { } pair && pair.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon && colon + 1 < pair.Length:
                tokens.Add(pair[(colon + 1)..]);
                break;
        }
    }

    private static string? DecodeBase64(string text)
    {
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }
}
