using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Hosting.Http;

/// <summary><c>X-Request-Id</c>: taken from the client or made, echoed in every response and log line (catalog-api.md 1.1).</summary>
public static class RequestId
{
    /// <summary>The header's name.</summary>
    public const string Header = "X-Request-Id";

    private const int MaxLength = 128;

    /// <summary>A new id: <c>req-</c> and 20 characters of <c>[a-z0-9]</c>.</summary>
    public static string Create() => "req-" + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 20);

    /// <summary>Sets <see cref="HttpContext.TraceIdentifier"/> and the response header for everything after it.</summary>
    public static IApplicationBuilder UseRequestId(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        var given = context.Request.Headers[Header].ToString();
        context.TraceIdentifier = given.Length is > 0 and <= MaxLength && given.All(c => c is > ' ' and < (char)0x7f) ? given : Create();
        context.Response.Headers[Header] = context.TraceIdentifier;
        return next(context);
    });
}
