using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Requests signed by hand (version 4, header), for what no client library would send. Independent of the server's own code.</summary>
internal static class RawS3
{
    /// <summary>Sends, expects a status, and returns the answer; an error's code must be the given one.</summary>
    public static async Task<TestAnswer> S3Async(
        this TestSite site, int status, string? code, string method, string target, byte[]? body = null, string? token = null, string? payloadHash = null,
        params (string Name, string Value)[] headers)
    {
        using var request = Sign(site, method, target, body, token ?? site.Token, payloadHash, headers);
        using var response = await site.Http.SendAsync(request);
        var bytes = await response.Content.ReadAsByteArrayAsync();
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, Math.Min(600, bytes.Length)));
        Assert.True((int)response.StatusCode == status, $"{method} {target}: wanted {status}, got {(int)response.StatusCode} {text}");
        if (code is not null && method != "HEAD")
        {
            Assert.Contains($"<Code>{code}</Code>", text, StringComparison.Ordinal);
        }

        return new TestAnswer(bytes, response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
    }

    private static HttpRequestMessage Sign(
        TestSite site, string method, string target, byte[]? body, string token, string? payloadHash, (string Name, string Value)[] headers)
    {
        var (key, timestamp) = (token.Replace('/', '_'), DateTime.UtcNow.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));
        var hash = payloadHash ?? Convert.ToHexStringLower(SHA256.HashData(body ?? []));
        var request = site.Request(method, target, body, "", [("x-amz-content-sha256", hash), ("x-amz-date", timestamp), .. headers]);
        var all = headers.Append(("x-amz-content-sha256", hash)).Append(("x-amz-date", timestamp)).Append(("host", site.Address.Authority))
            .Select(header => (Name: header.Item1.ToLowerInvariant(), Value: header.Item2)).OrderBy(header => header.Name, StringComparer.Ordinal).ToList();
        var names = string.Join(';', all.Select(header => header.Name));
        var split = target.Split('?', 2);
        var query = split.Length == 1 ? "" : string.Join('&', split[1].Split('&').Select(part => part.Split('=', 2))
            .Select(pair => (Escape(pair[0]), pair.Length > 1 ? Escape(pair[1]) : "")).OrderBy(pair => pair.Item1, StringComparer.Ordinal).Select(pair => $"{pair.Item1}={pair.Item2}"));
        var path = string.Join('/', split[0].Split('/').Select(part => Escape(part).Replace("%2F", "/", StringComparison.Ordinal)));
        var canonical = $"{method}\n{path}\n{query}\n{string.Concat(all.Select(header => $"{header.Name}:{header.Value.Trim()}\n"))}\n{names}\n{hash}";
        var scope = $"{timestamp[..8]}/anywhere/s3/aws4_request";
        var signing = scope.Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4" + key), (k, part) => HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part)));
        var text = $"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(signing, Encoding.UTF8.GetBytes(text)));
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}");
        return request;
    }

    private static string Escape(string text) => Uri.EscapeDataString(Uri.UnescapeDataString(text));
}
