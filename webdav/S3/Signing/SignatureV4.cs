using System.Globalization;
using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>A version 4 signature as it came, in the Authorization header or in the query; not verified yet.</summary>
/// <param name="Key">The access key.</param>
/// <param name="Scope"><c>date/region/service/aws4_request</c>; any region and service is accepted.</param>
/// <param name="Timestamp"><c>YYYYMMDDTHHMMSSZ</c>.</param>
/// <param name="Time">The same as a time.</param>
/// <param name="SignedHeaders">Names separated by semicolons.</param>
/// <param name="Signature">64 hexadecimal digits if it is one.</param>
/// <param name="Lifetime">How long a presigned URL is good for; null for a header.</param>
internal sealed record SignatureV4(
    AccessKey Key, string Scope, string Timestamp, DateTimeOffset Time, string SignedHeaders, string Signature, TimeSpan? Lifetime)
{
    public const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>A presigned URL lives a week at most.</summary>
    private const int MaxLifetimeSeconds = 604_800;

    private const string TimestampFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>Reads the Authorization header.</summary>
    /// <exception cref="S3Exception">400: malformed.</exception>
    public static SignatureV4 FromHeader(string authorization, IHeaderDictionary headers)
    {
        string? credential = null, signedHeaders = null, signature = null;
        foreach (var part in authorization[Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            switch (equals < 0 ? "" : part[..equals])
            {
                case "Credential" when credential is null:
                    credential = part[(equals + 1)..];
                    break;
                case "SignedHeaders" when signedHeaders is null:
                    signedHeaders = part[(equals + 1)..];
                    break;
                case "Signature" when signature is null:
                    signature = part[(equals + 1)..];
                    break;
                default:
                    throw S3Errors.MalformedAuthorization("Authorization needs Credential, SignedHeaders and Signature, each once.");
            }
        }

        if (credential is null || signedHeaders is null || signature is null)
        {
            throw S3Errors.MalformedAuthorization("Authorization needs Credential, SignedHeaders and Signature.");
        }

        var (timestamp, time) = TimeOf(headers);
        return Make(credential, timestamp, time, signedHeaders, signature, null, S3Errors.MalformedAuthorization);
    }

    /// <summary>Reads a presigned URL.</summary>
    /// <exception cref="S3Exception">400: malformed.</exception>
    public static SignatureV4 FromQuery(S3Query query)
    {
        if (query["X-Amz-Algorithm"] != Algorithm || query["X-Amz-Credential"] is not { } credential || query["X-Amz-SignedHeaders"] is not { } signedHeaders
            || query["X-Amz-Signature"] is not { } signature || query["X-Amz-Date"] is not { } timestamp || query["X-Amz-Expires"] is not { } expires)
        {
            throw S3Errors.MalformedQueryAuthorization(
                $"A presigned URL needs X-Amz-Algorithm={Algorithm}, X-Amz-Credential, X-Amz-Date, X-Amz-Expires, X-Amz-SignedHeaders and X-Amz-Signature.");
        }

        if (!int.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds is 0 or > MaxLifetimeSeconds)
        {
            throw S3Errors.MalformedQueryAuthorization("X-Amz-Expires must be a number of seconds between 1 and 604800.");
        }

        return TryTimestamp(timestamp, out var time)
            ? Make(credential, timestamp, time, signedHeaders, signature, TimeSpan.FromSeconds(seconds), S3Errors.MalformedQueryAuthorization)
            : throw S3Errors.MalformedQueryAuthorization("X-Amz-Date must look like 20261231T235959Z.");
    }

    private static SignatureV4 Make(
        string credential, string timestamp, DateTimeOffset time, string signedHeaders, string signature, TimeSpan? lifetime, Func<string, S3Exception> malformed)
    {
        // From the end: a key that is a raw token may hold slashes.
        var parts = credential.Split('/');
        if (parts.Length < 5 || parts[^1] != "aws4_request")
        {
            throw malformed("Credential must be KEY/date/region/service/aws4_request.");
        }

        if (parts[^4] != timestamp[..8])
        {
            throw malformed("The date of the credential is not the date of the request.");
        }

        var names = signedHeaders.Split(';');
        if (!names.Contains("host") || names.Any(name => name.Length == 0 || name.Any(char.IsAsciiLetterUpper)))
        {
            throw malformed("SignedHeaders must hold host, all names in lower case.");
        }

        return new SignatureV4(AccessKey.Parse(string.Join('/', parts[..^4])), string.Join('/', parts[^4..]), timestamp, time, signedHeaders, signature, lifetime);
    }

    private static (string Timestamp, DateTimeOffset Time) TimeOf(IHeaderDictionary headers)
    {
        if (headers["x-amz-date"].ToString() is { Length: > 0 } amazon)
        {
            return TryTimestamp(amazon, out var time) ? (amazon, time) : throw S3Errors.AccessDenied("x-amz-date must look like 20261231T235959Z.");
        }

        return DateTimeOffset.TryParseExact(headers.Date.ToString(), "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? (date.UtcDateTime.ToString(TimestampFormat, CultureInfo.InvariantCulture), date)
            : throw S3Errors.AccessDenied("A signed request needs x-amz-date or Date.");
    }

    private static bool TryTimestamp(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, TimestampFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}
