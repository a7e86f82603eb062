using KeepFs.WebDav.Requests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Page;

/// <summary>What keeps a page that somebody else wrote from acting as the user (docs/decisions/0031-page-safety.md).</summary>
internal static class PageSafety
{
    /// <summary>A page of ours: only scripts and styles with this nonce, nothing from elsewhere, in nobody's frame.</summary>
    public static void AddPageHeaders(HttpResponse response, string nonce)
    {
        response.Headers.ContentSecurityPolicy = $"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; media-src 'self'; frame-src 'self'; "
            + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "same-origin";
        response.Headers.CacheControl = "no-cache";
        response.Headers.Append("Vary", "Authorization, Cookie");
    }

    /// <summary>
    /// A file of a collection: shown as what its name says, and without our origin, so that a script in it reaches neither cookie nor API. PDF alone is
    /// left out: the viewers of browsers do not work in a sandbox, and scripts in a PDF have no access to the page's origin.
    /// </summary>
    /// <param name="response">Gets the headers.</param>
    /// <param name="type">Of the file.</param>
    /// <param name="hasOwnHost">The host serves this collection only: a script reaches nothing else.</param>
    public static void AddContentHeaders(HttpResponse response, string type, bool hasOwnHost = false)
    {
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "same-origin";
        if (type != "application/pdf" && !hasOwnHost)
        {
            response.Headers.ContentSecurityPolicy = "sandbox";
        }
    }

    /// <summary>
    /// A request that changes something and that a browser sends for another site's page is refused: cookies and remembered passwords go with it without the user's
    /// knowledge. A token in a Bearer header was put there by whoever knows it.
    /// </summary>
    /// <exception cref="WebException">403.</exception>
    public static void RequireOwnOrigin(HttpRequest request, IReadOnlyCollection<string> ownHosts)
    {
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) || authorization.StartsWith("OAuth2 ", StringComparison.OrdinalIgnoreCase))
        {
            return;
        }

        var (site, origin) = (request.Headers["Sec-Fetch-Site"].ToString(), request.Headers.Origin.ToString());
        var isOurs = site.Length > 0 ? site is "same-origin" or "none"
            : origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                && (HostNames.Same(uri.Authority, request.Host.Value ?? "") || ownHosts.Any(host => HostNames.Same(uri.Authority, host))));
        if (!isOurs)
        {
            throw new WebException(StatusCodes.Status403Forbidden, "A page of another site asked for this change; it was refused.");
        }
    }

    /// <summary>A person's browser goes to this address, and can be sent to log in.</summary>
    public static bool IsNavigation(HttpRequest request) => HttpMethods.IsGet(request.Method)
        && (request.Headers["Sec-Fetch-Mode"].ToString() is { Length: > 0 } mode ? mode == "navigate"
            : request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal) && request.Headers.UserAgent.ToString().StartsWith("Mozilla/", StringComparison.Ordinal));
}
