using System.Globalization;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace KeepFs.WebDav.Downloads;

/// <summary>Conditional requests in the order of RFC 9110 13.2.2.</summary>
internal static class Preconditions
{
    /// <summary>The request depends on the state of its target.</summary>
    public static bool Any(HttpRequest request) => request.Headers.IfMatch.Count > 0 || request.Headers.IfNoneMatch.Count > 0
        || request.Headers.IfUnmodifiedSince.Count > 0;

    /// <summary>200 to go on, 304 or 412.</summary>
    /// <param name="request">The request.</param>
    /// <param name="target">What it is about.</param>
    /// <param name="sent">Tag of the representation that would be sent, when that is not the file as it is.</param>
    public static int Evaluate(HttpRequest request, Place target, string? sent = null)
    {
        var tag = target is CollectionPlace { File: { } file } ? EntityTag.Of(file) : null;
        var headers = request.Headers;
        if (headers.IfMatch.Count > 0)
        {
            // A client that got the file encoded means the file.
            if (!target.Exists || !(EntityTag.ListMatches(headers.IfMatch.ToString(), tag, weak: false)
                || (tag is not null && EntityTag.ListMatches(headers.IfMatch.ToString(), GzipEncoding.TagOf(tag), weak: false))))
            {
                return StatusCodes.Status412PreconditionFailed;
            }
        }
        else if (Date(headers.IfUnmodifiedSince.ToString()) is { } unmodified && target.Exists && Seconds(target.ModifiedAt) > unmodified)
        {
            return StatusCodes.Status412PreconditionFailed;
        }

        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        if (headers.IfNoneMatch.Count > 0)
        {
            return !target.Exists || !EntityTag.ListMatches(headers.IfNoneMatch.ToString(), sent ?? tag, weak: true) ? StatusCodes.Status200OK
                : isRead ? StatusCodes.Status304NotModified : StatusCodes.Status412PreconditionFailed;
        }

        return isRead && Date(headers.IfModifiedSince.ToString()) is { } modified && Seconds(target.ModifiedAt) <= modified
            ? StatusCodes.Status304NotModified : StatusCodes.Status200OK;
    }

    /// <summary>Throws 412 when a write must not go on.</summary>
    public static void Require(HttpRequest request, Place target)
    {
        if (Evaluate(request, target) != StatusCodes.Status200OK)
        {
            throw new WebException(StatusCodes.Status412PreconditionFailed, "The resource is not in the state that the request asks for.");
        }
    }

    /// <summary>The Range header counts: there is no If-Range, or it names what we have.</summary>
    public static bool RangeApplies(HttpRequest request, string tag, DateTimeOffset modifiedAt)
    {
        var ifRange = request.Headers.IfRange.ToString();
        return ifRange.Length == 0 || (ifRange.Contains('"', StringComparison.Ordinal) ? ifRange == tag : Date(ifRange) == Seconds(modifiedAt));
    }

    /// <summary>As in an HTTP date, which has no fractions.</summary>
    public static DateTimeOffset Seconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());

    public static string HttpDate(DateTimeOffset time) => time.UtcDateTime.ToString("r", CultureInfo.InvariantCulture);

    private static DateTimeOffset? Date(string text) => HeaderUtilities.TryParseDate(text, out var date) ? date : null;
}
