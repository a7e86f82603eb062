using System.Globalization;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Multipart;

/// <summary>CreateMultipartUpload, AbortMultipartUpload and ListMultipartUploads.</summary>
internal sealed class MultipartUploads(BucketTable buckets, UploadTable uploads)
{
    private const int MaxUploads = 1000;

    public async Task CreateAsync(S3Call call)
    {
        var key = ObjectKey.Parse(call.Target.Key).RequireWritable();
        ObjectHeaders.RefuseUnsupported(call.Http.Request.Headers);
        if (key.IsFolder)
        {
            throw S3Errors.InvalidArgument("A key that ends with a slash is a directory, which has no content.");
        }

        var target = ObjectWrites.Target(await buckets.FindAsync(call.Session, call.Target.Bucket, key.Names, call.Aborted), isFolder: false);
        if (!await call.Session.Catalog.MayUpdateCollectionAsync(target.Collection.Record.Uuid, call.Aborted))
        {
            throw S3Errors.AccessDenied();
        }

        var id = await uploads.CreateAsync(call, target.Collection.Record);
        await S3Xml.SendAsync(call.Http, S3Xml.Document("InitiateMultipartUploadResult", xml =>
        {
            xml.Text("Bucket", call.Target.Bucket);
            xml.Text("Key", call.Target.Key);
            xml.Text("UploadId", id);
        }));
    }

    public async Task AbortAsync(S3Call call)
    {
        var upload = await uploads.FindOpenAsync(call);
        await call.Session.Catalog.TrashCollectionAsync(upload.Id, call.Aborted);
        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task ListAsync(S3Call call)
    {
        if (call.Query["delimiter"] is { Length: > 0 })
        {
            throw S3Errors.NotImplemented("ListMultipartUploads with a delimiter");
        }

        await buckets.OpenAsync(call.Session, call.Target.Bucket, call.Aborted);
        var limit = int.TryParse(call.Query["max-uploads"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given is > 0 and < MaxUploads ? given : MaxUploads;
        var (prefix, keyMarker, idMarker) = (call.Query["prefix"] ?? "", call.Query["key-marker"] ?? "", call.Query["upload-id-marker"] ?? "");
        var found = (await uploads.ListAsync(call, MaxUploads))
            .Where(upload => upload.Key.StartsWith(prefix, StringComparison.Ordinal) && (string.CompareOrdinal(upload.Key, keyMarker) is var order && order > 0
                || (order == 0 && keyMarker.Length > 0 && idMarker.Length > 0 && string.CompareOrdinal(upload.Id, idMarker) > 0)))
            .Take(limit + 1).ToList();
        var page = found.Take(limit).ToList();
        await S3Xml.SendAsync(call.Http, S3Xml.Document("ListMultipartUploadsResult", xml =>
        {
            xml.Text("Bucket", call.Target.Bucket);
            xml.Text("KeyMarker", keyMarker);
            xml.Text("UploadIdMarker", idMarker);
            xml.Text("Prefix", prefix);
            xml.Number("MaxUploads", limit);
            xml.Text("IsTruncated", found.Count > limit ? "true" : "false");
            if (found.Count > limit)
            {
                xml.Text("NextKeyMarker", page[^1].Key);
                xml.Text("NextUploadIdMarker", page[^1].Id);
            }

            foreach (var upload in page)
            {
                xml.WriteStartElement("Upload", S3Xml.Namespace);
                xml.Text("Key", upload.Key);
                xml.Text("UploadId", upload.Id);
                xml.Text("StorageClass", "STANDARD");
                xml.Text("Initiated", S3Xml.Time(upload.Record.CreatedAt ?? DateTimeOffset.UnixEpoch));
                xml.WriteEndElement();
            }
        }));
    }
}
