using KeepFs.Engine.Manifests;
using KeepFs.WebDav.S3.Bodies;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Writing;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>PutObject: verified data first, then one change of the collection, then the answer. Whatever fails leaves the old content.</summary>
/// <param name="buckets">Finds the target.</param>
/// <param name="writes">Saves.</param>
/// <param name="uploads">Stores the data.</param>
/// <param name="hasFolders">S3FolderObjects.</param>
/// <param name="transfers">Notes it.</param>
/// <param name="time">Measures uploads.</param>
internal sealed class PutObject(BucketTable buckets, ObjectWrites writes, Uploads uploads, bool hasFolders, TransferLog transfers, TimeProvider time)
{
    /// <summary>After an upload that took longer it is looked again whether a directory of that name was made meanwhile; saving would replace it.</summary>
    private static readonly TimeSpan Recheck = TimeSpan.FromSeconds(1);

    public async Task HandleAsync(S3Call call)
    {
        var (http, response) = (call.Http.Request, call.Http.Response);
        var key = ObjectKey.Parse(call.Target.Key).RequireWritable();
        ObjectHeaders.RefuseUnsupported(http.Headers);
        var conditions = ObjectConditions.ForWriting(http.Headers);
        var opened = time.GetTimestamp();
        var target = ObjectWrites.Target(await buckets.FindAsync(call.Session, call.Target.Bucket, key.Names, call.Aborted), key.IsFolder);
        conditions.Require(ObjectWrites.TagOf(target), target.ModifiedAt);
        await using var body = RequestBody.Of(http, call.Identity);
        if (key.IsFolder)
        {
            if (!hasFolders || body.LengthBytes > 0 || await body.ReadAsync(new byte[1], call.Aborted) > 0)
            {
                throw S3Errors.InvalidArgument("A key that ends with a slash is a directory, which has no content.");
            }

            await writes.PutAsync(call.Session, target, new ManifestDirectory(), conditions, call.Aborted);
            response.Headers.ETag = ObjectTag.Of([]);
            return;
        }

        // Its ETag is to be the MD5 of the object, which clients compare: so a block of its own.
        var file = new ManifestFile(await uploads.StoreAloneAsync(body, body.LengthBytes, call.Session, target.Collection.WriteOptions, call.Aborted));
        if (time.GetElapsedTime(opened) > Recheck)
        {
            target = ObjectWrites.Target(await buckets.FindAsync(call.Session, call.Target.Bucket, key.Names, call.Aborted), isFolder: false);
        }

        await writes.PutAsync(call.Session, target, file, conditions, call.Aborted);
        transfers.Uploaded(call.Http, call.Session, target.Collection.Id, target.Path);
        response.Headers.ETag = ObjectTag.Of(file);
        foreach (var (name, value) in body.Verified)
        {
            response.Headers[name] = value;
        }
    }
}
