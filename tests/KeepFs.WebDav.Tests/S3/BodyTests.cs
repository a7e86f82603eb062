using System.Security.Cryptography;
using System.Text;
using KeepFs.WebDav.S3.Bodies;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Bodies: the framed example of AWS's documentation, checksums, and everything that could be wrong about them.</summary>
public sealed class BodyTests
{
    private const string Seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    private const string TrailerSeed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    private static readonly SigningScope Scope = new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524T000000Z", "20130524/us-east-1/s3/aws4_request");
    private static readonly byte[] Content = Enumerable.Repeat((byte)'a', 66_560).ToArray();

    private static byte[] Signed { get; } = Framed(
        ("10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", 65_536),
        ("400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", 1024),
        ("0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", 0));

    private static byte[] SignedWithTrailer { get; } =
    [
        .. Framed(
            ("10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", 65_536),
            ("400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", 1024))[..],
        .. "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\nx-amz-checksum-crc32c:sOO8/Q==\r\n"u8,
        .. "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"u8,
    ];

    [Theory]
    [InlineData("crc32", "y/Q5Jg==")]
    [InlineData("crc32c", "4waSgw==")]
    [InlineData("crc64nvme", "rosUhgp5mIg=")]
    [InlineData("sha1", "98O8HYCOBHMq26eYLe+I0AOSZrY=")]
    public void Checksum_of_the_check_string_is_the_published_one(string algorithm, string base64)
    {
        using var sum = Checksum.Of(algorithm);
        foreach (var part in (string[])["1", "23456789"])
        {
            sum.Append(Encoding.ASCII.GetBytes(part));
        }

        Assert.Equal(algorithm == "sha1" ? Convert.ToBase64String(SHA1.HashData("123456789"u8)) : base64, Convert.ToBase64String(sum.Result()));
        Assert.False(sum.Is("AAAA"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    [InlineData(100_000)]
    public async Task Chunked_examples_of_the_documentation_are_decoded_whatever_the_pieces(int pieceBytes)
    {
        Assert.Equal(Content, await DecodeAsync(Signed, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", Seed, pieceBytes));
        Assert.Equal(Content, await DecodeAsync(SignedWithTrailer, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", TrailerSeed, pieceBytes, "x-amz-checksum-crc32c"));
    }

    [Fact]
    public async Task Any_change_to_a_signed_body_is_refused_and_never_passes_as_other_data()
    {
        var random = new Random(42);
        for (var round = 0; round < 3000; round++)
        {
            var hasTrailer = round % 2 == 1;
            var body = (hasTrailer ? SignedWithTrailer : Signed).ToList();
            for (var edits = random.Next(1, 4); edits > 0; edits--)
            {
                // Most edits where the framing is.
                var at = random.Next(3) == 0 ? random.Next(body.Count) : Math.Min(body.Count - 1, new[] { random.Next(100), 65_620 + random.Next(120), Math.Max(0, body.Count - 1 - random.Next(260)) }[random.Next(3)]);
                switch (random.Next(4))
                {
                    case 0:
                        body[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        body.RemoveRange(at, Math.Min(random.Next(1, 50), body.Count - at));
                        break;
                    case 2:
                        body.Insert(at, (byte)"0;\r\n:a"[random.Next(6)]);
                        break;
                    default:
                        body.RemoveRange(at, body.Count - at);
                        break;
                }

                if (body.Count == 0)
                {
                    break;
                }
            }

            try
            {
                var decoded = await DecodeAsync(
                    [.. body], hasTrailer ? "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" : "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", hasTrailer ? TrailerSeed : Seed, random.Next(1, 5000),
                    hasTrailer ? "x-amz-checksum-crc32c" : null);
                Assert.Equal(Content, decoded);
            }
            catch (S3Exception e)
            {
                Assert.Contains(e.Code, (string[])["SignatureDoesNotMatch", "IncompleteBody", "InvalidRequest", "BadDigest"]);
            }
        }
    }

    [Theory]
    [InlineData("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", null)]
    [InlineData("2\r\nhe\r\n3;ignored=1\r\nllo\r\n0\r\nx-amz-checksum-crc32: NhCmhg==\r\n\r\n", null)]
    [InlineData("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n", null)]
    [InlineData("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "InvalidRequest")]
    [InlineData("5\r\nhallo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "BadDigest")]
    [InlineData("6\r\nhello!\r\n0\r\n\r\n", "IncompleteBody")]
    [InlineData("4\r\nhell\r\n0\r\n\r\n", "IncompleteBody")]
    [InlineData("5\r\nhello", "IncompleteBody")]
    [InlineData("5\r\nhel", "IncompleteBody")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n", "InvalidRequest")]
    [InlineData("FFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "InvalidRequest")]
    [InlineData("FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "InvalidRequest")]
    [InlineData("hello", "IncompleteBody")]
    [InlineData("hello\r\n", "InvalidRequest")]
    [InlineData("", "IncompleteBody")]
    public async Task Unsigned_chunks_are_taken_only_with_the_announced_length_and_checksum(string body, string? code)
    {
        Task<byte[]> Decode() => DecodeAsync(Encoding.ASCII.GetBytes(body), "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", 3, "x-amz-checksum-crc32", 5);
        if (code is null)
        {
            Assert.Equal("hello"u8.ToArray(), await Decode());
        }
        else
        {
            Assert.Equal(code, (await Assert.ThrowsAsync<S3Exception>(Decode)).Code);
        }
    }

    [Fact]
    public async Task Endless_framing_lines_are_refused_after_a_few_kilobytes()
    {
        var endless = Encoding.ASCII.GetBytes("5;x=" + new string('a', 1 << 20));
        Assert.Equal("InvalidRequest", (await Assert.ThrowsAsync<S3Exception>(() => DecodeAsync(endless, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", 4096, null, 5))).Code);
        var trailers = Encoding.ASCII.GetBytes("0\r\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"a{i}:b\r\n")) + "\r\n");
        Assert.Equal("InvalidRequest", (await Assert.ThrowsAsync<S3Exception>(() => DecodeAsync(trailers, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", 4096, null, 0))).Code);
    }

    [Theory]
    [InlineData("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "XUFAKrxLKna5cZ2REBfFkg==", null)]
    [InlineData("2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824", "", null)]
    [InlineData("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9825", "", "XAmzContentSHA256Mismatch")]
    [InlineData("UNSIGNED-PAYLOAD", "XUFAKrxLKna5cZ2REBfFkw==", "BadDigest")]
    [InlineData("UNSIGNED-PAYLOAD", "XUFAKrxLKna5cZ2REBfF", "InvalidDigest")]
    [InlineData("UNSIGNED-PAYLOAD", "not base64", "InvalidDigest")]
    [InlineData("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "", "NotImplemented")]
    [InlineData("nonsense", "", "InvalidArgument")]
    public async Task Plain_body_must_be_what_its_head_says(string hash, string md5, string? code)
    {
        async Task<byte[]> Read()
        {
            var request = new DefaultHttpContext().Request;
            request.Body = new MemoryStream("hello"u8.ToArray());
            request.Headers.ContentMD5 = md5;
            return await RequestBody.ReadAllAsync(request, new S3Identity("t", hash, Scope, ""), 100, hasChecksums: true, default);
        }

        if (code is null)
        {
            Assert.Equal("hello"u8.ToArray(), await Read());
        }
        else
        {
            Assert.Equal(code, (await Assert.ThrowsAsync<S3Exception>(Read)).Code);
        }
    }

    private static byte[] Framed(params (string Head, int Length)[] chunks) =>
        [.. chunks.SelectMany(chunk => (byte[])[.. Encoding.ASCII.GetBytes(chunk.Head), 13, 10, .. Content[..chunk.Length], 13, 10])];

    private static async Task<byte[]> DecodeAsync(byte[] body, string payload, string seed, int pieceBytes, string? trailer = null, long? length = null)
    {
        var request = new DefaultHttpContext().Request;
        request.Body = new Pieces(body, pieceBytes);
        request.Headers["x-amz-decoded-content-length"] = (length ?? Content.Length).ToString(System.Globalization.CultureInfo.InvariantCulture);
        request.Headers["x-amz-trailer"] = trailer;
        return await RequestBody.ReadAllAsync(request, new S3Identity("t", payload, Scope, seed), int.MaxValue, hasChecksums: true, default);
    }

    /// <summary>Gives at most so many bytes at a time, as networks do.</summary>
    private sealed class Pieces(byte[] data, int pieceBytes) : MemoryStream(data)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(pieceBytes, buffer.Length)], cancellationToken);
    }
}
