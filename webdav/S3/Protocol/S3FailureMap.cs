using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Protocol;

/// <summary>Why an S3 client gets a code. What may pass by itself is a 5xx, which the clients try again.</summary>
internal static class S3FailureMap
{
    /// <summary>The error document for a failure, or null for one that nobody expected.</summary>
    public static S3Exception? Of(Exception failure) => failure switch
    {
        S3Exception e => e,
        CatalogException e => Of(e),
        KeepException e => Of(e.Kind),
        FsException e => e.Error == FsError.NameTooLong ? S3Errors.KeyTooLong() : S3Errors.InvalidArgument(e.Message),
        ManifestException e => S3Errors.InvalidArgument(e.Message),
        WebException { Status: StatusCodes.Status404NotFound } => S3Errors.NoSuchBucket(),
        WebException { Status: StatusCodes.Status503ServiceUnavailable } e => new S3Exception(503, "SlowDown", e.Message),
        WebException { Status: StatusCodes.Status403Forbidden } e => S3Errors.AccessDenied(e.Message),
        WebException { Status: StatusCodes.Status405MethodNotAllowed } e => S3Errors.MethodNotAllowed(e.Message),
        WebException e => new S3Exception(e.Status, "InvalidRequest", e.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => new S3Exception(400, "RequestTimeout", "The body came too slowly."),
        BadHttpRequestException => S3Errors.IncompleteBody("The body ended before its announced length."),
        _ => null,
    };

    private static S3Exception Of(CatalogException failure) => failure.Kind switch
    {
        CatalogErrorKind.NotFound => S3Errors.NoSuchBucket(),
        CatalogErrorKind.Unauthorized => S3Errors.InvalidAccessKey(),
        CatalogErrorKind.Forbidden => S3Errors.AccessDenied(),
        CatalogErrorKind.PreconditionFailed => new S3Exception(409, "OperationAborted", "The bucket was changed at the same time; try again."),
        // As Ceph answers; a 5xx would be tried again.
        CatalogErrorKind.QuotaExceeded => new S3Exception(403, "QuotaExceeded", failure.Message),
        CatalogErrorKind.Invalid => S3Errors.InvalidArgument(failure.Message),
        _ => new S3Exception(503, "ServiceUnavailable", "The catalogue does not answer now; try again."),
    };

    private static S3Exception Of(KeepErrorKind kind) => kind switch
    {
        KeepErrorKind.Full => new S3Exception(507, "InsufficientStorage", "The keepstores are full."),
        KeepErrorKind.Overloaded => new S3Exception(503, "SlowDown", "Too many transfers at once; try again."),
        KeepErrorKind.InsufficientReplicas => new S3Exception(503, "ServiceUnavailable", "The data could not be stored in as many copies as wanted; nothing was changed."),
        KeepErrorKind.Unavailable => new S3Exception(503, "ServiceUnavailable", "The keepstores do not answer now; try again."),
        _ => new S3Exception(500, "InternalError", "The object's data could not be read."),
    };
}
