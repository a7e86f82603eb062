using System.Globalization;
using System.Runtime.ExceptionServices;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Tree;
using KeepFs.WebDav.Writing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Resumable;

/// <summary>
/// PUT in parts (docs/decisions/0034): what arrives is stored, also of a part that breaks off, and the file appears with the last byte. Safe for
/// concurrent use.
/// </summary>
internal sealed class ResumablePut(PartialUploads partial, Uploads uploads, TimeProvider time)
{
    /// <summary>Takes a part, or answers how much there is. When the file is whole, saves it.</summary>
    /// <param name="request">The request; its target was checked.</param>
    /// <param name="place">The target.</param>
    /// <param name="part">What the request says.</param>
    /// <param name="save">Saves the whole file, with the conditions of the request, and sets the status.</param>
    public async Task HandleAsync(WebRequest request, CollectionPlace place, UploadPart part, Func<ManifestFile, Task> save)
    {
        var key = new PartialUploads.Key(request.Session.Token, place.Collection.Id, place.Path, part.Id, part.Total);
        var upload = partial.Take(key);
        try
        {
            var stop = await upload.EnterAsync(request.Aborted);
            try
            {
                await HandleInTurnAsync(request, place, part, upload, save, stop);
            }
            finally
            {
                upload.Exit();
            }
        }
        finally
        {
            partial.Return(key, upload);
        }
    }

    private async Task HandleInTurnAsync(WebRequest request, CollectionPlace place, UploadPart part, PartialUpload upload, Func<ManifestFile, Task> save, CancellationToken stop)
    {
        var response = request.Http.Response;
        if (upload.SavedTag is { } saved)
        {
            // The client did not get the answer; it is true only as long as the file is there.
            if (part.IsQuestion && place.File is { } file && EntityTag.Of(file) == saved)
            {
                response.Headers.ETag = saved;
                Answer(response, StatusCodes.Status200OK, part.Total);
                return;
            }

            upload.Restart();
        }

        if (part.First == 0)
        {
            upload.Restart();
        }

        // When all is there but could not be saved, the question is the wish to save it.
        if (part.IsQuestion && (upload.Bytes < part.Total || part.Total == 0))
        {
            Answer(response, StatusCodes.Status202Accepted, upload.Bytes);
            return;
        }

        if (!part.IsQuestion && part.First != upload.Bytes)
        {
            Answer(response, StatusCodes.Status409Conflict, upload.Bytes);
            return;
        }

        if (!part.IsQuestion)
        {
            await StoreAsync(request, place, part, upload, stop);
        }

        if (upload.Bytes < part.Total)
        {
            Answer(response, StatusCodes.Status202Accepted, upload.Bytes);
            return;
        }

        var whole = new ManifestFile([.. upload.Segments]);
        await save(whole);
        upload.Restart();
        upload.SavedTag = EntityTag.Of(whole);
        response.Headers[UploadPart.OffsetHeader] = part.Total.ToString(CultureInfo.InvariantCulture);
    }

    private async Task StoreAsync(WebRequest request, CollectionPlace place, UploadPart part, PartialUpload upload, CancellationToken stop)
    {
        await using var body = new ArrivingBody(request.Http.Request.Body, part.Length, stop);

        // Not the request's token: what has arrived is to be stored when the client is gone.
        upload.Append(await uploads.StoreAloneAsync(body, part.Length, request.Session, place.Collection.WriteOptions, CancellationToken.None), time.GetTimestamp());
        if (body.Broken is { } failure)
        {
            if (stop.IsCancellationRequested && !request.Aborted.IsCancellationRequested)
            {
                throw new WebException(StatusCodes.Status409Conflict, "Another request goes on with this upload.");
            }

            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static void Answer(HttpResponse response, int status, long offset)
    {
        response.StatusCode = status;
        response.Headers[UploadPart.OffsetHeader] = offset.ToString(CultureInfo.InvariantCulture);
    }
}
