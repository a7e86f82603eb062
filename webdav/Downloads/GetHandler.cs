using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Page;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Downloads;

/// <summary>GET and HEAD: files with ranges and conditions, directories as a page (keep-web.md 2.8).</summary>
internal sealed class GetHandler(DirectoryPage index, TransferPolicy policy, TransferLog transfers, TimeProvider time)
{
    public Task HandleAsync(WebRequest request) => request.Place switch
    {
        CollectionPlace { File: { } file } place => FileAsync(request, place, file),
        { IsDirectory: true } when !request.Path.HasTrailingSlash => RedirectAsync(request),
        { IsDirectory: true } => index.SendAsync(request),
        _ => throw new WebException(StatusCodes.Status404NotFound, "There is no such file."),
    };

    private static Task RedirectAsync(WebRequest request)
    {
        request.Http.Response.StatusCode = StatusCodes.Status303SeeOther;
        request.Http.Response.Headers.Location = Href.Of(request.Path.Names, isDirectory: true) + request.Http.Request.QueryString;
        return Task.CompletedTask;
    }

    private async Task FileAsync(WebRequest request, CollectionPlace place, ManifestFile file)
    {
        var (http, response) = (request.Http.Request, request.Http.Response);
        if (!HttpMethods.IsHead(http.Method))
        {
            await policy.RequireDownloadAsync(request.Session, request.Aborted);
        }

        // By the table of keep-web.md 2.9; what it gets all the same is a download.
        if (HttpMethods.IsPost(http.Method))
        {
            await policy.RequireUploadAsync(request.Session, request.Aborted);
        }

        var type = ContentTypes.Of(place.Name);
        var isText = GzipEncoding.Suits(type, file.SizeBytes);
        var isEncoded = isText && !HttpMethods.IsHead(http.Method) && http.Headers.Range.Count == 0 && GzipEncoding.IsWanted(http);
        var tag = isEncoded ? GzipEncoding.TagOf(EntityTag.Of(file)) : EntityTag.Of(file);
        response.Headers.ETag = tag;
        if (isText)
        {
            GzipEncoding.AddVary(response);
        }

        response.Headers.LastModified = Preconditions.HttpDate(place.ModifiedAt);
        response.Headers.AcceptRanges = "bytes";
        response.StatusCode = Preconditions.Evaluate(http, place, tag);
        if (response.StatusCode != StatusCodes.Status200OK)
        {
            return;
        }

        response.ContentType = type;
        PageSafety.AddContentHeaders(response, type, hasOwnHost: request.HostId is { } id && SitePath.IsCollectionId(id));
        AddDisposition(request, place.Name);
        var header = http.Headers.Range.ToString();
        var ranges = header.Length > 0 && HttpMethods.IsGet(http.Method) && Preconditions.RangeApplies(http, tag, place.ModifiedAt)
            ? ByteRanges.Parse(header, file.SizeBytes) : null;
        if (ranges is { Count: 0 })
        {
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{file.SizeBytes}");
            throw new WebException(StatusCodes.Status416RangeNotSatisfiable, "The file has no such range.");
        }

        var parts = Parts(ranges ?? [new ByteRange(0, file.SizeBytes)], isPartial: ranges is not null, type, file.SizeBytes, response);
        if (HttpMethods.IsHead(http.Method))
        {
            return;
        }

        var first = parts[0].Range.Offset;
        var body = file.SizeBytes == 0 ? null : await FileBody.OpenAsync(request.Session, place, file, first, time, request.Aborted);
        transfers.Downloaded(request.Http, request.Session, place.Collection, place.Path, first);
        if (body is null)
        {
            return;
        }

        if (isEncoded)
        {
            await GzipEncoding.WriteAsync(request.Http, isEncoded: true, async stream =>
            {
                var output = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
                await body.SendAsync(output, parts[0].Range, request.Aborted);
                await output.CompleteAsync();
            });
            return;
        }

        await response.StartAsync(request.Aborted);
        foreach (var (head, range) in parts)
        {
            await response.BodyWriter.WriteAsync(head, request.Aborted);
            await body.SendAsync(response.BodyWriter, range, request.Aborted);
        }
    }

    /// <summary>Sets status and lengths; returns what is sent: text before each part, and the part. The last may be text only.</summary>
    private static List<(byte[] Head, ByteRange Range)> Parts(IReadOnlyList<ByteRange> ranges, bool isPartial, string type, long size, HttpResponse response)
    {
        response.StatusCode = isPartial ? StatusCodes.Status206PartialContent : StatusCodes.Status200OK;
        if (ranges.Count == 1)
        {
            if (isPartial)
            {
                response.Headers.ContentRange = ContentRange(ranges[0], size);
            }

            response.ContentLength = ranges[0].Length;
            return [([], ranges[0])];
        }

        var boundary = RandomNumberGenerator.GetHexString(32, lowercase: true);
        response.ContentType = "multipart/byteranges; boundary=" + boundary;
        var parts = ranges.Select((range, i) => (
            Encoding.ASCII.GetBytes($"{(i == 0 ? "" : "\r\n")}--{boundary}\r\nContent-Type: {type}\r\nContent-Range: {ContentRange(range, size)}\r\n\r\n"), range)).ToList();
        parts.Add((Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"), default));
        response.ContentLength = parts.Sum(part => part.Item1.Length + part.range.Length);
        return parts;
    }

    private static string ContentRange(ByteRange range, long size) =>
        string.Create(CultureInfo.InvariantCulture, $"bytes {range.Offset}-{range.Offset + range.Length - 1}/{size}");

    /// <summary>keep-web.md 2.6: a file name only for URLs with a query, where the browser would not find it.</summary>
    private static void AddDisposition(WebRequest request, string name)
    {
        var hasQuery = request.Http.Request.QueryString.HasValue;
        if (!request.IsAttachment && !hasQuery)
        {
            return;
        }

        var header = new Microsoft.Net.Http.Headers.ContentDispositionHeaderValue(request.IsAttachment ? "attachment" : "inline");
        if (hasQuery)
        {
            header.SetHttpFileName(name);
        }

        request.Http.Response.Headers.ContentDisposition = header.ToString();
    }
}
