using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KeepFs.WebDav.S3.Signing;

/// <summary>Verifies the signature of a request (keep-web.md 4.1, docs/decisions/0027-s3.md). Safe for concurrent use.</summary>
/// <param name="find">The secret and the token of an access key; throws for one that has none.</param>
/// <param name="time">The clock.</param>
internal sealed class S3Authenticator(Func<AccessKey, CancellationToken, ValueTask<(string Secret, string Token)>> find, TimeProvider time)
{
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(5);

    /// <summary>The request is meant for S3: signed as only S3 clients sign.</summary>
    public static bool IsSigned(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith(SignatureV4.Algorithm + " ", StringComparison.Ordinal) || authorization.StartsWith("AWS ", StringComparison.Ordinal)
            || request.Query.ContainsKey("X-Amz-Algorithm") || (request.Query.ContainsKey("AWSAccessKeyId") && request.Query.ContainsKey("Signature"));
    }

    /// <summary>Whose request it is.</summary>
    /// <exception cref="S3Exception">403 or 400: not signed as it must be.</exception>
    public async Task<S3Identity> AuthenticateAsync(HttpRequest request, S3Target target, S3Query query, CancellationToken cancellationToken)
    {
        var authorization = request.Headers.Authorization.ToString();
        var inQuery = query.Has("X-Amz-Algorithm") || query.Has("AWSAccessKeyId");
        if (authorization.Length > 0 && inQuery)
        {
            throw S3Errors.InvalidArgument("Only one kind of signature is allowed: in the Authorization header or in the query.");
        }

        return authorization.StartsWith("AWS ", StringComparison.Ordinal) ? await VerifyAsync(SignatureV2.FromHeader(authorization), request, target, query, cancellationToken)
            : authorization.Length > 0 ? await VerifyAsync(SignatureV4.FromHeader(authorization, request.Headers), request, target, query, cancellationToken)
            : query.Has("X-Amz-Algorithm") ? await VerifyAsync(SignatureV4.FromQuery(query), request, target, query, cancellationToken)
            : await VerifyAsync(SignatureV2.FromQuery(query), request, target, query, cancellationToken);
    }

    private async Task<S3Identity> VerifyAsync(SignatureV4 signature, HttpRequest request, S3Target target, S3Query query, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (signature.Lifetime is not { } lifetime)
        {
            RequireRecent(signature.Time, now);
        }
        else if (signature.Time > now + MaxSkew)
        {
            throw S3Errors.ExpiredUrl("The URL is not valid yet.");
        }
        else if (signature.Time + lifetime < now)
        {
            throw S3Errors.ExpiredUrl("Request has expired");
        }

        RequireSigned(signature, request.Headers);
        var payload = PayloadHash(request, query, isPresigned: signature.Lifetime is not null);
        var (secret, token) = await find(signature.Key, cancellationToken);
        var scope = new SigningScope(secret, signature.Timestamp, signature.Scope);
        var expected = scope.SignRequest(CanonicalRequest.Of(request.Method, target.DecodedPath, query, request.Headers, signature.SignedHeaders, payload));
        return SigningScope.Same(expected, signature.Signature) ? new S3Identity(token, payload, scope, signature.Signature) : throw S3Errors.SignatureDoesNotMatch();
    }

    private async Task<S3Identity> VerifyAsync(SignatureV2 signature, HttpRequest request, S3Target target, S3Query query, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (signature.Expires is not { } end)
        {
            RequireRecent(SignatureV2.TimeOf(request.Headers), now);
        }
        else if (end < now)
        {
            throw S3Errors.ExpiredUrl("Request has expired");
        }

        var (secret, token) = await find(signature.Key, cancellationToken);
        return signature.IsOf(secret, request, target, query) ? new S3Identity(token, UnsignedPayload, null, "") : throw S3Errors.SignatureDoesNotMatch();
    }

    private static void RequireRecent(DateTimeOffset signed, DateTimeOffset now)
    {
        if ((signed - now).Duration() > MaxSkew)
        {
            throw S3Errors.TooSkewed();
        }
    }

    /// <summary>A header that tells what to do must be signed: otherwise whoever carries the request could add a copy source or a condition.</summary>
    private static void RequireSigned(SignatureV4 signature, IHeaderDictionary headers)
    {
        var names = signature.SignedHeaders.Split(';');
        foreach (var name in headers.Keys)
        {
            if (name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase) && !name.Equals("x-amz-content-sha256", StringComparison.OrdinalIgnoreCase)
                && !names.Contains(name.ToLowerInvariant()))
            {
                throw S3Errors.AccessDenied($"There were headers present in the request which were not signed: {name}");
            }
        }
    }

    private static string PayloadHash(HttpRequest request, S3Query query, bool isPresigned)
    {
        if (request.Headers.TryGetValue("x-amz-content-sha256", out var values) && values.ToString() is { Length: > 0 } header)
        {
            return header;
        }

        return isPresigned ? query["X-Amz-Content-Sha256"] ?? UnsignedPayload
            : request.ContentLength is null or 0 && StringValues.IsNullOrEmpty(request.Headers.TransferEncoding) ? CanonicalRequest.EmptyHash
            : throw S3Errors.InvalidRequest("A request with a body needs x-amz-content-sha256.");
    }
}
