using KeepFs.WebDav.Dav;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Listing;
using KeepFs.WebDav.S3.Multipart;
using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Tree;
using KeepFs.WebDav.Writing;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav.S3;

/// <summary>The handlers of all operations, each safe for concurrent use.</summary>
internal sealed record S3Handlers(
    BucketHandler Buckets, Subresources Settings, ListObjects List, GetObject Get, PutObject Put, CopyObject Copy, DeleteObjects Delete,
    MultipartUploads Uploads, UploadParts Parts, CompleteUpload Complete, TransferPolicy Policy)
{
    public static S3Handlers Create(
        string clusterId, bool hasFolders, TreeResolver tree, CollectionUpdates updates, Uploads uploads, Placements placements, TransferPolicy policy, TransferLog transfers,
        KeepWebServerOptions options, ILogger log)
    {
        var buckets = new BucketTable(tree);
        var writes = new ObjectWrites(updates, placements);
        var multipart = new UploadTable(buckets, options.S3UploadLifetime, options.Time);
        return new S3Handlers(
            new BucketHandler(buckets, clusterId),
            new Subresources(buckets),
            new ListObjects(buckets, tree, hasFolders),
            new GetObject(buckets, hasFolders, transfers, options.Time),
            new PutObject(buckets, writes, uploads, hasFolders, transfers, options.Time),
            new CopyObject(buckets, writes, transfers, options.Time),
            new DeleteObjects(buckets, writes),
            new MultipartUploads(buckets, multipart),
            new UploadParts(buckets, multipart, uploads, placements),
            new CompleteUpload(buckets, multipart, writes, transfers, log),
            policy);
    }
}
