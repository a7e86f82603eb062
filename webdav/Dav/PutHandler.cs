using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Resumable;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Tree;
using KeepFs.WebDav.Writing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// PUT: data first to the keepstores, then one change of the collection, then the answer (keep-web.md 3.1). A body that ends early, a client that goes
/// away and every failure leave the old content.
/// </summary>
internal sealed class PutHandler(CollectionUpdates updates, Uploads uploads, Placements placements, ResumablePut resumable, TransferPolicy policy, TransferLog transfers)
{
    /// <summary>The request depends on nothing but what the catalogue checks when it saves.</summary>
    public static bool MayPresume(HttpRequest http) => HttpMethods.IsPut(http.Method) && http.ContentLength is >= 0 and <= Uploads.MaxPackedBytes
        && !Preconditions.Any(http) && http.Headers[IfHeader.Name].Count == 0 && http.Headers.ContentRange.Count == 0 && !http.Path.Value!.EndsWith('/');

    /// <summary>Puts a file where it is presumed to belong.</summary>
    /// <returns>Null when the request is answered; else what was stored, for <see cref="HandleAsync"/> with a place that was looked up.</returns>
    public async Task<ManifestFile?> TryPresumedAsync(WebRequest request, PresumedPlace place)
    {
        var http = request.Http.Request;
        await policy.RequireUploadAsync(request.Session, request.Aborted);
        var file = new ManifestFile(await uploads.StoreAsync(http.Body, http.ContentLength!.Value, request.Session, place.WriteOptions, request.Aborted));
        try
        {
            Answer(request, place.Uuid, place.Path, file, existed: await placements.SaveAsync(request.Session, place, file, request.Aborted));
            return null;
        }
        catch (CatalogException e) when (e.Kind != CatalogErrorKind.Unavailable)
        {
            request.Session.Known.Forget(place.Uuid);
            return file;
        }
    }

    /// <summary>Does it; the If header and the locks were checked.</summary>
    /// <param name="request">The request.</param>
    /// <param name="write">For the locks.</param>
    /// <param name="stored">The body when it was stored already.</param>
    public async Task HandleAsync(WebRequest request, DavWrite? write, ManifestFile? stored = null)
    {
        var http = request.Http.Request;
        var part = UploadPart.Of(http);
        await policy.RequireUploadAsync(request.Session, request.Aborted);
        var place = Target(request.Place);
        Check(http, place);
        if (stored is not null)
        {
            await SaveAsync(request, write, place, stored);
            return;
        }

        if (part is not null)
        {
            await resumable.HandleAsync(request, place, part, file => SaveAsync(request, write, place, file));
            return;
        }

        var body = await uploads.StoreAsync(http.Body, http.ContentLength ?? -1, request.Session, place.Collection.WriteOptions, request.Aborted);
        await SaveAsync(request, write, place, new ManifestFile(body));
    }

    private async Task SaveAsync(WebRequest request, DavWrite? write, CollectionPlace place, ManifestFile file)
    {
        var http = request.Http.Request;
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

        Answer(request, place.Collection.Id, place.Path, file, existed);
    }

    private void Answer(WebRequest request, string uuid, string path, ManifestFile file, bool existed)
    {
        transfers.Uploaded(request.Http, request.Session, uuid, path);
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
