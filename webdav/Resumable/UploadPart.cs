using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Resumable;

/// <summary>What a PUT says that is a part of an upload (docs/decisions/0034).</summary>
/// <param name="Id">The client's name for this upload of this file.</param>
/// <param name="First">Where the part begins; -1: it only asks.</param>
/// <param name="Length">Bytes in it.</param>
/// <param name="Total">Bytes in the file.</param>
internal sealed record UploadPart(string Id, long First, long Length, long Total)
{
    public const string IdHeader = "X-KeepFs-Upload", OffsetHeader = "Upload-Offset";

    private const int MaxIdLength = 100;

    public bool IsQuestion => First < 0;

    /// <summary>Null for an ordinary PUT.</summary>
    /// <exception cref="WebException">400: a range without an upload, or one that cannot be.</exception>
    public static UploadPart? Of(HttpRequest http)
    {
        if (http.Headers.ContentRange.Count == 0)
        {
            return http.Headers[IdHeader].Count == 0 ? null : throw Bad($"{IdHeader} needs a Content-Range.");
        }

        var id = http.Headers[IdHeader].ToString();
        if (id.Length == 0)
        {
            throw Bad($"A part of a file cannot be replaced. Parts of an upload carry {IdHeader} (docs/decisions/0034).");
        }

        if (id.Length > MaxIdLength || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw Bad($"{IdHeader} must be up to {MaxIdLength} letters, digits, '-', '_' or '.'.");
        }

        const string unit = "bytes ";
        var range = http.Headers.ContentRange.ToString();
        if (!range.StartsWith(unit, StringComparison.OrdinalIgnoreCase) || range[unit.Length..].Split('/') is not [var span, var size] || !TryNumber(size, out var total))
        {
            throw Bad("Content-Range must be bytes FIRST-LAST/TOTAL, or bytes */TOTAL to ask how much has arrived.");
        }

        if (span == "*")
        {
            return http.ContentLength is null or 0 ? new UploadPart(id, -1, 0, total) : throw Bad("A question has no body.");
        }

        if (span.Split('-') is not [var from, var to] || !TryNumber(from, out var first) || !TryNumber(to, out var last) || last < first || last >= total)
        {
            throw Bad("Content-Range must be bytes FIRST-LAST/TOTAL with FIRST <= LAST < TOTAL.");
        }

        var length = last - first + 1;
        return http.ContentLength is null || http.ContentLength == length ? new UploadPart(id, first, length, total) : throw Bad("Content-Range and Content-Length do not agree.");
    }

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static WebException Bad(string message) => new(StatusCodes.Status400BadRequest, message);
}
