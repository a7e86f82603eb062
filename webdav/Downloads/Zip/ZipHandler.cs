using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Bodies;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Transfers;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Downloads.Zip;

/// <summary>A collection, or some of it, as a zip archive (keep-web.md 5): made while it is sent, with its length said before.</summary>
/// <param name="downloadUrl">For the comment: where the collection can be had.</param>
/// <param name="policy">Who may download.</param>
/// <param name="transfers">Notes it.</param>
/// <param name="time">For slow clients.</param>
internal sealed class ZipHandler(string downloadUrl, TransferPolicy policy, TransferLog transfers, TimeProvider time)
{
    private const int MaxEntriesInMemory = 5_000_000;

    public async Task HandleAsync(WebRequest request)
    {
        var (http, response) = (request.Http.Request, request.Http.Response);
        if (request.Place is not CollectionPlace { IsRoot: true } place)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "Only a collection can be downloaded as a zip archive; parts of it are named with files=.");
        }

        await policy.RequireDownloadAsync(request.Session, request.Aborted);
        var wish = await ZipWish.ReadAsync(http, request.Aborted);
        var collection = place.Collection;
        var entries = ZipContents.Select(collection.Tree, wish.Files);
        if (entries.Count > MaxEntriesInMemory)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "These are too many files for one archive; ask for directories.");
        }

        // Before the first byte: a failure must still be able to become a status.
        if (!HttpMethods.IsHead(http.Method) && entries.Find(entry => entry.SizeBytes > 0) is { } first)
        {
            (collection, entries) = await CheckAsync(request, collection, entries, first.File!, wish);
        }

        var files = entries.Count;
        if (wish.WithMetadata)
        {
            entries.Insert(0, new ZipEntry("collection.json"u8.ToArray(), null, await ZipMetadata.OfAsync(request.Session, collection, request.Aborted)));
        }

        var format = new ZipFormat(collection.ModifiedAt);
        var comment = Encoding.UTF8.GetBytes($"Downloaded from {downloadUrl}/by_id/{collection.Id}/");
        response.ContentType = ZipWish.MediaType;
        response.ContentLength = format.LengthOf(entries, comment);
        var disposition = new Microsoft.Net.Http.Headers.ContentDispositionHeaderValue("attachment");
        disposition.SetHttpFileName(NameOf(collection, wish));
        response.Headers.ContentDisposition = disposition.ToString();
        if (!HttpMethods.IsHead(http.Method))
        {
            transfers.Downloaded(request.Http, request.Session, collection, files == 1 ? Encoding.UTF8.GetString(entries[^1].Name) : "", offset: 0, files);
            await response.StartAsync(request.Aborted);
            await SendAsync(response.BodyWriter, entries, format, comment, request.Session.Blocks, request.Aborted);
        }
    }

    private async Task SendAsync(PipeWriter output, List<ZipEntry> entries, ZipFormat format, byte[] comment, IBlockStore blocks, CancellationToken cancellationToken)
    {
        var sums = new (uint Crc, long Offset)[entries.Count];
        long offset = 0;
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            var local = format.Local(entry);
            await output.WriteAsync(local, cancellationToken);
            var crc = Crc.Crc32();
            if (entry.File is { SizeBytes: > 0 } file)
            {
                await new FileBody(new SegmentReader(file.Segments), blocks, time).SendAsync(output, new ByteRange(0, file.SizeBytes), cancellationToken, crc);
            }
            else if (entry.Data.Length > 0)
            {
                crc.Append(entry.Data);
                await output.WriteAsync(entry.Data, cancellationToken);
            }

            sums[i] = (BinaryPrimitives.ReadUInt32BigEndian(crc.Result()), offset);
            var descriptor = ZipFormat.Descriptor(entry, sums[i].Crc);
            await output.WriteAsync(descriptor, cancellationToken);
            offset += local.Length + entry.SizeBytes + descriptor.Length;
        }

        long length = 0;
        for (var i = 0; i < entries.Count; i++)
        {
            var record = format.Directory(entries[i], sums[i].Crc, sums[i].Offset);
            await output.WriteAsync(record, cancellationToken);
            length += record.Length;
        }

        await output.WriteAsync(ZipFormat.End(entries.Count, offset, length, comment), cancellationToken);
    }

    /// <summary>Reads the first block; when its signature is refused, once more with fresh ones.</summary>
    private async Task<(OpenCollection, List<ZipEntry>)> CheckAsync(WebRequest request, OpenCollection collection, List<ZipEntry> entries, ManifestFile first, ZipWish wish)
    {
        try
        {
            await new FileBody(new SegmentReader(first.Segments), request.Session.Blocks, time).CheckAsync(0, request.Aborted);
            return (collection, entries);
        }
        catch (KeepException e) when (e.Kind == KeepErrorKind.PermissionDenied)
        {
            var again = await request.Session.ReopenAsync(collection.Id, request.Aborted);
            if (again is null || again.Record.PortableDataHash != collection.Record.PortableDataHash)
            {
                throw;
            }

            var fresh = ZipContents.Select(again.Tree, wish.Files);
            await new FileBody(new SegmentReader(fresh.Find(entry => entry.SizeBytes > 0)!.File!.Segments), request.Session.Blocks, time).CheckAsync(0, request.Aborted);
            return (again, fresh);
        }
    }

    private static string NameOf(OpenCollection collection, ZipWish wish)
    {
        if (wish.FileName.Length > 0)
        {
            return wish.FileName.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) ? wish.FileName : wish.FileName + ".zip";
        }

        var name = collection.Record.Name is { Length: > 0 } given ? given : collection.Record.PortableDataHash;
        var paths = wish.Files.Select(path => path.Trim('/')).Distinct().ToList();
        return paths.Count == 0 || paths.Contains("") ? name + ".zip"
            : paths.Count == 1 ? $"{name} - {paths[0][(paths[0].LastIndexOf('/') + 1)..]}.zip"
            : string.Create(CultureInfo.InvariantCulture, $"{name} - {paths.Count} files.zip");
    }
}
