using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Requests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Tree;

/// <summary>
/// What a proxy in front shows of this server (keep-web.md 2.6): everything under a prefix of its own (<c>X-Webdav-Prefix</c>), and of a collection one
/// directory (<c>X-Webdav-Source</c>). Both only move what the token may reach anyway.
/// </summary>
/// <param name="Prefix">Components that URLs begin with, for the client and in answers; not part of what is looked up.</param>
/// <param name="Source">Components between the collection and what the URL names.</param>
internal sealed record ProxyView(IReadOnlyList<string> Prefix, IReadOnlyList<string> Source)
{
    private const string PrefixHeader = "X-Webdav-Prefix", SourceHeader = "X-Webdav-Source";
    private static readonly ProxyView None = new([], []);

    /// <summary>Adds to <c>Vary</c> what the answer depends on.</summary>
    public static ProxyView Of(HttpContext context)
    {
        var headers = context.Request.Headers;
        var (prefix, source) = (headers[PrefixHeader].ToString(), headers[SourceHeader].ToString());
        if (prefix.Length == 0 && source.Length == 0)
        {
            return None;
        }

        if (prefix.Length > 0)
        {
            context.Response.Headers.Append("Vary", PrefixHeader);
        }

        var isSource = source.StartsWith('/') && !source.Contains("//", StringComparison.Ordinal) && !(source + "/").Contains("/../", StringComparison.Ordinal);
        return new ProxyView(prefix.Length > 0 ? RequestPath.Parse(prefix).Names : [], isSource ? ManifestTree.Components(source.Trim('/')) : []);
    }

    /// <summary>Sorts a path that the client wrote.</summary>
    /// <exception cref="WebException">400: it does not begin with the prefix.</exception>
    /// <exception cref="FsException">A component can be no name.</exception>
    public SitePath SiteOf(RequestPath path, string? hostId)
    {
        if (!path.Names.Take(Prefix.Count).SequenceEqual(Prefix))
        {
            throw new WebException(StatusCodes.Status400BadRequest, $"The path does not begin with what {PrefixHeader} says.");
        }

        var site = SitePath.Of(Prefix.Count == 0 ? path : path with { Names = [.. path.Names.Skip(Prefix.Count)] }, hostId);
        if (Source.Count == 0 || !(site.Form is SiteForm.Collection or SiteForm.Host or SiteForm.Shared or SiteForm.Anonymous || (site.Form == SiteForm.Object && SitePath.IsCollectionId(site.Id))))
        {
            return site;
        }

        foreach (var name in Source)
        {
            NodeName.Check(name);
        }

        return site with { Rest = [.. Source, .. site.Rest], HiddenDepth = Source.Count };
    }
}
