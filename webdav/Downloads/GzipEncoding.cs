using System.Globalization;
using System.IO.Compression;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Downloads;

/// <summary>
/// Text for clients that take gzip (RFC 9110 8.4 and 12.5.3): pages, and files whose types promise that it is worth it. An encoded file is another
/// representation, with a tag of its own; ranges are of the file as it is.
/// </summary>
internal static class GzipEncoding
{
    /// <summary>Smaller ones fit into one packet anyway.</summary>
    private const long MinBytes = 1 << 10;

    /// <summary>Larger ones are downloads, whose length and progress clients want to know, and which would cost much of a processor.</summary>
    private const long MaxBytes = 8 << 20;

    private const string Suffix = "-gzip\"";

    /// <summary>A file that is encoded when the client likes that.</summary>
    /// <param name="type">Its media type.</param>
    /// <param name="bytes">Its length.</param>
    public static bool Suits(string type, long bytes) => bytes is >= MinBytes and <= MaxBytes
        && (type.StartsWith("text/", StringComparison.Ordinal) || type is "application/json" or "application/xml" or "application/javascript" or "image/svg+xml"
            or "application/xhtml+xml" or "application/manifest+json" or "application/x-sh" or "application/x-tex" or "application/x-latex");

    /// <summary>The client takes gzip, and not less gladly than the plain text.</summary>
    public static bool IsWanted(HttpRequest request)
    {
        double? gzip = null, any = null, identity = null;
        foreach (var part in request.Headers.AcceptEncoding.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = part.Split(';', StringSplitOptions.TrimEntries);
            var weight = Weight(fields.AsSpan(1));
            switch (fields[0].ToLowerInvariant())
            {
                case "gzip" or "x-gzip":
                    gzip = weight;
                    break;
                case "*":
                    any = weight;
                    break;
                case "identity":
                    identity = weight;
                    break;
            }
        }

        return (gzip ?? any ?? 0) is > 0 and var wish && wish >= (identity ?? 0);
    }

    /// <summary>The tag of the encoded representation of a file.</summary>
    public static string TagOf(string tag) => tag[..^1] + Suffix;

    /// <summary>Caches must not give one client what another one asked for.</summary>
    public static void AddVary(HttpResponse response)
    {
        var vary = response.Headers.Vary.ToString();
        response.Headers.Vary = vary.Length == 0 ? "Accept-Encoding" : vary + ", Accept-Encoding";
    }

    /// <summary>Writes a body, encoded or as it is. When writing fails the connection breaks off: the end of the encoding would make a part look whole.</summary>
    /// <param name="http">The request; its status and other headers are set.</param>
    /// <param name="isEncoded">Encode it.</param>
    /// <param name="write">Writes the plain bytes.</param>
    public static async Task WriteAsync(HttpContext http, bool isEncoded, Func<Stream, Task> write)
    {
        var response = http.Response;
        if (!isEncoded)
        {
            await write(response.Body);
            return;
        }

        response.Headers.ContentEncoding = "gzip";
        response.ContentLength = null;
        await using var gzip = new GZipStream(response.Body, CompressionLevel.Fastest, leaveOpen: true);
        try
        {
            await write(gzip);
        }
        catch
        {
            http.Abort();
            throw;
        }
    }

    private static double Weight(ReadOnlySpan<string> parameters)
    {
        foreach (var parameter in parameters)
        {
            if (parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase))
            {
                return double.TryParse(parameter.AsSpan(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight) ? weight : 0;
            }
        }

        return 1;
    }
}
