using System.Text;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Page;

/// <summary>The cookie that holds a token (keep-web.md 2.5): scripts cannot read it, and other sites' requests do not carry it.</summary>
internal static class TokenCookie
{
    private const string Name = "arvados_api_token";

    public static void Set(HttpContext context, string token) =>
        Write(context, Convert.ToBase64String(Encoding.UTF8.GetBytes(token.Trim())).Replace('+', '-').Replace('/', '_'), "");

    public static void Clear(HttpContext context) => Write(context, "", "; Max-Age=0");

    private static void Write(HttpContext context, string value, string more) =>
        context.Response.Headers.SetCookie = $"{Name}={value}; Path=/; HttpOnly; SameSite=Lax{(context.Request.IsHttps ? "; Secure" : "")}{more}";
}
