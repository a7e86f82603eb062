using System.Globalization;
using System.Text;
using System.Xml.Linq;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Locks;

/// <summary>LOCK and UNLOCK (RFC 4918 9.10, 9.11), inside collections. Locking a free name makes an empty file, as the RFC asks.</summary>
internal sealed class LockHandler(LockTable locks, LockGuard guard, CollectionUpdates updates, TimeProvider time)
{
    /// <summary>Clients refresh every few minutes; a crashed one must not lock others out for a day.</summary>
    private static readonly TimeSpan MaxLifetime = TimeSpan.FromHours(1);

    public async Task LockAsync(WebRequest request)
    {
        var place = Target(request);
        var header = await guard.RequireIfAsync(request);
        var lifetime = Lifetime(request.Http.Request);
        var key = LockKeys.Of(place)!;
        if (await XmlBody.ReadAsync(request.Http.Request, request.Aborted) is not { } body)
        {
            var refreshed = locks.Refresh(header?.Tokens ?? [], key, request.Session.Token, lifetime)
                ?? throw new WebException(StatusCodes.Status412PreconditionFailed, "There is no such lock to refresh.");
            await AnswerAsync(request, refreshed, StatusCodes.Status200OK);
            return;
        }

        var added = Parse(request, body, key, lifetime);
        if (!place.Exists)
        {
            Changes.RequireParent(place);
            guard.Require(request, place, header, isRecursive: false, changesParent: true);
        }

        locks.Add(added);
        var created = false;
        try
        {
            created = !place.Exists && await CreateAsync(request, place);
        }
        catch
        {
            locks.Remove(added.Token, key, added.Holder);
            throw;
        }

        request.Http.Response.Headers["Lock-Token"] = $"<{added.Token}>";
        await AnswerAsync(request, added, created ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    public void Unlock(WebRequest request)
    {
        var place = Target(request);
        var token = request.Http.Request.Headers["Lock-Token"].ToString().Trim();
        if (token.Length < 3 || token[0] != '<' || token[^1] != '>')
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The Lock-Token header is missing or malformed.");
        }

        if (!locks.Remove(token[1..^1], LockKeys.Of(place)!, request.Session.Token))
        {
            throw new WebException(StatusCodes.Status409Conflict, "There is no such lock on this resource.") { Precondition = "lock-token-matches-request-uri" };
        }

        request.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>The value of lockdiscovery.</summary>
    public static string Discovery(IEnumerable<DavLock> active, DateTimeOffset now)
    {
        var text = new StringBuilder();
        foreach (var found in active)
        {
            var seconds = Math.Max(1, (long)(found.Expires - now).TotalSeconds);
            text.Append(CultureInfo.InvariantCulture, $"<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{(found.IsShared ? "shared" : "exclusive")}/></D:lockscope>")
                .Append(CultureInfo.InvariantCulture, $"<D:depth>{(found.IsInfinite ? "infinity" : "0")}</D:depth>")
                .Append(found.Owner?.ToString(SaveOptions.DisableFormatting))
                .Append(CultureInfo.InvariantCulture, $"<D:timeout>Second-{seconds}</D:timeout><D:locktoken><D:href>{found.Token}</D:href></D:locktoken>")
                .Append(CultureInfo.InvariantCulture, $"<D:lockroot><D:href>{found.Href}</D:href></D:lockroot></D:activelock>");
        }

        return text.ToString();
    }

    private static CollectionPlace Target(WebRequest request)
    {
        switch (request.Place)
        {
            case CollectionPlace place:
                Changes.RequireWritable(place);
                return place;
            case NoPlace:
                throw Changes.NoParent();
            default:
                throw new WebException(StatusCodes.Status405MethodNotAllowed, "Only collections and what is in them can be locked.");
        }
    }

    private DavLock Parse(WebRequest request, XElement body, string key, TimeSpan lifetime)
    {
        var scope = body.Element(XmlBody.Dav + "lockscope");
        var isShared = scope?.Element(XmlBody.Dav + "shared") is not null;
        if (body.Name != XmlBody.Dav + "lockinfo" || (!isShared && scope?.Element(XmlBody.Dav + "exclusive") is null)
            || body.Element(XmlBody.Dav + "locktype")?.Element(XmlBody.Dav + "write") is null)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The body is not a lockinfo for a write lock.");
        }

        var isInfinite = DepthHeader.Of(request.Http.Request) switch
        {
            null or DepthHeader.Infinity => true,
            0 => false,
            _ => throw new WebException(StatusCodes.Status400BadRequest, "A lock has Depth 0 or infinity."),
        };
        return new DavLock(
            $"opaquelocktoken:{Guid.NewGuid()}", key, Href.Of(request.Path.Names, request.Place.IsDirectory), isShared, isInfinite,
            body.Element(XmlBody.Dav + "owner"), request.Session.Token, lifetime, time.GetUtcNow() + lifetime);
    }

    private async Task<bool> CreateAsync(WebRequest request, CollectionPlace place)
    {
        var created = false;
        await updates.ApplyAsync(
            request.Session, place.Collection.Id,
            current => (created = !place.At(current).Exists) ? Changes.Place(place.Path, new ManifestFile([])) : null,
            request.Aborted);
        return created;
    }

    private async Task AnswerAsync(WebRequest request, DavLock active, int status)
    {
        request.Http.Response.StatusCode = status;
        request.Http.Response.ContentType = "application/xml; charset=utf-8";
        await request.Http.Response.WriteAsync(
            $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><D:prop xmlns:D=\"DAV:\"><D:lockdiscovery>{Discovery([active], time.GetUtcNow())}</D:lockdiscovery></D:prop>",
            request.Aborted);
    }

    /// <summary>The first acceptable wish, cut at the limit.</summary>
    private static TimeSpan Lifetime(HttpRequest request)
    {
        foreach (var wish in request.Headers["Timeout"].ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            if (wish.StartsWith("Second-", StringComparison.OrdinalIgnoreCase)
                && long.TryParse(wish.AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
            {
                return TimeSpan.FromSeconds(Math.Min(seconds, (long)MaxLifetime.TotalSeconds));
            }
        }

        return MaxLifetime;
    }
}
