using KeepFs.Engine.Catalog;
using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;
using KeepFs.WebDav.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav.S3;

/// <summary>
/// The S3 side of keep-web (keep-web.md 4, docs/s3.md): verifies the signature, finds the operation, and turns failures into S3's error documents. Safe
/// for concurrent use.
/// </summary>
internal sealed partial class S3Endpoint(S3Authenticator authenticator, SessionTable sessions, S3Handlers handlers, S3Metrics metrics, ILogger logger)
{
    private readonly ILogger _logger = logger;

    /// <summary>The request is S3's business.</summary>
    public static bool IsS3(HttpRequest request) => S3Authenticator.IsSigned(request);

    public async Task HandleAsync(HttpContext http)
    {
        if (S3Cors.Handle(http))
        {
            return;
        }

        var operation = "Unknown";
        try
        {
            var raw = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            var target = S3Target.Of(raw, http.Request.Host.Value ?? "");
            var query = S3Query.Parse(raw);
            http.Response.Headers["x-amz-request-id"] = http.TraceIdentifier;
            var identity = await authenticator.AuthenticateAsync(http.Request, target, query, http.RequestAborted);
            operation = S3Operation.Of(http.Request.Method, target, query, http.Request.Headers) ?? throw S3Errors.MethodNotAllowed("There is no such operation on this resource.");
            await ServeAsync(operation, http, target, query, identity);
            metrics.Count(operation, http.Response.StatusCode);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            http.Abort();
        }
        catch (Exception e)
        {
            metrics.Count(operation, await FailAsync(http, e));
        }
    }

    private async Task ServeAsync(string operation, HttpContext http, S3Target target, S3Query query, S3Identity identity)
    {
        using var lease = sessions.Acquire(identity.Token);
        var call = new S3Call(http, target, query, identity, lease.Session);
        try
        {
            await RequireRightAsync(operation, call);
            await DispatchAsync(operation, call);
        }
        catch (CatalogException e) when (e.Kind == CatalogErrorKind.Unauthorized)
        {
            sessions.Forget(lease.Session);
            throw;
        }
    }

    private ValueTask RequireRightAsync(string operation, S3Call call) => operation switch
    {
        "GetObject" => handlers.Policy.RequireDownloadAsync(call.Session, call.Aborted),
        "PutObject" or "CopyObject" or "CreateMultipartUpload" or "UploadPart" or "UploadPartCopy" or "CompleteMultipartUpload" =>
            handlers.Policy.RequireUploadAsync(call.Session, call.Aborted),
        _ => ValueTask.CompletedTask,
    };

    private Task DispatchAsync(string operation, S3Call call) => operation switch
    {
        "ListBuckets" => BucketHandler.ListAsync(call),
        "HeadBucket" => handlers.Buckets.HeadAsync(call),
        "CreateBucket" => BucketHandler.CreateAsync(call),
        "DeleteBucket" => handlers.Buckets.DeleteAsync(call),
        "GetBucketLocation" => handlers.Buckets.LocationAsync(call),
        "GetSetting" => handlers.Settings.GetAsync(call, Subresources.Of(call.Query)!),
        "ListObjects" or "ListObjectsV2" => handlers.List.HandleAsync(call),
        "GetObject" or "HeadObject" => handlers.Get.HandleAsync(call),
        "PutObject" => handlers.Put.HandleAsync(call),
        "CopyObject" => handlers.Copy.HandleAsync(call),
        "DeleteObject" => handlers.Delete.OneAsync(call),
        "DeleteObjects" => handlers.Delete.ManyAsync(call),
        "CreateMultipartUpload" => handlers.Uploads.CreateAsync(call),
        "UploadPart" => handlers.Parts.PutAsync(call),
        "UploadPartCopy" => handlers.Parts.CopyAsync(call),
        "ListParts" => handlers.Parts.ListAsync(call),
        "CompleteMultipartUpload" => handlers.Complete.HandleAsync(call),
        "AbortMultipartUpload" => handlers.Uploads.AbortAsync(call),
        "ListMultipartUploads" => handlers.Uploads.ListAsync(call),
        "PutSetting" => throw S3Errors.NotImplemented($"{call.Http.Request.Method} ?{Subresources.Of(call.Query)}"),
        _ => throw S3Errors.NotImplemented(operation),
    };

    /// <summary>An error document, or a broken connection when part of a good answer is already under way. Returns the status.</summary>
    private async Task<int> FailAsync(HttpContext http, Exception failure)
    {
        var error = S3FailureMap.Of(failure);
        if (error is null)
        {
            LogUnexpected(http.TraceIdentifier, failure);
            error = new S3Exception(500, "InternalError", "Something went wrong; the server's log says what.");
        }
        else if (error.Status >= StatusCodes.Status500InternalServerError && error.Status != StatusCodes.Status501NotImplemented)
        {
            LogFailure(http.TraceIdentifier, error.Status, failure.Message);
        }

        var response = http.Response;
        if (response.HasStarted)
        {
            http.Abort();
            return error.Status;
        }

        var range = error.Status == StatusCodes.Status416RangeNotSatisfiable ? response.Headers.ContentRange : default;
        var requestId = response.Headers["X-Request-Id"];
        response.Clear();
        response.Headers["X-Request-Id"] = requestId;
        response.Headers.ContentRange = range;
        S3Cors.AddTo(http);
        response.Headers["x-amz-request-id"] = http.TraceIdentifier;
        response.StatusCode = error.Status;
        if (error.Status == StatusCodes.Status503ServiceUnavailable)
        {
            response.Headers.RetryAfter = "1";
        }

        await S3Xml.SendAsync(http, S3Xml.Error(error, http.Request.Path.Value ?? "/", http.TraceIdentifier));
        return error.Status;
    }

    [LoggerMessage(310, LogLevel.Error, "{RequestId} (S3) failed in an unexpected way")]
    private partial void LogUnexpected(string requestId, Exception failure);

    [LoggerMessage(311, LogLevel.Warning, "{RequestId} (S3) answered with {Status}: {Reason}")]
    private partial void LogFailure(string requestId, int status, string reason);
}
