using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes.Gateway;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>Why a client gets a status (keepstore-http.md 4 and 6). Texts name no paths of the server; those are in the log.</summary>
internal static class StatusMap
{
    public const int ClientClosedRequest = 499;

    public static (int Status, string Text) Of(KeepException failure, bool isWrite) => failure switch
    {
        StoredBlockTooLargeException => (StatusCodes.Status413PayloadTooLarge, "stored block is too large"),
        RemoteUnavailableException => (StatusCodes.Status503ServiceUnavailable, "remote storage unavailable"),
        { Kind: KeepErrorKind.NotFound } => (StatusCodes.Status404NotFound, "file does not exist"),
        { Kind: KeepErrorKind.Corrupt } => (StatusCodes.Status502BadGateway, "checksum mismatch in stored data"),
        { Kind: KeepErrorKind.PermissionDenied } => (StatusCodes.Status403Forbidden, "Forbidden"),
        { Kind: KeepErrorKind.Full } => (StatusCodes.Status507InsufficientStorage, "insufficient storage"),
        { Kind: KeepErrorKind.BadRequest } => (StatusCodes.Status400BadRequest, "Bad Request"),
        { Kind: KeepErrorKind.Collision } => (StatusCodes.Status500InternalServerError, "hash collision"),
        { Kind: KeepErrorKind.Overloaded } => (StatusCodes.Status503ServiceUnavailable, "too many requests, try again later"),
        _ when isWrite => (StatusCodes.Status503ServiceUnavailable, "volume unavailable"),
        _ => (StatusCodes.Status500InternalServerError, "volume unavailable"),
    };
}
