using System.Globalization;
using KeepFs.Hosting.Http;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Bodies;

/// <summary>
/// The data of a request: framing taken off, and everything verified that the client said about it. The end of the stream is only reached when
/// all of it was right, so whoever read to the end may store what it read. Dispose after use; the request's own stream stays open.
/// </summary>
internal sealed class RequestBody : ForwardStream
{
    private readonly Stream _source;
    private readonly AwsChunkedStream? _chunked;
    private readonly List<(Checksum Sum, string Name, string? Expected)> _base64 = [];
    private readonly Checksum? _payload;
    private readonly string _payloadHash;
    private bool _isVerified;

    private RequestBody(HttpRequest request, S3Identity identity, bool hasChecksums)
    {
        _payloadHash = identity.PayloadHash;
        (_source, _chunked, LengthBytes, _payload) = Open(request, identity);
        if (request.Headers.ContentMD5.ToString() is { Length: > 0 } md5)
        {
            _base64.Add((Checksum.Of("md5"), "Content-MD5", Digest(md5, "Content-MD5")));
        }

        foreach (var algorithm in hasChecksums ? Checksum.Algorithms : [])
        {
            var name = Checksum.HeaderPrefix + algorithm;
            if (request.Headers[name].ToString() is { Length: > 0 } header)
            {
                _base64.Add((Checksum.Of(algorithm), name, Digest(header, name)));
            }
        }

        foreach (var name in request.Headers["x-amz-trailer"].ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (_chunked is not null && name.StartsWith(Checksum.HeaderPrefix, StringComparison.OrdinalIgnoreCase))
            {
                _base64.Add((Checksum.Of(name[Checksum.HeaderPrefix.Length..].ToLowerInvariant()), name.ToLowerInvariant(), null));
            }
        }
    }

    /// <summary>Bytes of data, or -1 when the client did not say.</summary>
    public long LengthBytes { get; }

    /// <summary>The checksums that were sent and verified, by header name; to be told the client, after the end of the stream.</summary>
    public IEnumerable<(string Name, string Value)> Verified => _base64.Where(sum => sum.Name != "Content-MD5").Select(sum => (sum.Name, Convert.ToBase64String(sum.Sum.Result())));

    /// <summary>Opens the body of a request whose head was verified.</summary>
    /// <exception cref="S3Exception">400, 411: what the head says of the body cannot be.</exception>
    public static RequestBody Of(HttpRequest request, S3Identity identity) => new(request, identity, hasChecksums: true);

    /// <summary>The whole body in memory.</summary>
    /// <param name="request">The request.</param>
    /// <param name="identity">Who signed it.</param>
    /// <param name="maxBytes">More is refused.</param>
    /// <param name="hasChecksums">Headers with checksums are about this body, not about something that it speaks of.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="S3Exception">400: larger, or not what was signed.</exception>
    public static async Task<byte[]> ReadAllAsync(HttpRequest request, S3Identity identity, int maxBytes, bool hasChecksums, CancellationToken cancellationToken)
    {
        await using var body = new RequestBody(request, identity, hasChecksums);
        var buffer = new MemoryStream();
        var chunk = new byte[16 << 10];
        int read;
        while ((read = await body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > maxBytes)
            {
                throw new S3Exception(400, "MaxMessageLengthExceeded", "The body is too large.");
            }
        }

        return buffer.ToArray();
    }

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _source.ReadAsync(buffer, cancellationToken);
        if (read == 0 && !buffer.IsEmpty)
        {
            Verify();
            return 0;
        }

        var data = buffer.Span[..read];
        _payload?.Append(data);
        foreach (var (sum, _, _) in _base64)
        {
            sum.Append(data);
        }

        return read;
    }

    protected override void Dispose(bool disposing)
    {
        _payload?.Dispose();
        _chunked?.Dispose();
        _base64.ForEach(sum => sum.Sum.Dispose());
        base.Dispose(disposing);
    }

    private static (Stream Source, AwsChunkedStream? Chunked, long LengthBytes, Checksum? Payload) Open(HttpRequest request, S3Identity identity)
    {
        var (payload, length) = (identity.PayloadHash, request.ContentLength ?? -1);
        if (payload.StartsWith("STREAMING-", StringComparison.Ordinal))
        {
            var (isSigned, hasTrailer) = payload switch
            {
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => (true, false),
                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => (true, true),
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => (false, true),
                _ => throw S3Errors.NotImplemented($"x-amz-content-sha256: {payload}"),
            };
            if (!long.TryParse(request.Headers["x-amz-decoded-content-length"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var decoded))
            {
                throw S3Errors.MissingContentLength();
            }

            var chunked = new AwsChunkedStream(request.Body, decoded, isSigned ? identity.Scope : null, identity.SeedSignature, hasTrailer);
            return (chunked, chunked, decoded, null);
        }

        // Some clients frame what they do not sign: the framing must never become data.
        if (request.Headers.ContentEncoding.ToString().Contains("aws-chunked", StringComparison.OrdinalIgnoreCase))
        {
            throw S3Errors.InvalidRequest("Content-Encoding is aws-chunked, but x-amz-content-sha256 does not say STREAMING-.");
        }

        return payload == S3Authenticator.UnsignedPayload ? (request.Body, null, length, null)
            : payload.Length == 64 && payload.All(char.IsAsciiHexDigit) ? (request.Body, null, length, Checksum.Of("sha256"))
            : throw S3Errors.InvalidArgument("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-... or a SHA-256 in hexadecimal digits.");
    }

    private void Verify()
    {
        if (_isVerified)
        {
            return;
        }

        if (_payload is not null && !Convert.ToHexStringLower(_payload.Result()).Equals(_payloadHash, StringComparison.OrdinalIgnoreCase))
        {
            throw new S3Exception(400, "XAmzContentSHA256Mismatch", "The body is not the one whose SHA-256 was signed; nothing was stored.");
        }

        foreach (var (sum, name, expected) in _base64)
        {
            var value = expected ?? (_chunked!.Trailers.TryGetValue(name, out var trailer) ? trailer : throw S3Errors.InvalidRequest($"The trailer {name} was announced and did not come."));
            if (!sum.Is(value))
            {
                throw S3Errors.BadDigest(name);
            }
        }

        _isVerified = true;
    }

    private static string Digest(string text, string name)
    {
        Span<byte> bytes = stackalloc byte[64];
        return Convert.TryFromBase64String(text, bytes, out var length) && (name != "Content-MD5" || length == 16) ? text : throw S3Errors.InvalidDigest(name);
    }
}
