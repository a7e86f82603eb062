using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.Page;

/// <summary>One step on the way to a directory.</summary>
/// <param name="Label">Not yet escaped.</param>
/// <param name="Href">Needs no escaping.</param>
internal sealed record Crumb(string Label, string Href);

/// <summary>The way from where a tree starts to a directory.</summary>
internal static class Breadcrumbs
{
    /// <summary>At least one.</summary>
    public static IReadOnlyList<Crumb> Of(WebRequest request)
    {
        var names = request.Path.Names;
        var start = names.Count - (request.Site.Rest.Count - request.Site.HiddenDepth);
        var root = Href.Of(request.View.Prefix, isDirectory: true);
        var crumbs = new List<Crumb>();
        if (request.Site.Form is SiteForm.Root or SiteForm.ById or SiteForm.Users or SiteForm.Object or SiteForm.User or SiteForm.Home
            || (request.Site is { Form: SiteForm.Collection, PathToken: null }))
        {
            crumbs.Add(new Crumb("Keep", root));
        }

        if (request.Site.Form == SiteForm.Host && request.Site.PathToken is null)
        {
            crumbs.Add(new Crumb(StartLabel(request, ""), root));
        }
        else if (start > 0)
        {
            // Only what the address starts from: neither "c=" nor a token says anything to people.
            if (request.Site.Form is SiteForm.User)
            {
                crumbs.Add(new Crumb("users", Href.Of([.. request.View.Prefix, "users"], isDirectory: true)));
            }

            crumbs.Add(new Crumb(StartLabel(request, names[start - 1]), Href.Of(names.Take(start), isDirectory: true)));
        }

        for (var i = start; i < names.Count; i++)
        {
            crumbs.Add(new Crumb(names[i], Href.Of(names.Take(i + 1), isDirectory: true)));
        }

        return crumbs;
    }

    private static string StartLabel(WebRequest request, string last) => request.Site.Form switch
    {
        SiteForm.Home => "Home",
        SiteForm.Object or SiteForm.Collection or SiteForm.Shared or SiteForm.Anonymous or SiteForm.Host when request.Place is CollectionPlace { Collection.Record.Name: { Length: > 0 } name } => name,
        SiteForm.Object or SiteForm.Collection or SiteForm.Shared or SiteForm.Anonymous or SiteForm.Host => request.Site.Id,
        _ => last,
    };
}
