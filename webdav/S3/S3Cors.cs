using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3;

/// <summary>
/// What lets pages of other origins use presigned URLs. Nothing here acts with a cookie, so everybody may ask: the signature in the request is all the
/// right there is.
/// </summary>
internal static class S3Cors
{
    private const string Methods = "GET, HEAD, PUT, POST, DELETE";

    /// <summary>Adds the headers of an answer; answers a preflight, true when that is all.</summary>
    public static bool Handle(HttpContext http)
    {
        AddTo(http);
        if (!HttpMethods.IsOptions(http.Request.Method))
        {
            return false;
        }

        var headers = http.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = Methods;
        headers.AccessControlMaxAge = "86400";
        if (http.Request.Headers.AccessControlRequestHeaders.ToString() is { Length: > 0 } names && names.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ',' or ' '))
        {
            headers.AccessControlAllowHeaders = names;
        }

        http.Response.ContentLength = 0;
        return true;
    }

    public static void AddTo(HttpContext http)
    {
        if (http.Request.Headers.Origin.Count > 0)
        {
            http.Response.Headers.AccessControlAllowOrigin = "*";
            http.Response.Headers.AccessControlExposeHeaders = "Content-Range, ETag, x-amz-request-id";
        }
    }
}
