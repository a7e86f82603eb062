using System.Globalization;

namespace KeepFs.WebDav.S3.Protocol;

/// <summary>The errors that this server gives, by their S3 names.</summary>
internal static class S3Errors
{
    public static S3Exception AccessDenied(string message = "This key may not do that.") => new(403, "AccessDenied", message);

    public static S3Exception BadDigest(string what) => new(400, "BadDigest", $"The {what} that was sent does not belong to the data; nothing was stored.");

    public static S3Exception BucketNotEmpty() => new(409, "BucketNotEmpty", "The bucket still has objects.");

    public static S3Exception EntityTooSmall(int part) =>
        new(400, "EntityTooSmall", string.Create(CultureInfo.InvariantCulture, $"Part {part} is smaller than 5 MiB and not the last."));

    public static S3Exception ExpiredUrl(string message) => new(403, "AccessDenied", message);

    public static S3Exception IncompleteBody(string message) => new(400, "IncompleteBody", message);

    public static S3Exception InvalidAccessKey() => new(403, "InvalidAccessKeyId", "This access key belongs to no valid token.");

    public static S3Exception InvalidArgument(string message) => new(400, "InvalidArgument", message);

    public static S3Exception InvalidBucketName(string message) => new(400, "InvalidBucketName", message);

    public static S3Exception InvalidDigest(string name) => new(400, "InvalidDigest", $"{name} is no digest in base64.");

    public static S3Exception InvalidPart(int part) =>
        new(400, "InvalidPart", string.Create(CultureInfo.InvariantCulture, $"Part {part} was not uploaded, or its ETag is another."));

    public static S3Exception InvalidPartOrder() => new(400, "InvalidPartOrder", "The parts must be listed by ascending number, each once.");

    public static S3Exception InvalidRange() => new(416, "InvalidRange", "The object has no such range.");

    public static S3Exception InvalidRequest(string message) => new(400, "InvalidRequest", message);

    public static S3Exception KeyTooLong() => new(400, "KeyTooLongError", "A component of a key has at most 255 bytes.");

    public static S3Exception MalformedAuthorization(string message) => new(400, "AuthorizationHeaderMalformed", message);

    public static S3Exception MalformedQueryAuthorization(string message) => new(400, "AuthorizationQueryParametersError", message);

    public static S3Exception MalformedXml() => new(400, "MalformedXML", "The XML of the body is not what this request needs.");

    public static S3Exception MethodNotAllowed(string message) => new(405, "MethodNotAllowed", message);

    public static S3Exception MissingContentLength() => new(411, "MissingContentLength", "The request needs a Content-Length or x-amz-decoded-content-length.");

    public static S3Exception NoSuchBucket() => new(404, "NoSuchBucket", "There is no such bucket, or this key may not see it.");

    public static S3Exception NoSuchKey() => new(404, "NoSuchKey", "There is no such object.");

    public static S3Exception NoSuchUpload() => new(404, "NoSuchUpload", "There is no such upload; it may have been completed or aborted, or its time is over.");

    public static S3Exception NotImplemented(string what) => new(501, "NotImplemented", $"{what}: not supported.");

    public static S3Exception PreconditionFailed(string which) => new(412, "PreconditionFailed", $"The condition {which} does not hold.");

    public static S3Exception SignatureDoesNotMatch() =>
        new(403, "SignatureDoesNotMatch", "The signature is not the one that the secret key gives for this request.");

    public static S3Exception TooSkewed() => new(403, "RequestTimeTooSkewed", "The request's time is more than five minutes away from the server's.");
}
