using KeepFs.Engine.Catalog;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Page;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;

namespace KeepFs.WebDav;

/// <summary>Tries the tokens of a request until one can open its target (keep-web.md 2.4).</summary>
/// <param name="config">The cluster.</param>
/// <param name="isLoopback">The server listens on this machine only: credentials are accepted whatever the Host header says.</param>
/// <param name="sessions">The sessions.</param>
/// <param name="tree">Looks the target up.</param>
internal sealed class RequestOpener(ClusterConfig config, bool isLoopback, SessionTable sessions, TreeResolver tree)
{
    private const string TokenParameter = "api_token";
    private readonly string _previewHost = HostOf(config.Services.WebDAV.ExternalURL);
    private readonly string _downloadHost = HostOf(config.Services.WebDAVDownload.ExternalURL);

    /// <summary>Host and port of the external URLs that are configured.</summary>
    public IReadOnlyCollection<string> OwnHosts => [.. new[] { _previewHost, _downloadHost }.Where(host => host.Length > 0)];

    /// <summary>
    /// A page that a browser asks for with the token in its URL is sent on to the URL without it, and the token goes into a cookie (keep-web.md 2.5):
    /// addresses end up in histories and logs. True when the answer is complete.
    /// </summary>
    public async Task<bool> TryRedirectAsync(HttpContext context)
    {
        var request = context.Request;
        var form = HttpMethods.IsPost(request.Method) && request.HasFormContentType ? await RequestForm.ReadAsync(request, context.RequestAborted) : null;
        var isInQuery = request.Query.TryGetValue(TokenParameter, out var values);
        if ((!isInQuery && form?.TryGetValue(TokenParameter, out values) is not true) || request.Method is not ("GET" or "HEAD" or "POST")
            || (!HttpMethods.IsPost(request.Method) && IsCrossOrigin(request)) || (!isInQuery && IsAttachment(request)))
        {
            return false;
        }

        if (!AcceptsCredentials(request))
        {
            throw new WebException(StatusCodes.Status400BadRequest, "Tokens are not accepted under this host name.");
        }

        if (values.FirstOrDefault(value => !string.IsNullOrWhiteSpace(value)) is { } token)
        {
            TokenCookie.Set(context, token);
        }

        var query = new QueryBuilder(request.Query.Where(entry => entry.Key != TokenParameter).SelectMany(entry => entry.Value, (entry, value) => KeyValuePair.Create(entry.Key, value ?? "")));
        var path = RequestPath.Parse(RawTarget(context));
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = Href.Of(path.Names, path.HasTrailingSlash) + query.ToQueryString();
        return true;
    }

    /// <summary>The request with its session; the caller disposes the lease.</summary>
    /// <exception cref="WebException">400, 401, 403, 404 by the table of keep-web.md 2.4.</exception>
    public async Task<(WebRequest Request, SessionLease Lease)> OpenAsync(HttpContext context)
    {
        var path = RequestPath.Parse(RawTarget(context));
        var view = ProxyView.Of(context);
        var site = view.SiteOf(path, HostNames.CollectionId(context.Request.Host.Value ?? ""));
        var tokens = Candidates(context.Request, site);
        var (wasValid, wasForbidden) = (false, false);
        foreach (var (token, isAnonymous) in tokens)
        {
            var lease = sessions.Acquire(token);
            var handedOver = false;
            try
            {
                var place = PutHandler.MayPresume(context.Request) && tree.Presume(lease.Session, site) is { } presumed
                    ? presumed : await tree.ResolveAsync(lease.Session, site, context.RequestAborted);
                if (place is not NoPlace { IsRootFound: false })
                {
                    handedOver = true;
                    return (new WebRequest(context, path, site, lease.Session, place, IsAttachment(context.Request)) { View = view }, lease);
                }

                wasValid |= !isAnonymous;
            }
            catch (CatalogException e) when (e.Kind == CatalogErrorKind.Unauthorized)
            {
                sessions.Forget(lease.Session);
            }
            catch (CatalogException e) when (e.Kind == CatalogErrorKind.Forbidden)
            {
                wasForbidden = true;
            }
            finally
            {
                if (!handedOver)
                {
                    lease.Dispose();
                }
            }
        }

        throw wasValid || site.PathToken is not null ? new WebException(StatusCodes.Status404NotFound, "Not Found")
            : wasForbidden ? new WebException(StatusCodes.Status403Forbidden, "This token may not do that.")
            : new WebException(StatusCodes.Status401Unauthorized, AcceptsCredentials(context.Request)
                ? "A valid token is needed, as Bearer or as the password of Basic authentication." : "Tokens are not accepted under this host name.");
    }

