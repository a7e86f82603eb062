using System.Text;
using System.Xml.Linq;
using KeepFs.WebDav.Requests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// PROPFIND (RFC 4918 9.1). The answer is written while the tree is walked, some kilobytes at a time; Depth infinity works inside one collection up
/// to a limit, and is otherwise refused with <c>propfind-finite-depth</c>.
/// </summary>
internal sealed class PropfindHandler(DavEntries entries, LiveProperties properties)
{
    private const int FlushChars = 32 << 10;
    private const string Found = "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>";
    private const string Missing = "</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>";

    private enum Wish
    {
        All,
        Names,
        Some,
    }

    public async Task HandleAsync(WebRequest request)
    {
        var depth = DepthHeader.Of(request.Http.Request) ?? DepthHeader.Infinity;
        var (wish, names) = Parse(await XmlBody.ReadAsync(request.Http.Request, request.Aborted));
        if (!request.Place.Exists)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is no such file or directory.");
        }

        // Asks the catalogue for what it needs before the first byte goes out.
        var found = await entries.ListAsync(request, depth);
        var response = request.Http.Response;
        response.StatusCode = StatusCodes.Status207MultiStatus;
        response.ContentType = "application/xml; charset=utf-8";
        var text = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?><D:multistatus xmlns:D=\"DAV:\">");
        foreach (var entry in found)
        {
            Append(text, entry, wish, names);
            if (text.Length > FlushChars)
            {
                await response.WriteAsync(text.ToString(), request.Aborted);
                text.Clear();
            }
        }

        await response.WriteAsync(text.Append("</D:multistatus>").ToString(), request.Aborted);
    }

    private static (Wish Wish, IReadOnlyList<XName> Names) Parse(XElement? body)
    {
        if (body is null)
        {
            return (Wish.All, LiveProperties.All);
        }

        if (body.Name == XmlBody.Dav + "propfind")
        {
            if (body.Element(XmlBody.Dav + "prop") is { } prop)
            {
                return (Wish.Some, [.. prop.Elements().Select(element => element.Name).Distinct()]);
            }

            if (body.Element(XmlBody.Dav + "propname") is not null)
            {
                return (Wish.Names, LiveProperties.All);
            }

            if (body.Element(XmlBody.Dav + "allprop") is not null)
            {
                return (Wish.All, LiveProperties.All);
            }
        }

        throw new WebException(StatusCodes.Status400BadRequest, "The body is not a propfind with prop, propname or allprop.");
    }

    private void Append(StringBuilder text, DavEntry entry, Wish wish, IReadOnlyList<XName> names)
    {
        text.Append("<D:response><D:href>").Append(entry.Href).Append("</D:href><D:propstat><D:prop>");
        var missing = new List<XName>();
        foreach (var name in names)
        {
            var before = text.Length;
            if (!properties.Append(text, entry, name))
            {
                missing.Add(name);
            }
            else if (wish == Wish.Names)
            {
                text.Length = before;
                text.AppendName(name);
            }
        }

        text.Append(Found);
        if (wish == Wish.Some && missing.Count > 0)
        {
            text.Append("<D:propstat><D:prop>");
            missing.ForEach(name => text.AppendName(name));
            text.Append(Missing);
        }

        text.Append("</D:response>");
    }
}
