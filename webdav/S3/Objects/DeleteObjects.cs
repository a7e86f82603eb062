using System.Xml.Linq;
using KeepFs.WebDav.S3.Bodies;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>
/// DeleteObject and DeleteObjects. A key that does not exist is gone already. A directory's own key removes it only when it is empty: whatever
/// else lies in it has keys of its own.
/// </summary>
internal sealed class DeleteObjects(BucketTable buckets, ObjectWrites writes)
{
    /// <summary>S3's own limit.</summary>
    private const int MaxKeys = 1000;

    public async Task OneAsync(S3Call call)
    {
        GetObject.RequireVersion(call.Query);
        var conditions = ObjectConditions.ForWriting(call.Http.Request.Headers);
        if (await TargetAsync(call, call.Target.Key) is { } target)
        {
            await writes.RemoveAsync(
                call.Session, target.Place.Collection.Id, target.IsFolder ? [] : [target.Place.Path], target.IsFolder ? [target.Place.Path] : [],
                target.IsFolder ? null : conditions, call.Aborted);
        }
        else if (conditions.IfMatch.Length > 0)
        {
            throw S3Errors.NoSuchKey();
        }

        call.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Everything that lies in one collection goes in one change.</summary>
    public async Task ManyAsync(S3Call call)
    {
        var request = await XmlRequest.ReadAsync(call.Http.Request, call.Identity, "Delete", hasChecksums: true, call.Aborted);
        var isQuiet = request.Text("Quiet") is { } quiet && quiet.Trim().Equals("true", StringComparison.OrdinalIgnoreCase);
        var objects = request.All("Object").ToList();
        if (objects.Count is 0 or > MaxKeys || objects.Any(o => o.Text("Key") is null or ""))
        {
            throw S3Errors.MalformedXml();
        }

        await buckets.OpenAsync(call.Session, call.Target.Bucket, call.Aborted);
        var results = new List<(string Key, S3Exception? Error)>();
        var byCollection = new Dictionary<string, List<(string Key, CollectionPlace Place, bool IsFolder)>>(StringComparer.Ordinal);
        foreach (var entry in objects)
        {
            var key = entry.Text("Key")!;
            try
            {
                RequirePlain(entry);
                if (await TargetAsync(call, key) is not { } target)
                {
                    results.Add((key, null));
                    continue;
                }

                if (!byCollection.TryGetValue(target.Place.Collection.Id, out var list))
                {
                    byCollection.Add(target.Place.Collection.Id, list = []);
                }

                list.Add((key, target.Place, target.IsFolder));
            }
            catch (Exception e) when (S3FailureMap.Of(e) is { Status: < 500 } refused)
            {
                results.Add((key, refused));
            }
        }

        foreach (var (uuid, entries) in byCollection)
        {
            var error = await RemoveAsync(call, uuid, entries);
            results.AddRange(entries.Select(entry => (entry.Key, error)));
        }

        await S3Xml.SendAsync(call.Http, S3Xml.Document("DeleteResult", xml =>
        {
            foreach (var (key, error) in results)
            {
                if (error is null && isQuiet)
                {
                    continue;
                }

                xml.WriteStartElement(error is null ? "Deleted" : "Error", S3Xml.Namespace);
                xml.Text("Key", key);
                if (error is not null)
                {
                    xml.Text("Code", error.Code);
                    xml.Text("Message", error.Message);
                }

                xml.WriteEndElement();
            }
        }));
    }

    private async Task<S3Exception?> RemoveAsync(S3Call call, string uuid, List<(string Key, CollectionPlace Place, bool IsFolder)> entries)
    {
        try
        {
            await writes.RemoveAsync(
                call.Session, uuid, [.. entries.Where(entry => !entry.IsFolder).Select(entry => entry.Place.Path)],
                [.. entries.Where(entry => entry.IsFolder).Select(entry => entry.Place.Path)], null, call.Aborted);
            return null;
        }
        catch (Exception e) when (S3FailureMap.Of(e) is { } refused)
        {
            return refused;
        }
    }

    private static void RequirePlain(XElement entry)
    {
        if (entry.Text("VersionId") is not (null or "" or "null"))
        {
            throw new S3Exception(404, "NoSuchVersion", "Objects have no versions here.");
        }

        if (entry.Text("ETag") is not null || entry.Text("LastModifiedTime") is not null || entry.Text("Size") is not null)
        {
            throw S3Errors.NotImplemented("Conditions on the keys of DeleteObjects");
        }
    }

    /// <summary>The file or directory to remove; null when nothing has exactly this key.</summary>
    private async Task<(CollectionPlace Place, bool IsFolder)?> TargetAsync(S3Call call, string text)
    {
        var key = ObjectKey.Parse(text);
        var place = await buckets.FindAsync(call.Session, call.Target.Bucket, key.IsClean ? key.Names : [], call.Aborted);
        if (place is CollectionPlace { Collection.IsReadOnly: true })
        {
            throw S3Errors.MethodNotAllowed("This bucket is a fixed version of a collection and cannot be changed.");
        }

        return !key.IsClean ? null : place switch
        {
            CollectionPlace { IsRoot: false, File: not null } file when !key.IsFolder => (file, false),
            CollectionPlace { IsRoot: false, IsDirectory: true } directory when key.IsFolder => (directory, true),
            CollectionPlace { IsRoot: true } or ProjectPlace when key.IsFolder => throw S3Errors.InvalidArgument("Collections and projects are not removed as objects."),
            _ => null,
        };
    }
}
