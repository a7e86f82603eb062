using System.Globalization;
using System.Xml.Linq;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.S3.Bodies;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Transfers;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav.S3.Multipart;

/// <summary>CompleteMultipartUpload: the object becomes the parts' blocks in one change of its collection; no data is moved.</summary>
internal sealed partial class CompleteUpload(BucketTable buckets, UploadTable uploads, ObjectWrites writes, TransferLog transfers, ILogger logger)
{
    private const long MinPartBytes = 5L << 20;

    private const int ReadBytes = 8 << 20;

    private readonly ILogger _logger = logger;

    public async Task HandleAsync(S3Call call)
    {
        var request = await XmlRequest.ReadAsync(call.Http.Request, call.Identity, "CompleteMultipartUpload", hasChecksums: false, call.Aborted);
        var upload = await uploads.FindAsync(call, withManifest: true);
        if (upload.CompletedTag is { } done)
        {
            // The client did not get the answer, and asks again.
            await AnswerAsync(call, done);
            return;
        }

        var file = Assemble(request, ManifestTree.Load(upload.Record.ManifestText ?? default));
        await VerifyAsync(call, file);
        var key = ObjectKey.Parse(call.Target.Key).RequireWritable();
        var target = ObjectWrites.Target(await buckets.FindAsync(call.Session, call.Target.Bucket, key.Names, call.Aborted), isFolder: false);
        await writes.PutAsync(call.Session, target, file, ObjectConditions.ForWriting(call.Http.Request.Headers), call.Aborted);
        transfers.Uploaded(call.Http, call.Session, target.Collection.Id, target.Path);
        var tag = ObjectTag.Of(file);
        try
        {
            await uploads.CloseAsync(call, upload, tag);
        }
        catch (Exception e) when (!call.Aborted.IsCancellationRequested && S3FailureMap.Of(e) is not null)
        {
            // The object is saved, which is what the answer says; the parts go when the upload's time is over.
            LogNotClosed(upload.Id, e.Message);
        }

        await AnswerAsync(call, tag);
    }

    /// <summary>The parts that the request names, in its order.</summary>
    /// <exception cref="S3Exception">400: it is not what this operation takes, or does not fit the parts.</exception>
    internal static ManifestFile Assemble(XElement request, ManifestTree stored)
    {
        var segments = new List<ManifestSegment>();
        var (previous, previousBytes) = (0, 0L);
        foreach (var entry in request.All("Part"))
        {
            if (!int.TryParse(entry.Text("PartNumber")?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || entry.Text("ETag") is not { } tag)
            {
                throw S3Errors.MalformedXml();
            }

            if (number <= previous)
            {
                throw S3Errors.InvalidPartOrder();
            }

            if (previous > 0 && previousBytes < MinPartBytes)
            {
                throw S3Errors.EntityTooSmall(previous);
            }

            if (stored.Find(Upload.FileOf(number)) is not ManifestFile part || ObjectTag.Of(part).Trim('"') != tag.Trim().Trim('"'))
            {
                throw S3Errors.InvalidPart(number);
            }

            segments.AddRange(part.Segments);
            (previous, previousBytes) = (number, part.SizeBytes);
        }

        return previous > 0 ? new ManifestFile([.. segments]) : throw S3Errors.MalformedXml();
    }

    /// <summary>What the client says of the whole object; a checksum is made from the stored data.</summary>
    private static async Task VerifyAsync(S3Call call, ManifestFile file)
    {
        if (call.Header("x-amz-mp-object-size") is { Length: > 0 } size && size != file.SizeBytes.ToString(CultureInfo.InvariantCulture))
        {
            throw S3Errors.InvalidRequest("The object does not have the size that x-amz-mp-object-size says.");
        }

        foreach (var algorithm in Checksum.Algorithms)
        {
            // With a dash it is made of the parts' checksums, each of which was verified when the part came.
            if (call.Header(Checksum.HeaderPrefix + algorithm) is { Length: > 0 } expected && !expected.Contains('-', StringComparison.Ordinal))
            {
                using var sum = Checksum.Of(algorithm);
                var reader = new SegmentReader(file.Segments);
                for (long at = 0; at < file.SizeBytes;)
                {
                    using var run = await reader.ReadRunAsync(call.Session.Blocks, at, ReadBytes, call.Aborted);
                    sum.Append(run.Memory.Span);
                    at += run.Memory.Length;
                }

                if (!sum.Is(expected))
                {
                    throw S3Errors.BadDigest(Checksum.HeaderPrefix + algorithm);
                }
            }
        }
    }

    private static Task AnswerAsync(S3Call call, string tag) => S3Xml.SendAsync(call.Http, S3Xml.Document("CompleteMultipartUploadResult", xml =>
    {
        xml.Text("Location", $"{call.Http.Request.Scheme}://{call.Http.Request.Host}{PercentCode.Encode(call.Target.DecodedPath, keepSlash: true)}");
        xml.Text("Bucket", call.Target.Bucket);
        xml.Text("Key", call.Target.Key);
        xml.Text("ETag", tag);
    }));

    [LoggerMessage(312, LogLevel.Warning, "The parts of the completed upload {Upload} are kept until its time is over: {Reason}")]
    private partial void LogNotClosed(string upload, string reason);
}
