using System.Globalization;
using System.Xml.Linq;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Locks;

/// <summary>LOCK and UNLOCK (RFC 4918 9.10, 9.11), inside collections. Locking a free name makes an empty file, as the RFC asks.</summary>
internal sealed class LockHandler(LockStore locks, LockGuard guard, CollectionUpdates updates)
{
    /// <summary>What clients that name no time get, and the most that any gets.</summary>
    private const long MaxSeconds = 3600;

    public async Task LockAsync(WebRequest request)
    {
        var place = Target(request);
        var header = await guard.RequireIfAsync(request);
        var seconds = Seconds(request.Http.Request);
        if (await XmlBody.ReadAsync(request.Http.Request, request.Aborted) is not { } body)
        {
            await AnswerAsync(request, await RefreshAsync(request, place, header, seconds), StatusCodes.Status200OK);
            return;
        }

        var wish = Parse(request, body, place, seconds);
        if (!place.Exists)
        {
            Changes.RequireParent(place);
            await guard.RequireAsync(request, place, header, isRecursive: false, changesParent: true);
        }

        var added = await AddAsync(request, place, wish, header);
        var created = false;
        try
        {
            created = !place.Exists && await CreateAsync(request, place, added.Token, header);
        }
        catch
        {
            await locks.RemoveAsync(request.Session, place.Collection, added, CancellationToken.None);
            throw;
        }

        request.Http.Response.Headers["Lock-Token"] = $"<{added.Token}>";
        await AnswerAsync(request, added, created ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    public async Task UnlockAsync(WebRequest request)
    {
        var place = Target(request);
        var token = request.Http.Request.Headers["Lock-Token"].ToString().Trim();
        if (token.Length < 3 || token[0] != '<' || token[^1] != '>')
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The Lock-Token header is missing or malformed.");
        }

        _ = await locks.RemoveAsync(request.Session, place.Collection, Named(place, token[1..^1], 0), request.Aborted)
            ?? throw new WebException(StatusCodes.Status409Conflict, "There is no such lock on this resource.") { Precondition = "lock-token-matches-request-uri" };
        request.Http.Response.StatusCode = StatusCodes.Status204NoContent;
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

    private static DavLock Named(CollectionPlace place, string token, long seconds) =>
        new() { Token = token, Uuid = place.Collection.Record.Uuid, Path = place.Path, Seconds = seconds };

    private async Task<DavLock> RefreshAsync(WebRequest request, CollectionPlace place, IfHeader? header, long seconds)
    {
        foreach (var token in header?.Tokens ?? [])
        {
            if (await locks.RefreshAsync(request.Session, place.Collection, Named(place, token, seconds), request.Aborted) is { } refreshed)
            {
                return refreshed;
            }
        }

        throw new WebException(StatusCodes.Status412PreconditionFailed, "There is no such lock to refresh.") { Precondition = "lock-token-matches-request-uri" };
    }

    private async Task<DavLock> AddAsync(WebRequest request, CollectionPlace place, DavLock wish, IfHeader? header)
    {
        try
        {
            return await locks.AddAsync(request.Session, place.Collection, wish, place.Exists ? null : header?.Tokens ?? [], request.Aborted);
        }
        catch (CatalogException e) when (e.Kind == CatalogErrorKind.Locked)
        {
            throw new WebException(StatusCodes.Status423Locked, "The resource is locked.")
            {
                Precondition = "no-conflicting-lock",
                PreconditionHref = LockXml.RootHref(request, wish.Uuid, e.LockedPath ?? ""),
            };
        }
    }

    private static DavLock Parse(WebRequest request, XElement body, CollectionPlace place, long seconds)
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
        return Named(place, "", seconds) with
        {
            IsShared = isShared,
            IsInfinite = isInfinite,
            Owner = body.Element(XmlBody.Dav + "owner") is { } owner ? StandaloneXml.Of(owner) : null,
        };
    }

    private async Task<bool> CreateAsync(WebRequest request, CollectionPlace place, string token, IfHeader? header)
    {
        var created = false;
        var write = new DavWrite { Path = place.Path, ChangesParent = true, Tokens = [token, .. header?.Tokens ?? []] };
        await updates.ApplyAsync(
            request.Session, place.Collection.Id,
            current => (created = !place.At(current).Exists) ? Changes.Place(place.Path, new ManifestFile([])).Guarded(write) : null,
            request.Aborted);
        return created;
    }

    private static async Task AnswerAsync(WebRequest request, DavLock active, int status)
    {
        request.Http.Response.StatusCode = status;
        request.Http.Response.ContentType = "application/xml; charset=utf-8";
        await request.Http.Response.WriteAsync(
            $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><D:prop xmlns:D=\"DAV:\"><D:lockdiscovery>{LockXml.Discovery(request, [active])}</D:lockdiscovery></D:prop>",
            request.Aborted);
    }

    /// <summary>The first acceptable wish, cut at the limit.</summary>
    private static long Seconds(HttpRequest request)
    {
        foreach (var wish in request.Headers["Timeout"].ToString().Split(',', StringSplitOptions.TrimEntries))
        {
            if (wish.StartsWith("Second-", StringComparison.OrdinalIgnoreCase)
                && long.TryParse(wish.AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
            {
                return Math.Min(seconds, MaxSeconds);
            }
        }

        return MaxSeconds;
    }
}
