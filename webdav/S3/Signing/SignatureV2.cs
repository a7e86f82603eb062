using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>A version 2 signature (HMAC-SHA1) as it came, in the Authorization header or in the query; not verified yet.</summary>
/// <param name="Key">The access key.</param>
/// <param name="Signature">Base64 if it is one.</param>
/// <param name="Expires">End of a presigned URL; null for a header.</param>
internal sealed record SignatureV2(AccessKey Key, string Signature, DateTimeOffset? Expires)
{
    /// <summary>Parameters that version 2 signs with the path.</summary>
    private static readonly HashSet<string> SignedParameters = new(StringComparer.Ordinal)
    {
        "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location", "logging", "metrics", "notification",
        "partNumber", "policy", "replication", "requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore", "tagging", "torrent", "uploadId", "uploads", "versionId",
        "versioning", "versions", "website",
    };

    /// <summary>Reads <c>AWS KEY:SIGNATURE</c>.</summary>
    /// <exception cref="S3Exception">No colon.</exception>
    public static SignatureV2 FromHeader(string authorization)
    {
        var text = authorization["AWS ".Length..].Trim();
        var colon = text.LastIndexOf(':');
        return colon > 0 ? new SignatureV2(AccessKey.Parse(text[..colon]), text[(colon + 1)..], null)
            : throw new S3Exception(401, "InvalidRequest", "Authorization must be AWS KEY:SIGNATURE.");
    }

    /// <summary>Reads a presigned URL.</summary>
    /// <exception cref="S3Exception">400: malformed.</exception>
    public static SignatureV2 FromQuery(S3Query query) =>
        query["AWSAccessKeyId"] is { } key && query["Signature"] is { } signature
        && long.TryParse(query["Expires"], NumberStyles.None, CultureInfo.InvariantCulture, out var expires) && expires < 253_402_300_800
            ? new SignatureV2(AccessKey.Parse(key), signature, DateTimeOffset.FromUnixTimeSeconds(expires))
            : throw S3Errors.MalformedQueryAuthorization("A presigned URL needs AWSAccessKeyId, Expires (Unix seconds) and Signature.");

    /// <summary>The time of a request that is signed in its header.</summary>
    public static DateTimeOffset TimeOf(IHeaderDictionary headers) =>
        DateTimeOffset.TryParse(
            headers["x-amz-date"].ToString() is { Length: > 0 } amazon ? amazon : headers.Date.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time : throw S3Errors.AccessDenied("A signed request needs x-amz-date or Date.");

    /// <summary>The signature is the one that the secret gives.</summary>
    public bool IsOf(string secret, HttpRequest request, S3Target target, S3Query query)
    {
        var expected = HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(TextToSign(request, target, query)));
        Span<byte> given = stackalloc byte[HMACSHA1.HashSizeInBytes];
        return Convert.TryFromBase64String(Signature, given, out var length) && length == given.Length && CryptographicOperations.FixedTimeEquals(expected, given);
    }

    private string TextToSign(HttpRequest request, S3Target target, S3Query query)
    {
        var headers = request.Headers;
        var date = Expires is { } end ? end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)
            : headers.ContainsKey("x-amz-date") ? "" : headers.Date.ToString();
        var text = new StringBuilder();
        text.Append(request.Method).Append('\n').Append(headers.ContentMD5).Append('\n').Append(headers.ContentType).Append('\n').Append(date).Append('\n');
        foreach (var (name, values) in headers.Select(header => (Name: header.Key.ToLowerInvariant(), header.Value))
            .Where(header => header.Name.StartsWith("x-amz-", StringComparison.Ordinal)).OrderBy(header => header.Name, StringComparer.Ordinal))
        {
            text.Append(name).Append(':').AppendJoin(',', values.Select(value => value?.Trim())).Append('\n');
        }

        text.Append(target.IsVirtualHost ? "/" + target.Bucket : "").Append(target.RawPath);
        var parameters = query.Parameters.Where(parameter => SignedParameters.Contains(parameter.Name))
            .OrderBy(parameter => parameter.Name, StringComparer.Ordinal).Select(parameter => parameter.HasValue ? $"{parameter.Name}={parameter.Value}" : parameter.Name);
        var separator = '?';
        foreach (var parameter in parameters)
        {
            text.Append(separator).Append(parameter);
            separator = '&';
        }

        return text.ToString();
    }
}
