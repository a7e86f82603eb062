using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Requests;

/// <summary>The Destination header (RFC 4918 10.3): a URL of this server, or an absolute path.</summary>
/// <param name="ownHosts">Host and port of our external URLs: a proxy may rewrite Host but not this header.</param>
internal sealed class DestinationHeader(IReadOnlyCollection<string> ownHosts)
{
    /// <summary>The URL is an absolute path, or one of this server.</summary>
    public bool IsOurs(string url, HttpRequest http) => url.StartsWith('/')
        || (Uri.TryCreate(url, UriKind.Absolute, out var uri)
            && (HostNames.Same(uri.Authority, http.Host.Value ?? "") || ownHosts.Any(own => HostNames.Same(own, uri.Authority))));

    public SitePath Parse(WebRequest request)
    {
        var http = request.Http.Request;
        var text = http.Headers["Destination"].ToString().Trim();
        if (text.Length == 0)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The Destination header is missing.");
        }

        if (!text.StartsWith('/'))
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            {
                throw new WebException(StatusCodes.Status400BadRequest, "Destination is neither a URL nor an absolute path.");
            }

            if (!IsOurs(text, http))
            {
                throw new WebException(StatusCodes.Status502BadGateway, "The destination is on another server.");
            }
        }

        var site = request.View.SiteOf(RequestPath.Parse(text), request.HostId);
        return site.PathToken == request.Site.PathToken && site.Form is not SiteForm.None
            ? site
            : throw new WebException(StatusCodes.Status400BadRequest, "The destination is not in this tree.");
    }
}
