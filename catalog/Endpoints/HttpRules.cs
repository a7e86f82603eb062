using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Engine.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.Catalog.Endpoints;

/// <summary>The rules of catalog-api.md 1.1, 1.2 and 1.5 that hold for every path: CORS, OPTIONS, method override, form of errors.</summary>
internal static partial class HttpRules
{
    private const string OverrideHeader = "X-Http-Method-Override";

    public static void UseApiRules(this IApplicationBuilder app, TimeProvider time, ILogger logger)
    {
        app.Use((context, next) => AnswerErrorsAsync(context, next, time, logger));
        app.Use(async (context, next) =>
        {
            AddCors(context);
            if (HttpMethods.IsOptions(context.Request.Method))
            {
                context.Response.StatusCode = 200;
                return;
            }

            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 404 or 405 or 503, ContentType: null })
            {
                await WriteErrorAsync(context, context.Response.StatusCode, EmptyAnswer(context.Response.StatusCode), time);
            }
        });
    }

    /// <summary>Turns a POST into the method that it stands for; put it before routing.</summary>
    public static void UseMethodOverride(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        await OverrideMethodAsync(context);
        await next(context);
    });

    private static string EmptyAnswer(int status) => status switch
    {
        404 => "Path not found",
        405 => "Method not allowed",
        _ => "too many requests are waiting; try again later",
    };

    private static void AddCors(HttpContext context)
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments("/login") || path.StartsWithSegments("/logout") || path.StartsWithSegments("/auth"))
        {
            return;
        }

        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = "GET, HEAD, OPTIONS, PROPFIND, PUT, POST, PATCH, DELETE";
        headers.AccessControlAllowHeaders = "Authorization, Content-Type, Range, X-Http-Method-Override";
        headers.AccessControlExposeHeaders = "Content-Range";
        headers.AccessControlMaxAge = "86400";
    }

    private static async Task OverrideMethodAsync(HttpContext context)
    {
        var request = context.Request;
        if (!HttpMethods.IsPost(request.Method))
        {
            return;
        }

        var method = request.Query["_method"].ToString();
        if (method.Length == 0 && request.HasFormContentType)
        {
            method = (await ParameterReader.ReadFormAsync(request, context.RequestAborted))["_method"].ToString();
        }

        method = (method.Length > 0 ? method : request.Headers[OverrideHeader].ToString()).ToUpperInvariant();
        if (method.Length > 0)
        {
            request.Method = method is "GET" or "HEAD" or "PUT" or "PATCH" or "DELETE" or "POST"
                ? method
                : throw ApiException.BadRequest($"method override '{method}' is not known");
        }
    }

    private static async Task AnswerErrorsAsync(HttpContext context, RequestDelegate next, TimeProvider time, ILogger logger)
    {
        try
        {
            await next(context);
        }
        catch (ApiException e) when (!context.Response.HasStarted)
        {
            if (e.LockedPath is { } locked)
            {
                context.Response.Headers[CatalogClient.DavLockHeader] = Uri.EscapeDataString(locked);
            }

            if (e.IsQuota)
            {
                context.Response.Headers[CatalogClient.QuotaHeader] = "exceeded";
            }

            if (e.RetryAfterSeconds is { } seconds)
            {
                context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            }

            await WriteErrorAsync(context, e.Status, e.Message, time);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await WriteErrorAsync(context, e.StatusCode, e.Message, time);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for an answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            LogFailure(logger, e, context.Request.Method, context.Request.Path, context.TraceIdentifier);
            await WriteErrorAsync(context, 500, "internal error; the server's log has the details", time);
        }
    }

    private static async Task WriteErrorAsync(HttpContext context, int status, string message, TimeProvider time)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter, RecordJson.WriterOptions);
        writer.WriteStartObject();
        writer.WriteStartArray("errors");
        writer.WriteStringValue($"{message} ({context.TraceIdentifier})");
        writer.WriteEndArray();
        writer.WriteString("error_token", string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow().ToUnixTimeSeconds()}+{RandomNumberGenerator.GetHexString(8, lowercase: true)}"));
        writer.WriteEndObject();
        await writer.FlushAsync(context.RequestAborted);
    }

    [LoggerMessage(5001, LogLevel.Error, "{Method} {Path} failed ({RequestId})")]
    private static partial void LogFailure(ILogger logger, Exception e, string method, string path, string requestId);
}
