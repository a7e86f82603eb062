using System.Globalization;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.S3.Bodies;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Writing;

namespace KeepFs.WebDav.S3.Multipart;

/// <summary>UploadPart, UploadPartCopy and ListParts. A part's blocks are stored once, when it comes; completing only lists them.</summary>
internal sealed class UploadParts(BucketTable buckets, UploadTable multipart, Uploads uploads, Placements placements)
{
    private const int MaxParts = 1000;

    /// <summary>A piece of a range that the reader takes at once.</summary>
    private const int SliceBytes = 1 << 30;

    public async Task PutAsync(S3Call call)
    {
        var number = PartNumber(call);
        var upload = await multipart.FindOpenAsync(call);
        await using var body = RequestBody.Of(call.Http.Request, call.Identity);
        var part = new ManifestFile(await uploads.StoreAloneAsync(body, body.LengthBytes, call.Session, upload.WriteOptions, call.Aborted));
        await SaveAsync(call, upload, number, part);
        call.Http.Response.Headers.ETag = ObjectTag.Of(part);
        foreach (var (name, value) in body.Verified)
        {
            call.Http.Response.Headers[name] = value;
        }
    }

    public async Task CopyAsync(S3Call call)
    {
        var number = PartNumber(call);
        var upload = await multipart.FindOpenAsync(call);
        if ((await CopySource.FindAsync(call, buckets)).File is not { } source)
        {
            throw S3Errors.InvalidArgument("A folder cannot be a part.");
        }

        var part = call.Header("x-amz-copy-source-range") is { Length: > 0 } range ? Slice(source, range) : source;
        await SaveAsync(call, upload, number, part);
        await S3Xml.SendAsync(call.Http, S3Xml.Document("CopyPartResult", xml =>
        {
            xml.Text("LastModified", S3Xml.Time(upload.Record.ModifiedAt ?? DateTimeOffset.UnixEpoch));
            xml.Text("ETag", ObjectTag.Of(part));
        }));
    }

    public async Task ListAsync(S3Call call)
    {
        var limit = int.TryParse(call.Query["max-parts"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given is > 0 and < MaxParts ? given : MaxParts;
        var after = int.TryParse(call.Query["part-number-marker"], NumberStyles.None, CultureInfo.InvariantCulture, out var marker) ? marker : 0;
        var upload = await multipart.FindAsync(call, withManifest: true) is { CompletedTag: null } open ? open : throw S3Errors.NoSuchUpload();
        var user = await call.Session.GetUserAsync(call.Aborted);
        var found = ManifestTree.Load(upload.Record.ManifestText ?? default).Root.Entries
            .Where(entry => entry.Value is ManifestFile).Select(entry => (Number: int.Parse(entry.Key, CultureInfo.InvariantCulture), File: (ManifestFile)entry.Value))
            .Where(part => part.Number > after).Take(limit + 1).ToList();
        var page = found.Take(limit).ToList();
        await S3Xml.SendAsync(call.Http, S3Xml.Document("ListPartsResult", xml =>
        {
            xml.Text("Bucket", call.Target.Bucket);
            xml.Text("Key", call.Target.Key);
            xml.Text("UploadId", upload.Id);
            foreach (var role in (string[])["Initiator", "Owner"])
            {
                xml.WriteStartElement(role, S3Xml.Namespace);
                xml.Text("ID", user.Uuid);
                xml.Text("DisplayName", user.Username ?? user.Uuid);
                xml.WriteEndElement();
            }

            xml.Text("StorageClass", "STANDARD");
            xml.Number("PartNumberMarker", after);
            xml.Number("NextPartNumberMarker", page.Count > 0 ? page[^1].Number : after);
            xml.Number("MaxParts", limit);
            xml.Text("IsTruncated", found.Count > limit ? "true" : "false");
            foreach (var (number, file) in page)
            {
                xml.WriteStartElement("Part", S3Xml.Namespace);
                xml.Number("PartNumber", number);
                xml.Text("LastModified", S3Xml.Time(upload.Record.ModifiedAt ?? DateTimeOffset.UnixEpoch));
                xml.Text("ETag", ObjectTag.Of(file));
                xml.Number("Size", file.SizeBytes);
                xml.WriteEndElement();
            }
        }));
    }

    private async Task SaveAsync(S3Call call, Upload upload, int number, ManifestFile part)
    {
        try
        {
            await placements.SaveAsync(call.Session, upload.Id, Upload.FileOf(number), part, null, call.Aborted);
        }
        catch (CatalogException e) when (e.Kind == CatalogErrorKind.NotFound)
        {
            // Aborted while the part came.
            throw S3Errors.NoSuchUpload();
        }
    }

    private static int PartNumber(S3Call call) =>
        int.TryParse(call.Query["partNumber"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= Upload.MaxPartNumber
            ? number : throw S3Errors.InvalidArgument("partNumber must be between 1 and 10000.");

    /// <summary>The blocks of a range: <c>bytes=FIRST-LAST</c>, both given and inside.</summary>
    private static ManifestFile Slice(ManifestFile source, string range)
    {
        const string unit = "bytes=";
        if (!range.StartsWith(unit, StringComparison.Ordinal) || range[unit.Length..].Split('-') is not [var first, var last]
            || !long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var start) || !long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            || end < start)
        {
            throw S3Errors.InvalidArgument("x-amz-copy-source-range must be bytes=FIRST-LAST.");
        }

        if (end >= source.SizeBytes)
        {
            throw S3Errors.InvalidArgument("The range goes beyond the end of the source.");
        }

        var reader = new SegmentReader(source.Segments);
        var segments = new List<ManifestSegment>();
        for (var at = start; at <= end; at += SliceBytes)
        {
            segments.AddRange(reader.SegmentsWithin(at, (int)Math.Min(SliceBytes, end + 1 - at)));
        }

        return new ManifestFile([.. segments]);
    }
}
