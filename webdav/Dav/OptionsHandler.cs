using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>OPTIONS and the CORS headers (keep-web.md 2.1). Needs no token: Windows and browsers ask before they have one.</summary>
internal static class OptionsHandler
{
    private const string CorsMethods = "COPY, DELETE, GET, LOCK, MKCOL, MOVE, OPTIONS, POST, PROPFIND, PROPPATCH, PUT, RMCOL, UNLOCK";
    private const string CorsHeaders = "Authorization, Content-Type, Range, Depth, Destination, If, Lock-Token, Overwrite, Timeout, Cache-Control";

    public static void Handle(HttpContext context, string methods)
    {
        var headers = context.Response.Headers;
        context.Response.ContentLength = 0;
        var wanted = context.Request.Headers.AccessControlRequestMethod.ToString();
        if (wanted.Length > 0)
        {
            if (wanted != "HEAD" && !CorsMethods.Split(", ").Contains(wanted))
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                return;
            }

            headers.AccessControlAllowHeaders = CorsHeaders;
            headers.AccessControlAllowMethods = CorsMethods;
            headers.AccessControlAllowOrigin = "*";
            headers.AccessControlMaxAge = "86400";
            return;
        }

        AddCors(context);
        headers["DAV"] = "1, 2, 3";
        headers["MS-Author-Via"] = "DAV";
        headers.Allow = methods;
    }

    public static void AddCors(HttpContext context)
    {
        if (context.Request.Headers.Origin.Count > 0)
        {
            context.Response.Headers.AccessControlAllowOrigin = "*";
            context.Response.Headers.AccessControlExposeHeaders = "Content-Range";
        }
    }
}
