using System.Text;
using System.Xml.Linq;
using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// PROPPATCH (RFC 4918 9.2): dead properties of collections and of what is in them, all of a request or none. Live properties are protected; projects, and
/// collections of a catalogue that is not ours, have none that can be set (docs/decisions/0030).
/// </summary>
internal static class ProppatchHandler
{
    /// <summary>Others change the content while we look; each try is one round trip to the catalogue or two.</summary>
    private const int MaxAttempts = 20;

    private const string Done = "200 OK";
    private const string Refused = "403 Forbidden";
    private const string TooMuch = "507 Insufficient Storage";
    private const string Dependent = "424 Failed Dependency";

    /// <summary>Does it; the If header and the locks were checked.</summary>
    public static async Task HandleAsync(WebRequest request, DavWrite? write)
    {
        if (!request.Place.Exists)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is no such file or directory.");
        }

        if (request.Place is CollectionPlace target)
        {
            Changes.RequireWritable(target);
        }

        var changes = Parse(await XmlBody.ReadAsync(request.Http.Request, request.Aborted));
        var statuses = changes.Select(change => change.Name).Distinct().ToDictionary(name => name, _ => Done);
        if (statuses.Keys.Any(IsProtected))
        {
            Fail(statuses, IsProtected, Refused);
        }
        else if (request.Place is not CollectionPlace { Collection.Record.DavState: not null } place)
        {
            Fail(statuses, _ => true, Refused);
        }
        else if (changes.Where(change => change.Property.Value is { Length: > DavProperty.MaxValueLength }).Select(change => change.Name).ToHashSet() is { Count: > 0 } large)
        {
            Fail(statuses, large.Contains, TooMuch);
        }
        else if (!await TrySaveAsync(request, place, write, [.. changes.Select(change => change.Property)]))
        {
            var set = changes.Where(change => change.Property.Value is not null).Select(change => change.Name).ToHashSet();
            Fail(statuses, set.Contains, TooMuch);
        }

        await AnswerAsync(request, statuses);
    }

    private static bool IsProtected(XName name) => LiveProperties.Find(name) is not null;

    private static void Fail(Dictionary<XName, string> statuses, Func<XName, bool> isCause, string status)
    {
        foreach (var name in statuses.Keys)
        {
            statuses[name] = isCause(name) ? status : Dependent;
        }
    }

    private static List<(XName Name, DavProperty Property)> Parse(XElement? body)
    {
        if (body?.Name != XmlBody.Dav + "propertyupdate")
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The body is not a propertyupdate.");
        }

        var changes = new List<(XName, DavProperty)>();
        foreach (var instruction in body.Elements().Where(element => element.Name.Namespace == XmlBody.Dav && element.Name.LocalName is "set" or "remove"))
        {
            var isSet = instruction.Name.LocalName == "set";
            foreach (var element in instruction.Elements(XmlBody.Dav + "prop").Elements())
            {
                var property = new DavProperty { Namespace = element.Name.NamespaceName, Name = element.Name.LocalName, Value = isSet ? StandaloneXml.Of(element) : null };
                changes.Add((element.Name, property));
            }
        }

        return changes.Count > 0 ? changes : throw new WebException(StatusCodes.Status400BadRequest, "The propertyupdate names no properties.");
    }

    /// <summary>False beyond the catalogue's limits.</summary>
    private static async Task<bool> TrySaveAsync(WebRequest request, CollectionPlace place, DavWrite? write, IReadOnlyList<DavProperty> changes)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            try
            {
                await request.Session.Dav.PatchPropertiesAsync(
                    new DavPropertyPatch
                    {
                        Uuid = place.Collection.Record.Uuid,
                        Path = place.Path,
                        IfPortableDataHash = place.Collection.Record.PortableDataHash,
                        Tokens = write?.Tokens ?? [],
                        Changes = changes,
                    },
                    request.Aborted);
                return true;
            }
            catch (CatalogException e) when (e.Kind == CatalogErrorKind.TooLarge)
            {
                return false;
            }
            catch (CatalogException e) when (e.Kind == CatalogErrorKind.PreconditionFailed)
            {
                // Somebody changed the content: is the resource still there?
                var current = await request.Session.OpenAsync(place.Collection.Id, request.Aborted);
                place = current is not null && place.At(current) is { Exists: true } now ? now
                    : throw new WebException(StatusCodes.Status404NotFound, "There is no such file or directory any more.");
            }
        }

        throw new WebException(StatusCodes.Status503ServiceUnavailable, "The collection is being changed by many others; try again.");
    }

    private static async Task AnswerAsync(WebRequest request, Dictionary<XName, string> statuses)
    {
        var text = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?><D:multistatus xmlns:D=\"DAV:\"><D:response><D:href>")
            .Append(Href.Of(request.Path.Names, request.Place.IsDirectory)).Append("</D:href>");
        foreach (var group in statuses.GroupBy(entry => entry.Value, entry => entry.Key))
        {
            text.Append("<D:propstat><D:prop>").AppendJoin("", group.Select(PropertyName.Element)).Append("</D:prop><D:status>HTTP/1.1 ").Append(group.Key).Append("</D:status>")
                .Append(group.Key == Refused && group.Any(IsProtected) ? "<D:error><D:cannot-modify-protected-property/></D:error>" : "").Append("</D:propstat>");
        }

        request.Http.Response.StatusCode = StatusCodes.Status207MultiStatus;
        request.Http.Response.ContentType = "application/xml; charset=utf-8";
        await request.Http.Response.WriteAsync(text.Append("</D:response></D:multistatus>").ToString(), request.Aborted);
    }
}
