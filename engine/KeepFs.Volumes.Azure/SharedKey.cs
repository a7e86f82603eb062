using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace KeepFs.Volumes.Azure;

/// <summary>Signs requests to Azure Storage with the account's key ("Authorize with Shared Key", versions since 2015-02-21).</summary>
internal sealed class SharedKey(string account, byte[] key, TimeProvider time)
{
    private const string ServiceVersion = "2021-12-02";

    /// <summary>Adds date, version and authorization. Nothing of the request may change afterwards.</summary>
    public void Sign(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation("x-ms-date", time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture));
        request.Headers.TryAddWithoutValidation("x-ms-version", ServiceVersion);
        var signature = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(TextToSign(request))));
        request.Headers.Authorization = new AuthenticationHeaderValue("SharedKey", $"{account}:{signature}");
    }

    private string TextToSign(HttpRequestMessage request)
    {
        var content = request.Content?.Headers;
        var text = new StringBuilder(request.Method.Method).Append('\n')
            .Append("\n\n") // Content-Encoding, Content-Language
            .Append(content?.ContentLength is > 0 and var length ? length.ToString(CultureInfo.InvariantCulture) : "").Append('\n')
            .Append(content?.ContentMD5 is { } md5 ? Convert.ToBase64String(md5) : "").Append('\n')
            .Append(content?.ContentType).Append('\n')
            .Append("\n\n") // Date, If-Modified-Since
            .Append(request.Headers.IfMatch).Append('\n')
            .Append(request.Headers.IfNoneMatch).Append('\n')
            .Append('\n') // If-Unmodified-Since
            .Append(request.Headers.Range).Append('\n');
        foreach (var (name, values) in request.Headers
            .Where(header => header.Key.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase))
            .Select(header => (Name: header.Key.ToLowerInvariant(), header.Value))
            .OrderBy(header => header.Name, StringComparer.Ordinal))
        {
            text.Append(name).Append(':').AppendJoin(',', values).Append('\n');
        }

        text.Append('/').Append(account).Append(request.RequestUri!.AbsolutePath);
        foreach (var (name, value) in Query(request.RequestUri))
        {
            text.Append('\n').Append(name).Append(':').Append(value);
        }

        return text.ToString();
    }

    private static IEnumerable<(string Name, string Value)> Query(Uri url) =>
        url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Split('=', 2))
            .Select(part => (Uri.UnescapeDataString(part[0]).ToLowerInvariant(), Uri.UnescapeDataString(part[1])))
            .OrderBy(part => part.Item1, StringComparer.Ordinal);
}
