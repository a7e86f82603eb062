using KeepFs.Engine.Manifests;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Transfers;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>CopyObject: the target gets the source's list of blocks; no data is moved or stored again, within a collection and between them.</summary>
internal sealed class CopyObject(BucketTable buckets, ObjectWrites writes, TransferLog transfers, TimeProvider time)
{
    public async Task HandleAsync(S3Call call)
    {
        var key = ObjectKey.Parse(call.Target.Key).RequireWritable();
        var headers = call.Http.Request.Headers;
        ObjectHeaders.RefuseUnsupported(headers);
        var replacesMetadata = Directive(call, "x-amz-metadata-directive") == "REPLACE";
        if (Directive(call, "x-amz-tagging-directive") == "REPLACE")
        {
            throw S3Errors.NotImplemented("x-amz-tagging-directive: REPLACE");
        }

        var source = await CopySource.FindAsync(call, buckets);
        var target = ObjectWrites.Target(await buckets.FindAsync(call.Session, call.Target.Bucket, key.Names, call.Aborted), key.IsFolder);
        if (key.IsFolder != source.File is null)
        {
            throw S3Errors.InvalidArgument("A folder can only be copied to a key that ends with a slash, an object only to one that does not.");
        }

        var conditions = ObjectConditions.ForWriting(headers);
        var isSame = source.Place.Collection.Record.Uuid == target.Collection.Record.Uuid && source.Place.Path == target.Path;
        if (isSame && !replacesMetadata)
        {
            throw S3Errors.InvalidRequest("An object cannot be copied to itself without changing its metadata.");
        }

        ManifestNode node = source.File is { } file ? file : new ManifestDirectory();
        if (isSame)
        {
            // Clients set times so; objects have none of their own, and nothing changes.
            conditions.Require(ObjectWrites.TagOf(target), target.ModifiedAt);
        }
        else
        {
            await writes.PutAsync(call.Session, target, node, conditions, call.Aborted);
            if (!key.IsFolder)
            {
                transfers.Uploaded(call.Http, call.Session, target.Collection.Id, target.Path);
            }
        }

        await S3Xml.SendAsync(call.Http, S3Xml.Document("CopyObjectResult", xml =>
        {
            xml.Text("LastModified", S3Xml.Time(isSame ? target.ModifiedAt : time.GetUtcNow()));
            xml.Text("ETag", source.File is { } copied ? ObjectTag.Of(copied) : ObjectTag.Of([]));
        }));
    }

    private static string Directive(S3Call call, string header) => call.Header(header) is var value and ("" or "COPY" or "REPLACE") ? value
        : throw S3Errors.InvalidArgument($"{header} must be COPY or REPLACE.");
}
