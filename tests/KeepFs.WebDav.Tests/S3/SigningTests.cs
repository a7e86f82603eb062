using System.Security.Cryptography;
using System.Text;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>The examples of AWS's documentation, byte by byte, and what must be refused.</summary>
public sealed class SigningTests
{
    private const string KeyId = "AKIAIOSFODNN7EXAMPLE";
    private const string Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    private const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static readonly DateTimeOffset Then = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("GET", "/test.txt", "host;range;x-amz-content-sha256;x-amz-date", Empty, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")]
    [InlineData(
        "PUT", "/test%24file.text", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")]
    [InlineData("GET", "/?lifecycle", "host;x-amz-content-sha256;x-amz-date", Empty, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")]
    [InlineData("GET", "/?max-keys=2&prefix=J", "host;x-amz-content-sha256;x-amz-date", Empty, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    public async Task Version_4_header_of_the_documentation_is_accepted_and_any_other_is_not(string method, string target, string names, string hash, string signature)
    {
        var request = Request(method, "examplebucket.s3.amazonaws.com");
        request.Headers["x-amz-content-sha256"] = hash;
        request.Headers["x-amz-date"] = "20130524T000000Z";
        if (names.Contains("range", StringComparison.Ordinal))
        {
            request.Headers.Range = "bytes=0-9";
        }

        if (names.Contains("storage", StringComparison.Ordinal))
        {
            request.Headers.Date = "Fri, 24 May 2013 00:00:00 GMT";
            request.Headers["x-amz-storage-class"] = "REDUCED_REDUNDANCY";
        }

        void Sign(string value) =>
            request.Headers.Authorization = $"AWS4-HMAC-SHA256 Credential={KeyId}/20130524/us-east-1/s3/aws4_request, SignedHeaders={names}, Signature={value}";
        Sign(signature);
        var identity = await AuthenticateAsync(request, target);
        Assert.Equal((signature, hash), (identity.SeedSignature, identity.PayloadHash));

        Sign((signature[0] == '0' ? "1" : "0") + signature[1..]);
        await RefusedAsync("SignatureDoesNotMatch", request, target);
        Sign(signature[..^1]);
        await RefusedAsync("SignatureDoesNotMatch", request, target);
        Sign(signature[..^1] + "x");
        await RefusedAsync("SignatureDoesNotMatch", request, target);
        Sign(signature);
        await RefusedAsync("SignatureDoesNotMatch", request, target + "x");
        await RefusedAsync("RequestTimeTooSkewed", request, target, Then.AddMinutes(5.1));
        await RefusedAsync("RequestTimeTooSkewed", request, target, Then.AddMinutes(-5.1));
        request.Headers["x-amz-copy-source"] = "/other/key";
        await RefusedAsync("AccessDenied", request, target);
    }

    [Fact]
    public async Task Presigned_url_of_the_documentation_is_accepted_until_it_expires()
    {
        const string target = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        var request = Request("GET", "examplebucket.s3.amazonaws.com");
        Assert.Equal("UNSIGNED-PAYLOAD", (await AuthenticateAsync(request, target)).PayloadHash);
        await AuthenticateAsync(request, target, Then.AddHours(23.9));
        await RefusedAsync("AccessDenied", request, target, Then.AddHours(24.1));
        await RefusedAsync("AccessDenied", request, target, Then.AddHours(-1));
        await RefusedAsync("SignatureDoesNotMatch", request, target.Replace("86400", "86401", StringComparison.Ordinal));
        await RefusedAsync("AuthorizationQueryParametersError", request, target.Replace("86400", "604801", StringComparison.Ordinal));
        await RefusedAsync("AuthorizationQueryParametersError", request, target.Replace("&X-Amz-Date=20130524T000000Z", "", StringComparison.Ordinal));
        await RefusedAsync("SignatureDoesNotMatch", Request("DELETE", "examplebucket.s3.amazonaws.com"), target);
    }

    [Fact]
    public async Task Version_2_is_verified_in_the_header_and_in_the_query()
    {
        var request = Request("GET", "awsexamplebucket1.us-west-1.s3.amazonaws.com");
        request.Headers.Date = "Tue, 27 Mar 2007 19:36:42 +0000";
        request.Headers.Authorization = "AWS AKIAIOSFODNN7EXAMPLE:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=";
        var target = new S3Target("awsexamplebucket1", "photos/puppy.jpg", "/photos/puppy.jpg", "/photos/puppy.jpg", IsVirtualHost: true);
        var now = new DateTimeOffset(2007, 3, 27, 19, 36, 42, TimeSpan.Zero);
        var identity = await Authenticator(now).AuthenticateAsync(request, target, S3Query.Parse("/"), default);
        Assert.Null(identity.Scope);
        request.Headers.Authorization = "AWS AKIAIOSFODNN7EXAMPLE:rgk2+6Sv9/oM7G3qLEjTH1a1l1g=";
        await Assert.ThrowsAsync<S3Exception>(() => Authenticator(now).AuthenticateAsync(request, target, S3Query.Parse("/"), default));

        var end = now.AddMinutes(1).ToUnixTimeSeconds();
        var signature = Uri.EscapeDataString(Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes($"GET\n\n\n{end}\n/b/k?versionId=null"))));
        var presigned = $"/b/k?AWSAccessKeyId={KeyId}&Expires={end}&Signature={signature}&versionId=null";
        await AuthenticateAsync(Request("GET", "host"), presigned, now);
        await RefusedAsync("AccessDenied", Request("GET", "host"), presigned, now.AddMinutes(2));
        await RefusedAsync("SignatureDoesNotMatch", Request("PUT", "host"), presigned, now);
    }

    [Theory]
    [InlineData("/foo%5fbar", "/foo_bar")]
    [InlineData("/foo%2fbar", "/foo/bar")]
    [InlineData("/(foo)/[];,", "/%28foo%29/%5B%5D%3B%2C")]
    [InlineData("/%e2%9b%b5", "/%E2%9B%B5")]
    [InlineData("//foo///.bar", "//foo///.bar")]
    public void Canonical_path_is_that_of_the_specification(string raw, string canonical) =>
        Assert.Equal(canonical, PercentCode.Encode(S3Target.Of(raw, "localhost").DecodedPath, keepSlash: true));

    [Theory]
    [InlineData("v2_zzzzz-gj3su-aaaaaaaaaaaaaaa_secret", "v2/zzzzz-gj3su-aaaaaaaaaaaaaaa/secret")]
    [InlineData("v2%2Fzzzzz-gj3su-aaaaaaaaaaaaaaa%2Fsecret", "v2/zzzzz-gj3su-aaaaaaaaaaaaaaa/secret")]
    [InlineData("v2/zzzzz-gj3su-aaaaaaaaaaaaaaa/secret", "v2/zzzzz-gj3su-aaaaaaaaaaaaaaa/secret")]
    [InlineData("barev1secret", "barev1secret")]
    [InlineData("zzzzz-gj3su-aaaaaaaaaaaaaaa", null)]
    public void Access_key_stands_for_its_token(string text, string? token) => Assert.Equal(token, AccessKey.Parse(text).Token);

    [Fact]
    public async Task Secret_of_a_token_uuid_is_looked_up_once_and_not_believed_beyond_its_end()
    {
        var (asked, clock) = (0, new Clock(Then));
        var secrets = new TokenSecrets(
            (uuid, _) =>
            {
                asked++;
                return Task.FromResult<TokenSecret?>(uuid.EndsWith('a') ? new TokenSecret("s", Then.AddSeconds(10)) : null);
            },
            TimeSpan.FromMinutes(5), clock);
        var key = AccessKey.Parse("zzzzz-gj3su-aaaaaaaaaaaaaaa");
        Assert.Equal(("s", "v2/zzzzz-gj3su-aaaaaaaaaaaaaaa/s"), await secrets.FindAsync(key, default));
        await secrets.FindAsync(key, default);
        Assert.Equal(1, asked);
        clock.Now = Then.AddSeconds(11);
        await secrets.FindAsync(key, default);
        Assert.Equal(2, asked);
        await Assert.ThrowsAsync<S3Exception>(() => secrets.FindAsync(AccessKey.Parse("zzzzz-gj3su-bbbbbbbbbbbbbbb"), default).AsTask());
    }

    [Fact]
    public async Task Nothing_that_a_header_can_hold_is_accepted_or_breaks_the_parser()
    {
        var random = new Random(4711);
        const string good = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        for (var round = 0; round < 20_000; round++)
        {
            var text = new StringBuilder(random.Next(4) == 0 ? "AWS AKIA:x=" : good);
            for (var edits = random.Next(1, 6); edits > 0; edits--)
            {
                var at = random.Next(text.Length);
                switch (random.Next(4))
                {
                    case 0:
                        text.Remove(at, Math.Min(random.Next(1, 30), text.Length - at));
                        break;
                    case 1:
                        text.Insert(at, (char)random.Next(32, 127));
                        break;
                    case 2:
                        text.Insert(at, ";,=/: "[random.Next(6)]);
                        break;
                    default:
                        text.Append(text.ToString(at, Math.Min(20, text.Length - at)));
                        break;
                }

                text = text.Length == 0 ? new StringBuilder("A") : text;
            }

            var request = Request("GET", "host");
            request.Headers["x-amz-date"] = random.Next(5) == 0 ? "2013" : "20130524T000000Z";
            request.Headers.Authorization = text.ToString();
            if (S3Authenticator.IsSigned(request))
            {
                await Assert.ThrowsAsync<S3Exception>(() => AuthenticateAsync(request, "/"));
            }
        }
    }

    private static Task<S3Identity> AuthenticateAsync(HttpRequest request, string target, DateTimeOffset? now = null) =>
        Authenticator(now ?? Then).AuthenticateAsync(request, S3Target.Of(target, "s3.amazonaws.com"), S3Query.Parse(target), default);

    private static async Task RefusedAsync(string code, HttpRequest request, string target, DateTimeOffset? now = null) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<S3Exception>(() => AuthenticateAsync(request, target, now))).Code);

    private static S3Authenticator Authenticator(DateTimeOffset now) => new((_, _) => ValueTask.FromResult((Secret, "token")), new Clock(now));

    private static HttpRequest Request(string method, string host)
    {
        var request = new DefaultHttpContext().Request;
        (request.Method, request.Host) = (method, new HostString(host));
        return request;
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
