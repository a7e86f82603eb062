using System.Text;
using System.Xml.Linq;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// PROPPATCH: nothing can be set. Each property answers 403; when protected ones are named, those do, with the reason, and the others fail with
/// them: 424 (keep-web.md 3).
/// </summary>
internal static class ProppatchHandler
{
    public static async Task HandleAsync(WebRequest request)
    {
        if (!request.Place.Exists)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is no such file or directory.");
        }

        var body = await XmlBody.ReadAsync(request.Http.Request, request.Aborted);
        if (body?.Name != XmlBody.Dav + "propertyupdate")
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The body is not a propertyupdate.");
        }

        if (request.Place is CollectionPlace place)
        {
            Changes.RequireWritable(place);
        }

        var names = body.Elements().Where(element => element.Name.Namespace == XmlBody.Dav && element.Name.LocalName is "set" or "remove")
            .Elements(XmlBody.Dav + "prop").Elements().Select(element => element.Name).Distinct().ToLookup(LiveProperties.IsKnown);
        var text = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?><D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>")
            .Append(Href.Of(request.Path.Names, request.Place.IsDirectory)).Append("</D:href>");
        AppendGroup(text, names[true], "403 Forbidden", "<D:error><D:cannot-modify-protected-property/></D:error>");
        AppendGroup(text, names[false], names[true].Any() ? "424 Failed Dependency" : "403 Forbidden", "");
        request.Http.Response.StatusCode = StatusCodes.Status207MultiStatus;
        request.Http.Response.ContentType = "application/xml; charset=utf-8";
        await request.Http.Response.WriteAsync(text.Append("</D:response></D:multistatus>").ToString(), request.Aborted);
    }

    private static void AppendGroup(StringBuilder text, IEnumerable<XName> names, string status, string error)
    {
        var any = false;
        foreach (var name in names)
        {
            text.Append(any ? "" : "<D:propstat><D:prop>").AppendName(name);
            any = true;
        }

        text.Append(any ? $"</D:prop><D:status>HTTP/1.1 {status}</D:status>{error}</D:propstat>" : "");
    }
}
