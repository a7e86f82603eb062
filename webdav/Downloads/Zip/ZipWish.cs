using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace KeepFs.WebDav.Downloads.Zip;

/// <summary>What a request for an archive asks for (keep-web.md 5): in the query, a form, or a JSON body.</summary>
/// <param name="Files">Files and directories; empty = everything.</param>
/// <param name="WithMetadata">Starts with collection.json.</param>
/// <param name="FileName">Of the archive, or "".</param>
internal sealed record ZipWish(IReadOnlyList<string> Files, bool WithMetadata, string FileName)
{
    public const string MediaType = "application/zip";

    /// <summary>Names of files only; more of them than this are asked for as directories.</summary>
    private const int MaxBodyBytes = 4 << 20;

    /// <summary>The request asks for an archive.</summary>
    public static bool IsAsked(HttpRequest request, bool isAttachment) =>
        (MediaTypeHeaderValue.TryParse(request.Headers.Accept.ToString(), out var accept) && accept.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase))
        || (isAttachment && request.Query["accept"] == MediaType);

    /// <exception cref="WebException">400, 413: the body cannot be used.</exception>
    public static async Task<ZipWish> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var (files, metadata, name) = (Texts(request.Query["files"]), IsTrue(request.Query["include_collection_metadata"]), request.Query["download_filename"].ToString());
        if (!HttpMethods.IsPost(request.Method))
        {
            return new ZipWish(files, metadata, name);
        }

        if (request.ContentLength > MaxBodyBytes)
        {
            throw new WebException(StatusCodes.Status413PayloadTooLarge, "The list of files is too long; ask for directories.");
        }

        if (request.HasFormContentType)
        {
            var form = await RequestForm.ReadAsync(request, cancellationToken);
            return new ZipWish([.. files, .. Texts(form["files"])], metadata || IsTrue(form["include_collection_metadata"]), name.Length > 0 ? name : form["download_filename"].ToString());
        }

        return request.HasJsonContentType() ? await FromJsonAsync(request, new ZipWish(files, metadata, name), cancellationToken) : new ZipWish(files, metadata, name);
    }

    private static async Task<ZipWish> FromJsonAsync(HttpRequest request, ZipWish query, CancellationToken cancellationToken)
    {
        try
        {
            var bytes = await RequestForm.ReadBytesAsync(request, MaxBodyBytes, cancellationToken);
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            return new ZipWish(
                [.. query.Files, .. root.TryGetProperty("files", out var files) ? files.EnumerateArray().Select(file => file.GetString() ?? "") : []],
                query.WithMetadata || (root.TryGetProperty("include_collection_metadata", out var metadata) && metadata.ValueKind == JsonValueKind.True),
                query.FileName.Length == 0 && root.TryGetProperty("download_filename", out var name) ? name.GetString() ?? "" : query.FileName);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The body is not the JSON that was expected: {\"files\":[...]}.");
        }
    }

    private static string[] Texts(IEnumerable<string?> values) => [.. values.Select(value => value ?? "")];

    private static bool IsTrue(Microsoft.Extensions.Primitives.StringValues value) => value.ToString() is "true" or "1";
}
