using System.Buffers;
using System.Xml.Linq;
using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Requests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// PROPFIND (RFC 4918 9.1). The answer is written while the tree is walked, some kilobytes at a time; Depth infinity works inside one collection up
/// to a limit, and is otherwise refused with <c>propfind-finite-depth</c>.
/// </summary>
internal sealed class PropfindHandler(DavEntries entries)
{
    private const int FlushBytes = 64 << 10;

    public async Task HandleAsync(WebRequest request)
    {
        var http = request.Http.Request;
        var depth = DepthHeader.Of(http) ?? DepthHeader.Infinity;
        var wish = PropfindWish.Of(await XmlBody.ReadAsync(http, request.Aborted));
        if (!request.Place.Exists)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is no such file or directory.");
        }

        // Asks the catalogue for what it needs before the first byte goes out; only further pages of dead properties come later.
        var listing = await entries.ListAsync(request, depth, wish);
        await using var dead = await DeadProperties.OpenAsync(listing, request.Aborted);
        var response = request.Http.Response;
        response.StatusCode = StatusCodes.Status207MultiStatus;
        response.ContentType = "application/xml; charset=utf-8";
        await response.StartAsync(request.Aborted);
        var output = response.BodyWriter;
        var writer = new EntryWriter(output, wish, new LiveValues(request, output, new LockIndex(listing.Locks), listing.AvailableBytes), IsBrief(http));
        output.Raw("""<?xml version="1.0" encoding="UTF-8"?><D:multistatus xmlns:D="DAV:">"""u8);
        foreach (var entry in DepthHeader.LeavesOutRoot(http) ? listing.Entries.Skip(1) : listing.Entries)
        {
            var properties = dead.OfAsync(entry);
            writer.Write(entry, properties.IsCompletedSuccessfully ? properties.Result : await properties);
            if (output.UnflushedBytes > FlushBytes)
            {
                await output.FlushAsync(request.Aborted);
            }
        }

        output.Raw("</D:multistatus>"u8);
        await output.FlushAsync(request.Aborted);
    }

    /// <summary>The client does not want to hear of what is missing: Windows' <c>Brief: t</c>, RFC 8144's <c>Prefer: return=minimal</c>.</summary>
    private static bool IsBrief(HttpRequest http) =>
        http.Headers["Brief"].ToString().Equals("t", StringComparison.OrdinalIgnoreCase)
        || http.Headers["Prefer"].ToString().Contains("return=minimal", StringComparison.OrdinalIgnoreCase);

    /// <summary>One response element after the other.</summary>
    private sealed class EntryWriter(IBufferWriter<byte> output, PropfindWish wish, LiveValues values, bool isBrief)
    {
        private readonly List<string> _missing = [];
        private readonly Dictionary<XName, string> _deadNames = wish.Dead.ToDictionary(name => name, PropertyName.Element);

        public void Write(in DavEntry entry, IReadOnlyCollection<DavProperty> dead)
        {
            _missing.Clear();
            output.Raw("<D:response><D:href>"u8).Raw(entry.Href.AsSpan()).Raw("</D:href><D:propstat><D:prop>"u8);
            foreach (var property in wish.Live)
            {
                WriteLive(entry, property);
            }

            WriteDead(dead);
            output.Raw("</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"u8);
            if (_missing.Count > 0 && !isBrief)
            {
                output.Raw("<D:propstat><D:prop>"u8);
                foreach (var name in _missing)
                {
                    output.Raw(name.AsSpan());
                }

                output.Raw("</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"u8);
            }

            output.Raw("</D:response>"u8);
        }

        private void WriteLive(in DavEntry entry, LiveProperty property)
        {
            if (!property.Has(entry))
            {
                if (wish.Kind == PropfindKind.Some)
                {
                    _missing.Add(PropertyName.Element(property.Name));
                }
            }
            else if (wish.Kind == PropfindKind.Names)
            {
                output.Raw(property.Empty);
            }
            else
            {
                output.Raw(property.Open);
                property.Write(values, entry);
                output.Raw(property.Close);
            }
        }

        private void WriteDead(IReadOnlyCollection<DavProperty> dead)
        {
            if (wish.Kind == PropfindKind.Some)
            {
                foreach (var (name, element) in _deadNames)
                {
                    if (dead.FirstOrDefault(property => property.Name == name.LocalName && property.Namespace == name.NamespaceName) is { Value: { } value })
                    {
                        output.Raw(value.AsSpan());
                    }
                    else
                    {
                        _missing.Add(element);
                    }
                }

                return;
            }

            foreach (var property in dead)
            {
                output.Raw((wish.Kind == PropfindKind.Names ? PropertyName.Element(XName.Get(property.Name, property.Namespace)) : property.Value!).AsSpan());
            }
        }
    }
}
