using KeepFs.Engine.Blocks;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Listing;
using KeepFs.WebDav.S3.Multipart;
using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.Tree;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav.S3;

/// <summary>The handlers of all operations, each safe for concurrent use.</summary>
internal sealed record S3Handlers(
    BucketHandler Buckets, Subresources Settings, ListObjects List, GetObject Get, PutObject Put, CopyObject Copy, DeleteObjects Delete,
    MultipartUploads Uploads, UploadParts Parts, CompleteUpload Complete)
{
    public static S3Handlers Create(
        string clusterId, bool hasFolders, TreeResolver tree, CollectionUpdates updates, BlockBufferPool buffers, KeepWebServerOptions options, ILogger log)
    {
        var buckets = new BucketTable(tree);
        var writes = new ObjectWrites(updates);
        var uploads = new UploadTable(buckets, options.S3UploadLifetime, options.Time);
        return new S3Handlers(
            new BucketHandler(buckets, clusterId),
            new Subresources(buckets),
            new ListObjects(buckets, tree, hasFolders),
            new GetObject(buckets, hasFolders, options.Time),
            new PutObject(buckets, writes, buffers, hasFolders, options.Time),
            new CopyObject(buckets, writes, options.Time),
            new DeleteObjects(buckets, writes),
            new MultipartUploads(buckets, uploads),
            new UploadParts(buckets, uploads, buffers),
            new CompleteUpload(buckets, uploads, writes, log));
    }
}
