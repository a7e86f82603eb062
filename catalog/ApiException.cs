using System.Globalization;

namespace KeepFs.Catalog;

/// <summary>A request that ends with an error status (catalog-api.md 1.5). The messages are shown to users and never hold secrets.</summary>
internal sealed class ApiException(int status, string message) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>The path whose WebDAV lock is in the way; null for other errors.</summary>
    public string? LockedPath { get; private init; }

    /// <summary>A limit of a user or project is reached.</summary>
    public bool IsQuota { get; private init; }

    /// <summary>Seconds after which it makes sense to try again; null when that is not known.</summary>
    public int? RetryAfterSeconds { get; private init; }

    public static ApiException BadRequest(string message) => new(400, message);

    public static ApiException NotLoggedIn() => new(401, "Not logged in");

    public static ApiException Forbidden(string message = "Forbidden") => new(403, message);

    public static ApiException NotFound(string message = "Path not found") => new(404, message);

    public static ApiException ContentChanged(string portableDataHash) =>
        new(412, $"collection content changed: current portable_data_hash is {portableDataHash}");

    public static ApiException TooLarge(string message) => new(413, message);

    public static ApiException DavLocked(string path) => new(423, "a WebDAV lock is in the way") { LockedPath = path };

    public static ApiException Invalid(string message) => new(422, message);

    /// <summary>422, marked by a header so that our own clients can tell people that there is no space left.</summary>
    public static ApiException QuotaExceeded(string message) => new(422, message) { IsQuota = true };

    public static ApiException TooSlow(TimeSpan limit) =>
        new(500, string.Create(CultureInfo.InvariantCulture, $"the request took longer than {limit.TotalSeconds} s (API.RequestTimeout) and was cancelled"));

    public static ApiException TooManyWrongTokens(TimeSpan retryAfter) =>
        new(429, "too many wrong tokens from this address; try again later") { RetryAfterSeconds = (int)Math.Ceiling(retryAfter.TotalSeconds) };
}
