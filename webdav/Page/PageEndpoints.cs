using System.Text;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Requests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Page;

/// <summary>What is below <c>/_keepfs/</c>: the page's style and script, log in and out, the status page, and the requests of its script (docs/web.md).</summary>
internal sealed class PageEndpoints(RequestOpener opener, PageAssets assets, PageText text, PageApi api, StatusPage status)
{
    private const string Root = "_keepfs";
    private const string Icon = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#2563c9" d="M1 3h5l2 2h7v9H1z"/></svg>""";

    /// <summary>The path is one of ours; no collection, project or user can have it.</summary>
    public static bool IsPage(RequestPath path) => path.Names is [Root, ..];

    public Task HandleAsync(HttpContext context, RequestPath path)
    {
        var isRead = context.Request.Method is "GET" or "HEAD";

        // Under a collection's own host its files may run scripts: what acts for the user beyond that collection is not there.
        var isShared = HostNames.CollectionId(context.Request.Host.Value ?? "") is not null;
        return (path.Names.Skip(1).ToArray(), isRead, context.Request.Method) switch
        {
            (["icon.svg"], true, _) => IconAsync(context),
            (["login"], true, _) => LoginFormAsync(context, SafeNext(context.Request.Query["next"]), null),
            (["login"], _, "POST") => LoginAsync(context),
            (["logout"], _, "POST") => LogoutAsync(context),
            (["status"], true, _) when !isShared => StatusAsync(context),
            (["api", var name], _, "POST") when !isShared => ApiAsync(context, name),
            ([var name], true, _) => AssetAsync(context, name),
            _ => throw NotFound(),
        };
    }

    private static WebException NotFound() => new(StatusCodes.Status404NotFound, "Not Found");

    /// <summary>A path of this server; anything else could be another site.</summary>
    private static string SafeNext(string? next) =>
        next is ['/', not ('/' or '\\'), ..] && !next.Any(c => char.IsControl(c) || c == '\\' || c > '~') ? next : "/";

    private static async Task IconAsync(HttpContext context)
    {
        context.Response.ContentType = "image/svg+xml";
        context.Response.Headers.CacheControl = "public, max-age=86400";
        PageSafety.AddContentHeaders(context.Response, context.Response.ContentType);
        await context.Response.WriteAsync(Icon, context.RequestAborted);
    }

    private async Task AssetAsync(HttpContext context, string name)
    {
        if (!await assets.TrySendAsync(context, name))
        {
            throw NotFound();
        }
    }

    private async Task LoginFormAsync(HttpContext context, string next, string? problem)
    {
        var nonce = PageText.NewNonce();
        PageSafety.AddPageHeaders(context.Response, nonce);
        context.Response.ContentType = "text/html; charset=utf-8";
        var page = text.Begin("Log in", nonce, " class=\"small\"").Append("<main><h1>Log in</h1>\n")
            .Append(problem is null ? "" : $"<p class=\"problem\" role=\"alert\">{PageText.Encode(problem)}</p>\n")
            .Append("<form method=\"post\" action=\"/_keepfs/login\"><input type=\"hidden\" name=\"next\" value=\"").Append(PageText.Encode(next))
            .Append("\"><label for=\"token\">Token</label><input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required autofocus spellcheck=\"false\">"
                + "<p>Your access token, as it is in ARVADOS_API_TOKEN. It stays in a cookie of this browser until you log out.</p><button class=\"primary\">Log in</button></form></main></body></html>\n");
        await context.Response.WriteAsync(page.ToString(), context.RequestAborted);
    }

    private async Task LoginAsync(HttpContext context)
    {
        var form = context.Request.HasFormContentType ? await RequestForm.ReadAsync(context.Request, context.RequestAborted) : throw new WebException(StatusCodes.Status400BadRequest, "A form was expected.");
        var (token, next) = (form["token"].ToString().Trim(), SafeNext(form["next"]));
        if (token.Length == 0 || !await opener.IsGoodAsync(token, context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            await LoginFormAsync(context, next, "This token is not known, or has expired.");
            return;
        }

        TokenCookie.Set(context, token);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = next;
    }

    private static Task LogoutAsync(HttpContext context)
    {
        TokenCookie.Clear(context);
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/_keepfs/login";
        return Task.CompletedTask;
    }

    private async Task StatusAsync(HttpContext context)
    {
        var (lease, user) = await opener.OpenUserAsync(context);
        using (lease)
        {
            if (!user.IsAdmin)
            {
                throw new WebException(StatusCodes.Status403Forbidden, "Only administrators see this page.");
            }

            var nonce = PageText.NewNonce();
            PageSafety.AddPageHeaders(context.Response, nonce);
            context.Response.ContentType = "text/html; charset=utf-8";
            var page = text.Begin("Status", nonce, "");
            await status.WriteAsync(page, context.RequestAborted);
            await context.Response.WriteAsync(page.Append("</body></html>\n").ToString(), context.RequestAborted);
        }
    }

    private async Task ApiAsync(HttpContext context, string name)
    {
        var (lease, _) = await opener.OpenUserAsync(context);
        using (lease)
        {
            var body = await RequestForm.ReadBytesAsync(context.Request, 64 << 10, context.RequestAborted);
            var answer = await api.HandleAsync(name, lease.Session, body, context.RequestAborted) ?? throw NotFound();
            context.Response.ContentType = "application/json";
            context.Response.Headers.CacheControl = "no-store";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            await context.Response.WriteAsync(answer, Encoding.UTF8, context.RequestAborted);
        }
    }
}
