using System.Text.Json;
using KeepFs.Engine.Catalog;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.S3.Multipart;

/// <summary>
/// The uploads under way, kept in the catalogue: they survive restarts, several keep-webs agree on them, garbage collection knows their blocks, and
/// they end by themselves. Safe for concurrent use.
/// </summary>
/// <param name="buckets">Finds the bucket of a request.</param>
/// <param name="lifetime">After this time an unfinished upload goes to the trash.</param>
/// <param name="time">The clock.</param>
internal sealed class UploadTable(BucketTable buckets, TimeSpan lifetime, TimeProvider time)
{
    /// <summary>How long the end of an upload is remembered, for clients that did not get the answer and ask again.</summary>
    private static readonly TimeSpan CompletedLifetime = TimeSpan.FromHours(1);

    private static readonly string[] Fields = ["uuid", "owner_uuid", "properties", "created_at", "modified_at", "portable_data_hash", "replication_desired", "storage_classes_desired", "trash_at"];

    /// <summary>Starts an upload for an object of a collection.</summary>
    public async Task<string> CreateAsync(S3Call call, Collection target)
    {
        var bucket = await buckets.IdOfAsync(call.Session, call.Target.Bucket, call.Aborted);
        var user = await call.Session.GetUserAsync(call.Aborted);
        var write = new CollectionWrite
        {
            OwnerUuid = user.Uuid,
            ManifestText = ReadOnlyMemory<byte>.Empty,
            Properties = new Dictionary<string, string> { [Upload.BucketProperty] = bucket, [Upload.KeyProperty] = call.Target.Key },
            ReplicationDesired = target.ReplicationDesired,
            StorageClassesDesired = target.StorageClassesDesired is { Count: > 0 } classes ? classes : null,
            TrashAt = time.GetUtcNow() + lifetime,
        };
        return (await call.Session.Catalog.CreateCollectionAsync(new CollectionChange { Collection = write, Select = ["uuid"] }, call.Aborted)).Uuid;
    }

    /// <summary>The upload that a request names, finished or not.</summary>
    /// <param name="call">The request.</param>
    /// <param name="withManifest">With the parts.</param>
    /// <exception cref="S3Exception">404: there is none of this id for this bucket and key.</exception>
    public async Task<Upload> FindAsync(S3Call call, bool withManifest)
    {
        var id = call.Query["uploadId"] ?? "";
        var bucket = await buckets.IdOfAsync(call.Session, call.Target.Bucket, call.Aborted);
        return SitePath.IsCollectionId(id) && !id.Contains('+', StringComparison.Ordinal)
            && await call.Session.Catalog.FindCollectionAsync(id, withManifest ? null : Fields, call.Aborted) is { } record
            && Upload.Of(record) is { } upload && upload.BucketId == bucket && upload.Key == call.Target.Key
            ? upload : throw S3Errors.NoSuchUpload();
    }

    /// <summary>The same; a finished one is gone.</summary>
    public async Task<Upload> FindOpenAsync(S3Call call) => await FindAsync(call, withManifest: false) is { CompletedTag: null } upload ? upload : throw S3Errors.NoSuchUpload();

    /// <summary>The user's uploads for a bucket, by key and id.</summary>
    /// <param name="call">The request.</param>
    /// <param name="limit">More are not looked at.</param>
    public async Task<IReadOnlyList<Upload>> ListAsync(S3Call call, int limit)
    {
        var bucket = await buckets.IdOfAsync(call.Session, call.Target.Bucket, call.Aborted);
        var user = await call.Session.GetUserAsync(call.Aborted);
        var filters = CatalogFilters.Parse(
            $$"""[["collections.properties.{{Upload.BucketProperty}}","=",{{JsonSerializer.Serialize(bucket)}}],["groups.uuid","in",[]]]""");
        var found = new List<Upload>();
        await foreach (var item in call.Session.Catalog.ListContentsAsync(user.Uuid, filters, call.Aborted))
        {
            if (await call.Session.Catalog.FindCollectionAsync(item.Uuid, Fields, call.Aborted) is { } record && Upload.Of(record) is { CompletedTag: null } upload)
            {
                found.Add(upload);
            }

            if (found.Count == limit)
            {
                break;
            }
        }

        return [.. found.OrderBy(upload => upload.Key, StringComparer.Ordinal).ThenBy(upload => upload.Id, StringComparer.Ordinal)];
    }

    /// <summary>The object is saved: the parts are let go, and the end is remembered for a while.</summary>
    public Task CloseAsync(S3Call call, Upload upload, string tag) => call.Session.Catalog.UpdateCollectionAsync(
        upload.Id,
        new CollectionChange
        {
            Collection = new CollectionWrite
            {
                ManifestText = ReadOnlyMemory<byte>.Empty,
                Properties = new Dictionary<string, string>
                {
                    [Upload.BucketProperty] = upload.BucketId,
                    [Upload.KeyProperty] = upload.Key,
                    [Upload.CompletedProperty] = tag,
                },
                TrashAt = time.GetUtcNow() + CompletedLifetime,
            },
            Select = ["uuid"],
        },
        call.Aborted);
}
