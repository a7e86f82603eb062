using System.Globalization;
using System.Text;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Page;

/// <summary>
/// The page of a directory: its entries by name, sizes, times, relative links. It is complete without its script, for old browsers and for programs that follow
/// links; the script adds everything that changes something. Written as it is made, whatever the number of entries.
/// </summary>
internal sealed class DirectoryPage(TreeResolver tree, PageText text, string anonymousToken)
{
    private const int FlushChars = 32 << 10;

    public async Task SendAsync(WebRequest request)
    {
        // Before the first byte: a catalogue that fails must still be able to become a status.
        var entries = await EntriesAsync(request.Session, request.Place, request.Aborted);
        var user = request.Site.PathToken is null && request.Session.Token != anonymousToken ? await UserAsync(request) : null;
        var response = request.Http.Response;
        var nonce = PageText.NewNonce();
        PageSafety.AddPageHeaders(response, nonce);
        response.ContentType = "text/html; charset=utf-8";
        GzipEncoding.AddVary(response);
        if (HttpMethods.IsHead(request.Http.Request.Method))
        {
            return;
        }

        // A sharing link's token is in the page: how well it compresses must tell nothing about it.
        var isEncoded = request.Site.PathToken is null && GzipEncoding.IsWanted(request.Http.Request);
        await GzipEncoding.WriteAsync(request.Http, isEncoded, output => WriteAsync(output, request, entries, user, nonce));
    }

    private async Task WriteAsync(Stream output, WebRequest request, IEnumerable<PageEntry> entries, User? user, string nonce)
    {
        var crumbs = Breadcrumbs.Of(request);
        var page = text.Begin(crumbs[^1].Label, nonce, Attributes(request, user));
        AddHeader(page, request, crumbs, user);
        page.Append("<table id=\"files\"><caption class=\"unseen\">Files and directories</caption><thead><tr><th scope=\"col\" data-key=\"name\">Name</th><th scope=\"col\" data-key=\"size\" class=\"number\">Size</th>"
            + "<th scope=\"col\" data-key=\"time\" class=\"when\">Changed</th></tr></thead>\n<tbody>\n");
        var isEmpty = true;
        foreach (var entry in entries)
        {
            isEmpty = false;
            AddRow(page, entry);
            if (page.Length > FlushChars)
            {
                await output.WriteAsync(Encoding.UTF8.GetBytes(page.ToString()), request.Aborted);
                page.Clear();
            }
        }

        page.Append("</tbody></table>\n").Append(isEmpty ? "<p id=\"empty\">This directory is empty.</p>\n" : "");
        page.Append("</main>\n<div id=\"status\" role=\"status\" aria-live=\"polite\"></div>\n");
        AddFooter(page, request);
        page.Append("</body></html>\n");
        await output.WriteAsync(Encoding.UTF8.GetBytes(page.ToString()), request.Aborted);
    }

    private static void AddRow(StringBuilder page, PageEntry entry)
    {
        var slash = entry.IsDirectory ? "/" : "";
        page.Append("<tr").Append(entry.Uuid is null ? "" : $" data-u=\"{entry.Uuid}\"").Append(entry.IsDirectory ? " class=\"dir\"" : "").Append("><td class=\"name\"><a href=\"./").Append(Href.Encode(entry.Name))
            .Append(slash).Append("\">").Append(PageText.Encode(entry.Name)).Append(slash).Append("</a></td><td class=\"number\"")
            .Append(entry.IsDirectory ? ">" : string.Create(CultureInfo.InvariantCulture, $" data-s=\"{entry.SizeBytes}\" title=\"{entry.SizeBytes:N0} bytes\">{PageText.Size(entry.SizeBytes)}"))
            .Append("</td><td class=\"when\">").Append(PageText.Time(entry.ModifiedAt)).Append("</td></tr>\n");
    }

    private static string Attributes(WebRequest request, User? user)
    {
        var attributes = new StringBuilder(request.Place switch
        {
            CollectionPlace => " data-kind=\"collection\"",
            ProjectPlace => " data-kind=\"project\"",
            _ => " data-kind=\"site\"",
        });
        if (request.Place is CollectionPlace place)
        {
            attributes.Append(" data-root=\"").Append(RootOf(request, place)).Append("\" data-path=\"").Append(PageText.Encode(place.Path)).Append('"');
            if (!PortableDataHash.IsPortableDataHash(place.Collection.Id) && request.HostId is null)
            {
                attributes.Append(" data-uuid=\"").Append(PageText.Encode(place.Collection.Record.CurrentVersionUuid ?? place.Collection.Record.Uuid)).Append('"');
            }
        }

        return attributes.Append(user is null ? "" : " data-user=\"1\"").Append(user is not null && request.Place is CollectionPlace { Collection.IsReadOnly: false } or ProjectPlace ? " data-writable=\"1\"" : "").ToString();
    }

