using KeepFs.Engine.Manifests;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.S3.Buckets;

/// <summary>
/// Finds what a bucket and a key name: a bucket is a collection or project by UUID, a collection by content, or the name of one in the home of the
/// token's user (docs/decisions/0027-s3.md). Safe for concurrent use.
/// </summary>
internal sealed class BucketTable(TreeResolver tree)
{
    /// <summary>The bucket itself.</summary>
    /// <exception cref="S3Exception">404 NoSuchBucket.</exception>
    public Task<Place> OpenAsync(Session session, string bucket, CancellationToken cancellationToken) => FindAsync(session, bucket, [], cancellationToken);

    /// <summary>A path below a bucket; the place need not exist.</summary>
    /// <exception cref="S3Exception">404 NoSuchBucket.</exception>
    public async Task<Place> FindAsync(Session session, string bucket, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var id = await IdOfAsync(session, bucket, cancellationToken);
        return await tree.ResolveAsync(session, new SitePath(SiteForm.Collection, id, null, names), cancellationToken) is var place and not NoPlace { IsRootFound: false }
            ? place : throw S3Errors.NoSuchBucket();
    }

    /// <summary>Is an id and never a name.</summary>
    public static bool IsId(string bucket) =>
        SitePath.IsCollectionId(bucket) || SitePath.IsGroupId(bucket) || SitePath.IsUserId(bucket) || PortableDataHash.IsPortableDataHash(bucket);

    /// <summary>The UUID or portable data hash that a bucket stands for; an id need not exist.</summary>
    /// <exception cref="S3Exception">404: nothing has this name.</exception>
    public async Task<string> IdOfAsync(Session session, string bucket, CancellationToken cancellationToken)
    {
        if (IsId(bucket))
        {
            return bucket;
        }

        if (bucket.Length is 0 or > 255 || bucket is "." or ".." || bucket.Contains('\0', StringComparison.Ordinal))
        {
            throw S3Errors.NoSuchBucket();
        }

        var user = await session.GetUserAsync(cancellationToken);
        return await session.Catalog.FindByNameAsync(user.Uuid, tree.RecordName(bucket), cancellationToken) is { } item ? item.Uuid : throw S3Errors.NoSuchBucket();
    }
}
