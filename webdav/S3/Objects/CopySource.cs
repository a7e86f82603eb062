using KeepFs.Engine.Manifests;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>The object that <c>x-amz-copy-source</c> names, in the state that its conditions were checked on.</summary>
/// <param name="Place">Where it lies.</param>
/// <param name="File">Null for a folder.</param>
internal sealed record CopySource(CollectionPlace Place, ManifestFile? File)
{
    /// <summary>Finds it with the rights of the request.</summary>
    /// <exception cref="S3Exception">404, 412, or 400: no bucket and key.</exception>
    public static async Task<CopySource> FindAsync(S3Call call, BucketTable buckets)
    {
        var header = call.Header("x-amz-copy-source");
        var query = S3Query.Parse(header);
        GetObject.RequireVersion(query);
        var path = PercentCode.Decode(header.IndexOf('?', StringComparison.Ordinal) is >= 0 and var mark ? header[..mark] : header, plusIsSpace: false).TrimStart('/');
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == path.Length - 1)
        {
            throw S3Errors.InvalidArgument("x-amz-copy-source must be BUCKET/KEY, percent-encoded.");
        }

        var key = ObjectKey.Parse(path[(slash + 1)..]);
        var place = await buckets.FindAsync(call.Session, S3Target.BucketOf(path[..slash]), key.IsReadable ? key.Names : [], call.Aborted);
        var source = key.IsReadable ? place as CollectionPlace : null;
        if (source is not (null or { IsRoot: true }) && (key.IsFolder ? source.IsDirectory : source.File is not null))
        {
            ObjectConditions.OfCopySource(call.Http.Request.Headers).Require(ObjectWrites.TagOf(source) ?? ObjectTag.Of([]), source.ModifiedAt);
            return new CopySource(source, source.File);
        }

        throw S3Errors.NoSuchKey();
    }
}
