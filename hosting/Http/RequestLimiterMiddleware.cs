using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Hosting.Http;

/// <summary>Puts a <see cref="RequestLimiter"/> in front of what follows; where it lets requests step aside, waits for clients do so.</summary>
public static class RequestLimiterMiddleware
{
    /// <summary>Limits every request except <c>/_health</c>, <c>/metrics</c> and <c>/_inspect</c>, which must answer under load.</summary>
    public static IApplicationBuilder UseRequestLimiter(this IApplicationBuilder app, RequestLimiter limiter) => app.Use(async (context, next) =>
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments("/_health") || path.StartsWithSegments("/metrics") || path.StartsWithSegments("/_inspect"))
        {
            await next(context);
            return;
        }

        if (!await limiter.EnterAsync(context.Request.Headers.Origin.Count > 0, context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
            return;
        }

        var turn = new RequestTurn(limiter);
        if (limiter.MaxAside > 0)
        {
            ClientWaits.Watch(context, turn);
        }

        try
        {
            await next(context);
        }
        finally
        {
            turn.End();
        }
    });
}