    /// <summary>The same request with its place looked up.</summary>
    /// <exception cref="WebException">404.</exception>
    public async Task<WebRequest> LookAsync(WebRequest request)
    {
        var place = await tree.ResolveAsync(request.Session, request.Site, request.Aborted);
        return place is NoPlace { IsRootFound: false } ? throw new WebException(StatusCodes.Status404NotFound, "Not Found") : request with { Place = place };
    }

    /// <summary>Sends a person to where one logs in: Workbench when there is one, which sends back here with a token (keep-web.md 2.4), else our own page.</summary>
    public void RedirectToLogin(HttpContext context)
    {
        var workbench = config.Services.Workbench2.ExternalURL;
        var path = RequestPath.Parse(RawTarget(context));
        var names = HostNames.CollectionId(context.Request.Host.Value ?? "") is { } id ? path.Names.Prepend("c=" + id) : path.Names;
        var target = Href.Of(names, path.HasTrailingSlash);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Location = workbench.Length > 0
            ? $"{workbench.TrimEnd('/')}/?redirectTo{(IsAttachment(context.Request) ? "Download" : "Preview")}={target}"
            : "/_keepfs/login?next=" + Uri.EscapeDataString(RawTarget(context));
    }

    /// <summary>The session and user of the first good token of a request; the caller disposes the lease.</summary>
    /// <exception cref="WebException">401.</exception>
    public async Task<(SessionLease Lease, User User)> OpenUserAsync(HttpContext context)
    {
        foreach (var token in AcceptsCredentials(context.Request) ? Tokens(context.Request) : [])
        {
            var lease = sessions.Acquire(token);
            try
            {
                return (lease, await lease.Session.GetUserAsync(context.RequestAborted));
            }
            catch (CatalogException e) when (e.Kind is CatalogErrorKind.Unauthorized or CatalogErrorKind.Forbidden)
            {
                ForgetUnknown(lease, e);
            }
            catch
            {
                lease.Dispose();
                throw;
            }
        }

        throw new WebException(StatusCodes.Status401Unauthorized, "A valid token is needed.");
    }

    /// <summary>The catalogue knows the token, and it may ask who its user is.</summary>
    public async Task<bool> IsGoodAsync(string token, CancellationToken cancellationToken)
    {
        using var lease = sessions.Acquire(token);
        try
        {
            return await lease.Session.GetUserAsync(cancellationToken) is not null;
        }
        catch (CatalogException e) when (e.Kind is CatalogErrorKind.Unauthorized or CatalogErrorKind.Forbidden)
        {
            sessions.Forget(lease.Session);
            return false;
        }
    }

    private void ForgetUnknown(SessionLease lease, CatalogException failure)
    {
        if (failure.Kind == CatalogErrorKind.Unauthorized)
        {
            sessions.Forget(lease.Session);
        }

        lease.Dispose();
    }

    private static IEnumerable<string> Tokens(HttpRequest request) => RequestTokens.Collect(request).Concat(FormTokens(request)).Select(token => token.Trim()).Where(token => token.Length > 0).Distinct();

    /// <summary>Of a form that was read before.</summary>
    private static IEnumerable<string> FormTokens(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && request.HasFormContentType && request.Form.TryGetValue(TokenParameter, out var values) ? values.Select(value => value ?? "") : [];

    private List<(string Token, bool IsAnonymous)> Candidates(HttpRequest request, SitePath site)
    {
        if (site.PathToken is { } only)
        {
            return [(only, false)];
        }

        var tokens = new List<(string, bool)>();
        if (site.Form != SiteForm.Anonymous && AcceptsCredentials(request))
        {
            tokens.AddRange(Tokens(request).Select(token => (token, false)));
        }

        if (config.Users.AnonymousUserToken.Length > 0 && (site.Form is SiteForm.Collection or SiteForm.Anonymous or SiteForm.Host))
        {
            tokens.Add((config.Users.AnonymousUserToken, true));
        }

        return tokens;
    }

    /// <summary>A page from one collection must not act with the credentials meant for another: only hosts that are ours for that purpose take them.</summary>
    public bool AcceptsCredentials(HttpRequest request) => config.Collections.TrustAllContent || isLoopback || OwnHosts.Count == 0
        || OwnHosts.Any(host => HostNames.Same(host, request.Host.Value ?? "")) || HostNames.CollectionId(request.Host.Value ?? "") is not null;

    private bool IsAttachment(HttpRequest request) => request.Query["disposition"] == "attachment"
        || (HttpMethods.IsPost(request.Method) && request.HasFormContentType && request.Form["disposition"] == "attachment")
        || (_downloadHost.Length > 0 && HostNames.Same(_downloadHost, request.Host.Value ?? "") && !HostNames.Same(_downloadHost, _previewHost));

    private static bool IsCrossOrigin(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin && !origin.EndsWith("://" + request.Host.Value, StringComparison.OrdinalIgnoreCase);

    public static string RawTarget(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    private static string HostOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.Authority : "";
}
