using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using KeepFs.Engine.Blocks;

namespace KeepFs.Volumes.S3;

/// <summary>The one place that knows what failures of S3 mean here.</summary>
/// <param name="Kind">For the layer above.</param>
/// <param name="Type">For metrics: few different ones.</param>
/// <param name="Message">What happened and what to do.</param>
internal sealed record S3Failure(KeepErrorKind Kind, string Type, string Message)
{
    /// <summary>The object is not there. A missing bucket is another matter, though a HEAD request cannot tell them apart.</summary>
    public static bool IsAbsent(AmazonS3Exception e) => e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket";

    /// <param name="e">What the SDK threw.</param>
    /// <param name="isLate">The time for the request was over.</param>
    public static S3Failure Of(Exception e, bool isLate) => e switch
    {
        KeepException known => new(known.Kind, "other", known.Message),
        AmazonS3Exception { ErrorCode: "QuotaExceeded" or "XMinioStorageFull" or "InsufficientStorage" } full => new(KeepErrorKind.Full, "full", full.Message),
        AmazonS3Exception { StatusCode: (HttpStatusCode)507 } full => new(KeepErrorKind.Full, "full", full.Message),
        AmazonS3Exception { ErrorCode: "NoSuchBucket" } => Unavailable("no_bucket", "there is no such bucket: create it, or correct Bucket"),
        AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } denied =>
            Unavailable("denied", $"{Describe(denied)}: check AccessKeyID, SecretAccessKey and the bucket's policy"),
        AmazonS3Exception { StatusCode: HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests } slow =>
            Unavailable("slow_down", $"{Describe(slow)}: the service asks to slow down"),
        AmazonS3Exception { StatusCode: 0 } other => Unavailable("unreachable", other.InnerException?.Message ?? other.Message),
        AmazonS3Exception other => Unavailable((int)other.StatusCode >= 500 ? "server" : "other", Describe(other)),
        _ when isLate => Unavailable("timeout", "no complete answer within ReadTimeout"),
        OperationCanceledException => Unavailable("timeout", "no answer within ReadTimeout, or no connection within ConnectTimeout"),
        AmazonServiceException or AmazonClientException when e.InnerException is { } inner => Unavailable("unreachable", $"{e.Message}: {inner.Message}"),
        _ => Unavailable("unreachable", e.Message),
    };

    private static S3Failure Unavailable(string type, string message) => new(KeepErrorKind.Unavailable, type, message);

    private static string Describe(AmazonS3Exception e) => $"{(int)e.StatusCode} {e.ErrorCode} {e.Message}";
}
