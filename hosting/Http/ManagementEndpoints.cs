using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Hosting.Http;

/// <summary><c>/_health/ping</c>, <c>/metrics</c>, <c>/metrics.json</c> and <c>/_inspect/errors</c>, with the rules for the ManagementToken (keepstore-http.md 2).</summary>
public static class ManagementEndpoints
{
    /// <summary>Answers these paths; everything else goes on.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="managementToken">Empty: health and errors are disabled (404) and metrics are open.</param>
    /// <param name="writeMetrics">Adds all samples; called for every request.</param>
    /// <param name="errors">What went wrong lately; null when the program keeps no list.</param>
    public static IApplicationBuilder UseManagementEndpoints(this IApplicationBuilder app, string managementToken, Action<MetricsText> writeMetrics, RecentErrors? errors) =>
        app.Use((context, next) => (context.Request.Method, context.Request.Path.Value) switch
        {
            ("GET", "/_health/ping") => ToHolderAsync(context, managementToken, static () => "{\"health\":\"OK\"}\n"),
            ("GET", "/_inspect/errors") when errors is not null =>
                ToHolderAsync(context, managementToken, () => JsonSerializer.Serialize(errors.List(), RecentErrorJson.Default.RecentErrorList) + "\n"),
            ("GET" or "HEAD", "/metrics") => MetricsAsync(context, managementToken, writeMetrics, asJson: false),
            ("GET" or "HEAD", "/metrics.json") => MetricsAsync(context, managementToken, writeMetrics, asJson: true),
            _ => next(context),
        });

    /// <summary>Compares secrets without telling by the time it takes how much of them was right.</summary>
    public static bool TokensEqual(string a, string b) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(a), Encoding.UTF8.GetBytes(b));

    private static Task ToHolderAsync(HttpContext context, string managementToken, Func<string> json)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        return managementToken.Length == 0 ? AnswerAsync(context, StatusCodes.Status404NotFound, "disabled\n")
            : authorization.Length == 0 ? AnswerAsync(context, StatusCodes.Status401Unauthorized, "authorization required\n")
            : !TokensEqual(authorization, "Bearer " + managementToken) ? AnswerAsync(context, StatusCodes.Status403Forbidden, "authorization error\n")
            : AnswerAsync(context, StatusCodes.Status200OK, json(), "application/json");
    }

    private static Task MetricsAsync(HttpContext context, string managementToken, Action<MetricsText> writeMetrics, bool asJson)
    {
        if (managementToken.Length > 0)
        {
            var tokens = RequestTokens.Collect(context.Request);
            if (!tokens.Any(token => TokensEqual(token, managementToken)))
            {
                return tokens.Count == 0 ? AnswerAsync(context, StatusCodes.Status401Unauthorized, "authorization required\n")
                    : AnswerAsync(context, StatusCodes.Status403Forbidden, "authorization error\n");
            }
        }

        var metrics = new MetricsText();
        writeMetrics(metrics);
        return asJson ? AnswerAsync(context, StatusCodes.Status200OK, metrics.ToJson(), "application/json")
            : AnswerAsync(context, StatusCodes.Status200OK, metrics.ToString(), "text/plain; version=0.0.4; charset=utf-8");
    }

    private static Task AnswerAsync(HttpContext context, int status, string body, string contentType = "text/plain; charset=utf-8")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = Encoding.UTF8.GetByteCount(body);
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(body, context.RequestAborted);
    }
}
