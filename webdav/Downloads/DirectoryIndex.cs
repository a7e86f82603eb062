using System.Globalization;
using System.Net;
using System.Text;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Downloads;

/// <summary>The HTML page of a directory: its entries by name, sizes, relative links. Written as it is made, whatever the number of entries.</summary>
internal sealed class DirectoryIndex(TreeResolver tree)
{
    private const int FlushChars = 32 << 10;

    public async Task SendAsync(WebRequest request)
    {
        // Before the first byte: a catalogue that fails must still be able to become a status.
        var entries = await EntriesAsync(request.Session, request.Place, request.Aborted);
        var response = request.Http.Response;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        if (HttpMethods.IsHead(request.Http.Request.Method))
        {
            return;
        }

        var title = WebUtility.HtmlEncode("/" + string.Join('/', request.Path.Names));
        var text = new StringBuilder($"<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><meta name=\"robots\" content=\"NOINDEX\"><title>{title}</title></head>\n<body><h1>{title}</h1>\n<table>\n");
        var isEmpty = true;
        foreach (var (name, isDirectory, sizeBytes) in entries)
        {
            isEmpty = false;
            var slash = isDirectory ? "/" : "";
            var size = isDirectory ? "" : sizeBytes.ToString(CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"<tr><td><a href=\"./{Href.Encode(name)}{slash}\">{WebUtility.HtmlEncode(name)}{slash}</a></td><td align=\"right\">{size}</td></tr>\n");
            if (text.Length > FlushChars)
            {
                await response.WriteAsync(text.ToString(), request.Aborted);
                text.Clear();
            }
        }

        text.Append(isEmpty ? "</table>\n<p>This directory is empty.</p>\n</body></html>\n" : "</table>\n</body></html>\n");
        await response.WriteAsync(text.ToString(), request.Aborted);
    }

    private async Task<IEnumerable<(string Name, bool IsDirectory, long SizeBytes)>> EntriesAsync(Session session, Place place, CancellationToken cancellationToken) => place switch
    {
        SitePlace { Kind: SiteKind.Root } => [("by_id", true, 0), ("home", true, 0), ("users", true, 0)],
        SitePlace { Kind: SiteKind.Users } => (await tree.UserNamesAsync(session, cancellationToken)).Select(name => (name, true, 0L)),
        ProjectPlace project => (await tree.ListAsync(session, project.Uuid, cancellationToken)).Keys.Select(name => (name, true, 0L)),
        CollectionPlace { Node: ManifestDirectory directory } => directory.Names().Select(entry =>
            (entry.Name, entry.IsDirectory, entry.IsDirectory ? 0 : ((ManifestFile)directory.Find(entry.Name)!).SizeBytes)),
        _ => [],
    };
}
