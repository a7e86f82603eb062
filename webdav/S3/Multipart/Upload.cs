using System.Globalization;
using System.Text.Json;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.S3.Multipart;

/// <summary>An upload under way (docs/decisions/0028-s3-uploads.md): a collection without a name in the user's home, whose files are the parts.</summary>
/// <param name="Id">UUID of that collection.</param>
/// <param name="BucketId">UUID of the bucket it is for.</param>
/// <param name="Key">The key it is for.</param>
/// <param name="CompletedTag">Tag of the finished object; null while the upload goes on.</param>
/// <param name="Record">The collection, without its manifest unless that was asked for.</param>
internal sealed record Upload(string Id, string BucketId, string Key, string? CompletedTag, Collection Record)
{
    public const int MaxPartNumber = 10_000;
    public const string BucketProperty = "keepfs_s3_bucket";
    public const string KeyProperty = "keepfs_s3_key";
    public const string CompletedProperty = "keepfs_s3_completed";

    /// <summary>How the parts are stored: as the finished object will be.</summary>
    public BlockWriteOptions WriteOptions => new(Record.ReplicationDesired, Record.StorageClassesDesired ?? []);

    /// <summary>Reads the record; null when it is no upload.</summary>
    public static Upload? Of(Collection record) =>
        Text(record.Properties, BucketProperty) is { } bucket && Text(record.Properties, KeyProperty) is { } key
            ? new Upload(record.Uuid, bucket, key, Text(record.Properties, CompletedProperty), record) : null;

    /// <summary>Name of a part's file; sorts as the numbers do.</summary>
    public static string FileOf(int part) => part.ToString("D5", CultureInfo.InvariantCulture);

    private static string? Text(JsonElement? properties, string name) =>
        properties is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