    private static string RootOf(WebRequest request, CollectionPlace place)
    {
        var depth = (place.IsRoot ? 0 : place.Path.Count(c => c == '/') + 1) - request.Site.HiddenDepth;
        return Href.Of(request.Path.Names.SkipLast(depth), isDirectory: true);
    }

    private static void AddHeader(StringBuilder page, WebRequest request, IReadOnlyList<Crumb> crumbs, User? user)
    {
        page.Append("<header><nav aria-label=\"Where you are\"><ol>");
        foreach (var crumb in crumbs.SkipLast(1))
        {
            page.Append("<li><a href=\"").Append(crumb.Href).Append("\">").Append(PageText.Encode(crumb.Label)).Append("</a></li>");
        }

        page.Append("<li><h1 aria-current=\"page\">").Append(PageText.Encode(crumbs[^1].Label)).Append("</h1></li></ol></nav>\n<div class=\"who\">");
        if (user is not null)
        {
            page.Append(user.IsAdmin ? "<a href=\"/_keepfs/status\">Status</a>" : "").Append("<span>").Append(PageText.Encode(user.FullName is { Length: > 0 } full ? full : user.Username ?? user.Uuid))
                .Append("</span><form method=\"post\" action=\"/_keepfs/logout\"><button>Log out</button></form>");
        }
        else if (request.Site.PathToken is null)
        {
            page.Append("<a href=\"/_keepfs/login?next=").Append(Uri.EscapeDataString(Href.Of(request.Path.Names, isDirectory: true))).Append("\">Log in</a>");
        }

        page.Append("</div></header>\n<main>\n<div id=\"tools\" class=\"tools\">");
        if (request.Place is CollectionPlace place)
        {
            var files = place.IsRoot ? "" : "&amp;files=" + Uri.EscapeDataString(place.Path);
            page.Append("<a class=\"button\" id=\"zip\" href=\"").Append(RootOf(request, place)).Append("?accept=application/zip&amp;disposition=attachment").Append(files).Append("\" download>Download ZIP</a>");
        }

        page.Append("</div>\n");
    }

    private static void AddFooter(StringBuilder page, WebRequest request)
    {
        // A token of the address must not be shown where it gets copied from by mistake.
        if (request.Place is CollectionPlace place && request.Site.PathToken is null)
        {
            var url = $"{request.Http.Request.Scheme}://{request.Http.Request.Host.Value}{Href.Of(request.Path.Names, isDirectory: true)}";
            page.Append("<footer><details><summary>Download with a program</summary><pre>").Append(PageText.Encode(
                string.Create(CultureInfo.InvariantCulture, $"wget --mirror --no-parent --no-host-directories --cut-dirs={request.Path.Names.Count} '{url}'"))).Append("</pre>");
            page.Append(PortableDataHash.IsPortableDataHash(place.Collection.Id) ? "" : $"<p>Collection {PageText.Encode(place.Collection.Record.Uuid)}</p>").Append("</details></footer>\n");
        }
    }

    private static async Task<User?> UserAsync(WebRequest request)
    {
        try
        {
            return await request.Session.GetUserAsync(request.Aborted);
        }
        catch (CatalogException e) when (e.Kind is CatalogErrorKind.Forbidden or CatalogErrorKind.Unauthorized)
        {
            return null;
        }
    }

    private async Task<IEnumerable<PageEntry>> EntriesAsync(Session session, Place place, CancellationToken cancellationToken) => place switch
    {
        SitePlace { Kind: SiteKind.Root } => new[] { "by_id", "home", "users" }.Select(name => new PageEntry(name, true, 0, DateTimeOffset.UnixEpoch, null)),
        SitePlace { Kind: SiteKind.Users } => (await tree.UserNamesAsync(session, cancellationToken)).Select(name => new PageEntry(name, true, 0, DateTimeOffset.UnixEpoch, null)),
        ProjectPlace project => (await tree.ListAsync(session, project.Uuid, cancellationToken)).Select(entry =>
            new PageEntry(entry.Key, true, 0, entry.Value.ModifiedAt ?? DateTimeOffset.UnixEpoch, entry.Value.Uuid)),
        CollectionPlace { Node: ManifestDirectory directory } => directory.Names().Select(entry => new PageEntry(
            entry.Name, entry.IsDirectory, entry.IsDirectory ? 0 : ((ManifestFile)directory.Find(entry.Name)!).SizeBytes, place.ModifiedAt, null)),
        _ => [],
    };

    private sealed record PageEntry(string Name, bool IsDirectory, long SizeBytes, DateTimeOffset ModifiedAt, string? Uuid);
}
