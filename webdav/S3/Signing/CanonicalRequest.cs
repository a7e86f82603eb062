using System.Text;
using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>The text that a version 4 signature is made of (keep-web.md 4.1).</summary>
internal static class CanonicalRequest
{
    /// <summary>SHA-256 of nothing.</summary>
    public const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <summary>Builds it.</summary>
    /// <param name="method">HTTP method.</param>
    /// <param name="decodedPath">Path, percent-decoded; double slashes stay.</param>
    /// <param name="query">All parameters; the signature itself is left out.</param>
    /// <param name="headers">The request's headers.</param>
    /// <param name="signedHeaders">Lower-case names separated by semicolons, as the client sent them.</param>
    /// <param name="payloadHash">What <c>x-amz-content-sha256</c> says.</param>
    public static string Of(string method, string decodedPath, S3Query query, IHeaderDictionary headers, string signedHeaders, string payloadHash)
    {
        var text = new StringBuilder();
        text.Append(method).Append('\n').Append(PercentCode.Encode(decodedPath, keepSlash: true)).Append('\n').Append(Query(query)).Append('\n');
        foreach (var name in signedHeaders.Split(';'))
        {
            text.Append(name).Append(':').AppendJoin(',', headers[name].Select(Trim)).Append('\n');
        }

        return text.Append('\n').Append(signedHeaders).Append('\n').Append(payloadHash).ToString();
    }

    private static string Query(S3Query query)
    {
        // Sorted by the encoded name; repeated names keep their order.
        var pairs = query.Parameters.Where(parameter => parameter.Name != "X-Amz-Signature")
            .Select(parameter => (Name: PercentCode.Encode(parameter.Name, keepSlash: false), Value: PercentCode.Encode(parameter.Value, keepSlash: false)))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal);
        return string.Join('&', pairs.Select(pair => $"{pair.Name}={pair.Value}"));
    }

    /// <summary>Spaces at the ends are dropped, those between become one.</summary>
    private static string Trim(string? value) => string.Join(' ', (value ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
