using System.Globalization;
using System.Text;
using System.Xml;
using KeepFs.Engine.Catalog;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.S3.Listing;

/// <summary>ListObjects and ListObjectsV2 (keep-web.md 4.4).</summary>
/// <param name="buckets">Finds the bucket.</param>
/// <param name="tree">Lists projects.</param>
/// <param name="hasFolders">S3FolderObjects: directories are keys that end with a slash.</param>
internal sealed class ListObjects(BucketTable buckets, TreeResolver tree, bool hasFolders)
{
    private const int MaxKeys = 1000;

    /// <summary>Filter groups can hold themselves; deeper than this is no tree that people made.</summary>
    private const int MaxProjectDepth = 64;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly KeyOrders _orders = new();

    public async Task HandleAsync(S3Call call)
    {
        var query = call.Query;
        var isV2 = query["list-type"] switch
        {
            null => false,
            "2" => true,
            _ => throw S3Errors.InvalidArgument("list-type must be 2."),
        };
        var isEncoded = query["encoding-type"] switch
        {
            null or "" => false,
            "url" => true,
            _ => throw S3Errors.InvalidArgument("encoding-type must be url."),
        };
        var limit = int.TryParse(query["max-keys"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given is > 0 and < MaxKeys ? given : MaxKeys;
        var (prefix, delimiter) = (query["prefix"] ?? "", query["delimiter"] ?? "");
        var after = isV2 ? Later(Token(query["continuation-token"]), query["start-after"] ?? "") : query["marker"] ?? "";
        var place = await buckets.OpenAsync(call.Session, call.Target.Bucket, call.Aborted);
        var page = await ListPage.ReadAsync(KeysOf(call.Session, place, []), prefix, delimiter, after, limit, call.Aborted);
        string Text(string value) => isEncoded ? PercentCode.Encode(value, keepSlash: true, spaceIsPlus: true) : value;
        await S3Xml.SendAsync(call.Http, S3Xml.Document("ListBucketResult", xml =>
        {
            xml.Text("Name", call.Target.Bucket);
            xml.Text("Prefix", Text(prefix));
            xml.Text("Delimiter", Text(delimiter));
            xml.Number("MaxKeys", limit);
            xml.Text("IsTruncated", page.IsTruncated ? "true" : "false");
            if (isEncoded)
            {
                xml.Text("EncodingType", "url");
            }

            xml.Number("KeyCount", page.Contents.Count);
            if (isV2)
            {
                WriteOptional(xml, "ContinuationToken", query["continuation-token"]);
                WriteOptional(xml, "StartAfter", query["start-after"] is { } start ? Text(start) : null);
                WriteOptional(xml, "NextContinuationToken", page.IsTruncated ? Convert.ToBase64String(Encoding.UTF8.GetBytes(page.Last)) : null);
            }
            else
            {
                xml.Text("Marker", Text(after));
                WriteOptional(xml, "NextMarker", page.IsTruncated && delimiter.Length > 0 ? Text(page.Last) : null);
            }

            WriteEntries(xml, page, Text);
        }));
    }

    /// <summary>The keys of a bucket.</summary>
    private KeyCursor KeysOf(Session session, Place place, IReadOnlyList<string> projects) => place switch
    {
        CollectionPlace { Collection: var collection } => new CollectionKeys(collection.Index, _orders.Of(collection.Index), collection.ModifiedAt, hasFolders),
        ProjectPlace project => new ProjectKeys(
            async cancellationToken => await tree.ListAsync(session, project.Uuid, cancellationToken),
            (item, cancellationToken) => OpenAsync(session, item, [.. projects, project.Uuid], cancellationToken),
            hasFolders),
        _ => throw S3Errors.NoSuchBucket(),
    };

    private async ValueTask<KeyCursor?> OpenAsync(Session session, ProjectItem item, string[] projects, CancellationToken cancellationToken)
    {
        if (item.IsCollection)
        {
            return await session.OpenAsync(item.Uuid, cancellationToken) is { } collection
                ? KeysOf(session, new CollectionPlace(collection, "", collection.Tree.Root, IsServedRoot: true), projects) : null;
        }

        // A project within itself shows as an empty directory (keep-web.md 2.3).
        return projects.Contains(item.Uuid) || projects.Length > MaxProjectDepth ? null : KeysOf(session, new ProjectPlace(item.Uuid, item), projects);
    }

    private static void WriteEntries(XmlWriter xml, ListPage page, Func<string, string> text)
    {
        foreach (var (key, entry) in page.Contents)
        {
            xml.WriteStartElement("Contents", S3Xml.Namespace);
            xml.Text("Key", text(key));
            xml.Text("LastModified", S3Xml.Time(entry.ModifiedAt));
            xml.Text("ETag", entry.Tag);
            xml.Number("Size", entry.SizeBytes);
            xml.Text("StorageClass", "STANDARD");
            xml.WriteEndElement();
        }

        foreach (var prefix in page.CommonPrefixes)
        {
            xml.WriteStartElement("CommonPrefixes", S3Xml.Namespace);
            xml.Text("Prefix", text(prefix));
            xml.WriteEndElement();
        }
    }

    private static void WriteOptional(XmlWriter xml, string name, string? value)
    {
        if (value is not null)
        {
            xml.Text(name, value);
        }
    }

    private static string Token(string? token)
    {
        try
        {
            return token is null ? "" : Strict.GetString(Convert.FromBase64String(token));
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            throw S3Errors.InvalidArgument("The continuation token is none that this server gave.");
        }
    }

    private static string Later(string a, string b) => Engine.Manifests.Utf8Order.Instance.Compare(a, b) > 0 ? a : b;
}
