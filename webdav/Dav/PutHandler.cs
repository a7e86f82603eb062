using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Bodies;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Tree;
using KeepFs.WebDav.Writing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// PUT: data first to the keepstores, then one change of the collection, then the answer (keep-web.md 3.1). A body that ends early, a client that goes
/// away and every failure leave the old content.
/// </summary>
internal sealed class PutHandler(CollectionUpdates updates, Uploads uploads, Placements placements, TransferPolicy policy, TransferLog transfers)
{
    /// <summary>Does it; the If header and the locks were checked.</summary>
    public async Task HandleAsync(WebRequest request, DavWrite? write)
    {
        var http = request.Http.Request;
        if (http.Headers.ContentRange.Count > 0)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "A part of a file cannot be replaced: PUT with Content-Range is not supported.");
        }

        await policy.RequireUploadAsync(request.Session, request.Aborted);
        var place = Target(request.Place);
        Check(http, place);
        var body = await uploads.StoreAsync(SocketBody.Of(http), http.ContentLength ?? -1, request.Session, place.Collection.WriteOptions, request.Aborted);
        var file = new ManifestFile(body);
        var existed = place.Exists;
        if (Preconditions.Any(http))
        {
            await updates.ApplyAsync(
                request.Session, place.Collection.Id,
                current =>
                {
                    var now = place.At(current);
                    Check(http, now);
                    existed = now.Exists;
                    return Changes.Place(place.Path, file).Guarded(write);
                },
                request.Aborted);
        }
        else
        {
            await placements.SaveAsync(request.Session, place.Collection.Id, place.Path, file, write, request.Aborted);
        }

        transfers.Uploaded(request.Http, request.Session, place.Collection, place.Path);
        request.Http.Response.Headers.ETag = EntityTag.Of(file);
        request.Http.Response.StatusCode = existed ? StatusCodes.Status204NoContent : StatusCodes.Status201Created;
    }

    private static CollectionPlace Target(Place place) => place switch
    {
        CollectionPlace { IsRoot: false, IsDirectory: false } inside => inside,
        FreeName => throw new WebException(
            StatusCodes.Status403Forbidden, "Files live in collections: create one first (MKCOL), then put the file into it."),
        NoPlace => throw Changes.NoParent(),
        _ => throw new WebException(StatusCodes.Status405MethodNotAllowed, "This is a directory; a file cannot be written over it."),
    };

    private static void Check(HttpRequest http, CollectionPlace place)
    {
        Changes.RequireWritable(place);
        if (place.IsDirectory)
        {
            throw new WebException(StatusCodes.Status405MethodNotAllowed, "This is a directory; a file cannot be written over it.");
        }

        Changes.RequireParent(place);
        Preconditions.Require(http, place);
    }
}
