using System.Globalization;
using System.Text.RegularExpressions;
using KeepFs.Engine.Catalog;
using KeepFs.WebDav.S3.Bodies;
using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Buckets;

/// <summary>Operations on buckets themselves (docs/decisions/0027-s3.md): the collections and projects of the user's home, by name.</summary>
internal sealed partial class BucketHandler(BucketTable buckets, string clusterId)
{
    /// <summary>Buckets that are listed at most, over all pages; a home with more is listed by prefix.</summary>
    private const int MaxListed = 10_000;

    private const int DefaultPage = 10_000;

    /// <summary>Paths of keep-web itself, which no bucket of that name could be reached at.</summary>
    private static readonly string[] Reserved = ["metrics", "metrics.json", "status.json"];

    /// <summary>HeadBucket.</summary>
    public async Task HeadAsync(S3Call call)
    {
        var place = await buckets.OpenAsync(call.Session, call.Target.Bucket, call.Aborted);
        ObjectHeaders.AddMetadata(call.Http.Response, (place as CollectionPlace)?.Collection.Record.Properties);
        call.Http.Response.Headers["x-amz-bucket-region"] = clusterId;
        call.Http.Response.ContentType = "application/xml";
        call.Http.Response.ContentLength = 0;
    }

    /// <summary>GetBucketLocation, in the nested form of keep-web.md 4.3.</summary>
    public async Task LocationAsync(S3Call call)
    {
        await buckets.OpenAsync(call.Session, call.Target.Bucket, call.Aborted);
        await S3Xml.SendAsync(call.Http, S3Xml.Document("LocationConstraint", xml => xml.Text("LocationConstraint", clusterId)));
    }

    /// <summary>ListBuckets.</summary>
    public static async Task ListAsync(S3Call call)
    {
        var user = await call.Session.GetUserAsync(call.Aborted);
        var prefix = call.Query["prefix"] ?? "";
        var after = call.Query["continuation-token"] ?? "";
        var limit = int.TryParse(call.Query["max-buckets"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given is > 0 and <= DefaultPage ? given : DefaultPage;
        var found = new SortedDictionary<string, ProjectItem>(StringComparer.Ordinal);
        await foreach (var item in call.Session.Catalog.ListContentsAsync(user.Uuid, call.Aborted))
        {
            // Without a name it is an upload under way (docs/decisions/0028-s3-uploads.md).
            if (item.Name is { Length: > 0 } name && NameOf(item.Uuid, name) is var shown && shown.StartsWith(prefix, StringComparison.Ordinal)
                && string.CompareOrdinal(shown, after) > 0 && !found.TryAdd(shown, item))
            {
                // A project and a collection of the same name: the name means the project, which came first.
                found.TryAdd(item.Uuid, item);
            }

            if (found.Count > MaxListed)
            {
                break;
            }
        }

        var page = found.Take(limit).ToList();
        await S3Xml.SendAsync(call.Http, S3Xml.Document("ListAllMyBucketsResult", xml =>
        {
            xml.WriteStartElement("Owner", S3Xml.Namespace);
            xml.Text("ID", user.Uuid);
            xml.Text("DisplayName", user.Username ?? user.Uuid);
            xml.WriteEndElement();
            xml.WriteStartElement("Buckets", S3Xml.Namespace);
            foreach (var (name, item) in page)
            {
                xml.WriteStartElement("Bucket", S3Xml.Namespace);
                xml.Text("Name", name);
                xml.Text("CreationDate", S3Xml.Time(item.ModifiedAt ?? DateTimeOffset.UnixEpoch));
                xml.WriteEndElement();
            }

            xml.WriteEndElement();
            if (page.Count < found.Count)
            {
                xml.Text("ContinuationToken", page[^1].Key);
            }
        }));
    }

    /// <summary>CreateBucket: a collection of that name in the user's home.</summary>
    public static async Task CreateAsync(S3Call call)
    {
        var name = call.Target.Bucket;
        ObjectHeaders.RefuseUnsupported(call.Http.Request.Headers);
        if (call.Header("x-amz-bucket-object-lock-enabled").Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            throw S3Errors.NotImplemented("x-amz-bucket-object-lock-enabled");
        }

        // A region may be asked for; there is only one place.
        _ = await RequestBody.ReadAllAsync(call.Http.Request, call.Identity, maxBytes: 64 << 10, hasChecksums: true, call.Aborted);
        if (BucketTable.IsId(name) || !BucketName().IsMatch(name) || Reserved.Contains(name))
        {
            throw S3Errors.InvalidBucketName("A new bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, begins and ends with a letter or digit, and is no UUID and no path of this server.");
        }

        var user = await call.Session.GetUserAsync(call.Aborted);
        if (await call.Session.Catalog.FindByNameAsync(user.Uuid, name, call.Aborted) is not null)
        {
            throw Exists();
        }

        try
        {
            var write = new CollectionWrite { Name = name, OwnerUuid = user.Uuid, ManifestText = ReadOnlyMemory<byte>.Empty };
            await call.Session.Catalog.CreateCollectionAsync(new CollectionChange { Collection = write, Select = ["uuid"] }, call.Aborted);
        }
        catch (CatalogException e) when (e.Kind == CatalogErrorKind.Invalid && e.Message.Contains("duplicate", StringComparison.Ordinal))
        {
            throw Exists();
        }

        call.Http.Response.Headers.Location = "/" + name;
    }

    /// <summary>DeleteBucket: a collection without files goes to the trash.</summary>
    public async Task DeleteAsync(S3Call call)
    {
        switch (await buckets.OpenAsync(call.Session, call.Target.Bucket, call.Aborted))
        {
            case CollectionPlace { Collection: { IsReadOnly: false } collection }:
                if (collection.Index.FileCount > 0)
                {
                    throw S3Errors.BucketNotEmpty();
                }

                await call.Session.Catalog.TrashCollectionAsync(collection.Record.Uuid, call.Aborted);
                call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
                return;
            default:
                throw S3Errors.MethodNotAllowed("Only collections that can be changed are removed as buckets; projects and fixed versions are not.");
        }
    }

    /// <summary>A name that can stand for the bucket in a URL and in every client; else its UUID.</summary>
    private static string NameOf(string uuid, string name) => BucketName().IsMatch(name) && !BucketTable.IsId(name) && !Reserved.Contains(name) ? name : uuid;

    private static S3Exception Exists() => new(409, "BucketAlreadyOwnedByYou", "You have a collection or project of this name already.");

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z", RegexOptions.CultureInvariant)]
    private static partial Regex BucketName();
}
