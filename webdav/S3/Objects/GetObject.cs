using System.Globalization;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>GetObject and HeadObject: ranges, conditions, overridden headers; folders as empty objects.</summary>
/// <param name="buckets">Finds the object.</param>
/// <param name="hasFolders">S3FolderObjects.</param>
/// <param name="transfers">Notes it.</param>
/// <param name="time">The clock of slow clients.</param>
internal sealed class GetObject(BucketTable buckets, bool hasFolders, TransferLog transfers, TimeProvider time)
{
    private const string FolderType = "application/x-directory";

    public async Task HandleAsync(S3Call call)
    {
        var key = ObjectKey.Parse(call.Target.Key);
        var place = await buckets.FindAsync(call.Session, call.Target.Bucket, key.IsReadable ? key.Names : [], call.Aborted);
        RequireVersion(call.Query);
        if (!key.IsReadable)
        {
            throw S3Errors.NoSuchKey();
        }

        ObjectHeaders.AddMetadata(call.Http.Response, (place as CollectionPlace)?.Collection.Record.Properties);
        if (key.IsFolder && hasFolders && place is { IsDirectory: true, Exists: true })
        {
            Folder(call, place);
        }
        else if (!key.IsFolder && place is CollectionPlace { File: { } file } inside)
        {
            await FileAsync(call, inside, file);
        }
        else
        {
            throw S3Errors.NoSuchKey();
        }
    }

    /// <summary>Throws unless the request is about the only version there is.</summary>
    public static void RequireVersion(S3Query query)
    {
        if (query["versionId"] is not (null or "" or "null"))
        {
            throw new S3Exception(404, "NoSuchVersion", "Objects have no versions here; versions of a collection are buckets of their own.");
        }
    }

    private static void Folder(S3Call call, Place place)
    {
        var response = call.Http.Response;
        response.Headers.LastModified = Preconditions.HttpDate(place.ModifiedAt);
        response.ContentType = FolderType;
        response.ContentLength = 0;
        ObjectHeaders.Override(response, call.Query);
    }

    private async Task FileAsync(S3Call call, CollectionPlace place, ManifestFile file)
    {
        var (http, response) = (call.Http.Request, call.Http.Response);
        var tag = ObjectTag.Of(file);
        response.Headers.ETag = tag;
        response.Headers.LastModified = Preconditions.HttpDate(place.ModifiedAt);
        response.Headers.AcceptRanges = "bytes";
        if (ObjectConditions.Of(http.Headers).FirstBroken(tag, place.ModifiedAt) is { } broken)
        {
            response.StatusCode = broken.IsNotModified ? StatusCodes.Status304NotModified : throw S3Errors.PreconditionFailed(broken.Name);
            return;
        }

        response.ContentType = ContentTypes.Of(place.Name);

        // A presigned URL can be opened in a browser: what somebody uploaded must not act as a page of this server, where cookies hold tokens.
        response.Headers.ContentSecurityPolicy = "sandbox";
        response.Headers.XContentTypeOptions = "nosniff";
        ObjectHeaders.Override(response, call.Query);
        var range = RangeOf(call, tag, place.ModifiedAt, file.SizeBytes);
        if (range is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {part.Offset}-{part.Offset + part.Length - 1}/{file.SizeBytes}");
        }

        var wanted = range ?? new ByteRange(0, file.SizeBytes);
        response.ContentLength = wanted.Length;
        if (HttpMethods.IsHead(http.Method))
        {
            return;
        }

        var body = wanted.Length == 0 ? null : await FileBody.OpenAsync(call.Session, place, file, wanted.Offset, time, call.Aborted);
        transfers.Downloaded(call.Http, call.Session, place.Collection, place.Path, wanted.Offset);
        if (body is null)
        {
            return;
        }

        await response.StartAsync(call.Aborted);
        await body.SendAsync(response.BodyWriter, wanted, call.Aborted);
    }

    /// <summary>The part that is asked for; null = everything, also for several ranges, which S3 has not.</summary>
    private static ByteRange? RangeOf(S3Call call, string tag, DateTimeOffset modifiedAt, long size)
    {
        var (http, response) = (call.Http.Request, call.Http.Response);
        if (call.Query["partNumber"] is { } number)
        {
            // An object has one part, whatever it was made of.
            response.Headers["x-amz-mp-parts-count"] = "1";
            return number == "1" ? null : throw new S3Exception(416, "InvalidPartNumber", "The object has no such part.");
        }

        if (http.Headers.Range.ToString() is not { Length: > 0 } header || !Preconditions.RangeApplies(http, tag, modifiedAt))
        {
            return null;
        }

        switch (ByteRanges.Parse(header, size))
        {
            case { Count: 0 }:
                response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{size}");
                throw S3Errors.InvalidRange();
            case [var one]:
                return one;
            default:
                return null;
        }
    }
}
