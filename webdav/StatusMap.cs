using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav;

/// <summary>Why a client gets a status (keep-web.md 2 and 3). The texts name no servers or blocks; those are in the log.</summary>
internal static class StatusMap
{
    /// <summary>Status and text for a failure, or null for one that nobody expected.</summary>
    public static (int Status, string Text)? Of(Exception failure) => failure switch
    {
        WebException e => (e.Status, e.Message),
        CatalogException e => (Of(e.Kind), TextOf(e)),
        KeepException e => Of(e.Kind),
        FsException e => (Of(e.Error), e.Message),
        ManifestException e => (StatusCodes.Status409Conflict, e.Message),
        BadHttpRequestException e => (e.StatusCode, "The request could not be read."),
        _ => null,
    };

    private static int Of(CatalogErrorKind kind) => kind switch
    {
        CatalogErrorKind.NotFound => StatusCodes.Status404NotFound,
        CatalogErrorKind.Unauthorized => StatusCodes.Status401Unauthorized,
        CatalogErrorKind.Forbidden => StatusCodes.Status403Forbidden,
        CatalogErrorKind.PreconditionFailed => StatusCodes.Status412PreconditionFailed,
        CatalogErrorKind.Locked => StatusCodes.Status423Locked,
        CatalogErrorKind.TooLarge or CatalogErrorKind.QuotaExceeded => StatusCodes.Status507InsufficientStorage,
        CatalogErrorKind.Invalid => StatusCodes.Status409Conflict,
        _ => StatusCodes.Status502BadGateway,
    };

    private static string TextOf(CatalogException failure) =>
        failure.Kind == CatalogErrorKind.Unavailable ? "The catalogue does not answer now; try again." : failure.Message;

    private static (int Status, string Text) Of(KeepErrorKind kind) => kind switch
    {
        KeepErrorKind.Full => (StatusCodes.Status507InsufficientStorage, "The keepstores are full."),
        KeepErrorKind.Overloaded => (StatusCodes.Status503ServiceUnavailable, "Too many transfers at once; try again."),
        KeepErrorKind.InsufficientReplicas => (StatusCodes.Status502BadGateway, "The data could not be stored in as many copies as wanted; nothing was changed."),
        KeepErrorKind.NotFound => (StatusCodes.Status502BadGateway, "The file's data is on none of the keepstores."),
        KeepErrorKind.Corrupt => (StatusCodes.Status502BadGateway, "The file's data has no good copy."),
        KeepErrorKind.PermissionDenied => (StatusCodes.Status502BadGateway, "The keepstores refuse the file's data for this token."),
        KeepErrorKind.Unavailable => (StatusCodes.Status502BadGateway, "The keepstores do not answer now; try again."),
        KeepErrorKind.BadRequest => (StatusCodes.Status400BadRequest, "The file names a block that cannot exist."),
        _ => (StatusCodes.Status500InternalServerError, "The data could not be read or stored."),
    };

    private static int Of(FsError error) => error switch
    {
        FsError.NotFound or FsError.Stale => StatusCodes.Status404NotFound,
        FsError.AlreadyExists => StatusCodes.Status405MethodNotAllowed,
        FsError.IsADirectory or FsError.ReadOnly => StatusCodes.Status405MethodNotAllowed,
        FsError.NotADirectory or FsError.NotEmpty => StatusCodes.Status409Conflict,
        FsError.NotPermitted or FsError.NotSupported or FsError.CrossDevice => StatusCodes.Status403Forbidden,
        FsError.InvalidArgument or FsError.NameTooLong => StatusCodes.Status400BadRequest,
        FsError.NoSpace => StatusCodes.Status507InsufficientStorage,
        FsError.TooLarge => StatusCodes.Status413PayloadTooLarge,
        FsError.Unauthorized => StatusCodes.Status401Unauthorized,
        _ => StatusCodes.Status502BadGateway,
    };
}
