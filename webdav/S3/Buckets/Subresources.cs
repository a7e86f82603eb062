using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.S3.Buckets;

/// <summary>
/// Settings that S3 has on buckets and objects and we have not: questions get the answer of a bucket where nobody set them, so that clients go on;
/// attempts to set them are refused (docs/s3.md).
/// </summary>
internal sealed class Subresources(BucketTable buckets)
{
    /// <summary>Names in a query that make a request one about settings.</summary>
    private static readonly string[] Names =
    [
        "accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "logging", "metrics",
        "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore",
        "retention", "select", "session", "tagging", "torrent", "versioning", "versions", "website",
    ];

    /// <summary>The name of the setting that a request is about, or null.</summary>
    public static string? Of(S3Query query) => Names.FirstOrDefault(query.Has);

    /// <summary>Answers a question about a setting of a bucket.</summary>
    public async Task GetAsync(S3Call call, string name)
    {
        var place = await FindAsync(call);
        var isObject = call.Target.Key.Length > 0;
        byte[] answer = name switch
        {
            "acl" => Acl(await OwnerAsync(call, place)),
            "tagging" when isObject => S3Xml.Document("Tagging", static xml => xml.WriteElementString("TagSet", S3Xml.Namespace, "")),
            _ when isObject => throw S3Errors.NotImplemented($"?{name}"),
            "versioning" => S3Xml.Document("VersioningConfiguration", static _ => { }),
            "accelerate" => S3Xml.Document("AccelerateConfiguration", static _ => { }),
            "logging" => S3Xml.Document("BucketLoggingStatus", static _ => { }),
            "notification" => S3Xml.Document("NotificationConfiguration", static _ => { }),
            "requestPayment" => S3Xml.Document("RequestPaymentConfiguration", static xml => xml.Text("Payer", "BucketOwner")),
            "cors" => throw None("NoSuchCORSConfiguration"),
            "encryption" => throw None("ServerSideEncryptionConfigurationNotFoundError"),
            "lifecycle" => throw None("NoSuchLifecycleConfiguration"),
            "object-lock" => throw None("ObjectLockConfigurationNotFoundError"),
            "ownershipControls" => throw None("OwnershipControlsNotFoundError"),
            "policy" or "policyStatus" => throw None("NoSuchBucketPolicy"),
            "publicAccessBlock" => throw None("NoSuchPublicAccessBlockConfiguration"),
            "replication" => throw None("ReplicationConfigurationNotFoundError"),
            "tagging" => throw None("NoSuchTagSet"),
            "website" => throw None("NoSuchWebsiteConfiguration"),
            _ => throw S3Errors.NotImplemented($"?{name}"),
        };
        await S3Xml.SendAsync(call.Http, answer);
    }

    private async Task<Place> FindAsync(S3Call call)
    {
        if (call.Target.Key.Length == 0)
        {
            return await buckets.OpenAsync(call.Session, call.Target.Bucket, call.Aborted);
        }

        GetObject.RequireVersion(call.Query);
        var key = ObjectKey.Parse(call.Target.Key);
        var place = await buckets.FindAsync(call.Session, call.Target.Bucket, key.IsReadable ? key.Names : [], call.Aborted);
        return key.IsReadable && place.Exists && place.IsDirectory == key.IsFolder ? place : throw S3Errors.NoSuchKey();
    }

    private static async Task<string> OwnerAsync(S3Call call, Place place) =>
        (place as CollectionPlace)?.Collection.Record.OwnerUuid ?? (await call.Session.GetUserAsync(call.Aborted)).Uuid;

    private static byte[] Acl(string owner) => S3Xml.Document("AccessControlPolicy", xml =>
    {
        xml.WriteStartElement("Owner", S3Xml.Namespace);
        xml.Text("ID", owner);
        xml.Text("DisplayName", owner);
        xml.WriteEndElement();
        xml.WriteStartElement("AccessControlList", S3Xml.Namespace);
        xml.WriteStartElement("Grant", S3Xml.Namespace);
        xml.WriteStartElement("Grantee", S3Xml.Namespace);
        xml.WriteAttributeString("xsi", "type", "http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser");
        xml.Text("ID", owner);
        xml.Text("DisplayName", owner);
        xml.WriteEndElement();
        xml.Text("Permission", "FULL_CONTROL");
        xml.WriteEndElement();
        xml.WriteEndElement();
    });

    private static S3Exception None(string code) => new(404, code, "Nothing of the kind is set.");
}
