using System.Text;
using System.Text.Json;
using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>Headers that S3 requests and answers have beyond HTTP's.</summary>
internal static class ObjectHeaders
{
    private const int MaxMetadataBytes = 8 << 10;

    private static readonly (string Parameter, string Header)[] Overrides =
    [
        ("response-content-type", "Content-Type"), ("response-content-language", "Content-Language"), ("response-expires", "Expires"),
        ("response-cache-control", "Cache-Control"), ("response-content-disposition", "Content-Disposition"), ("response-content-encoding", "Content-Encoding"),
    ];

    /// <summary>Refuses what a client asks to be kept or done with an object and a collection cannot hold (docs/s3.md).</summary>
    /// <exception cref="S3Exception">501, or 400 for a storage class.</exception>
    public static void RefuseUnsupported(IHeaderDictionary headers)
    {
        foreach (var name in (string[])[
            "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm", "x-amz-copy-source-server-side-encryption-customer-algorithm",
            "x-amz-object-lock-mode", "x-amz-object-lock-legal-hold", "x-amz-object-lock-retain-until-date", "x-amz-website-redirect-location", "x-amz-tagging",
            "x-amz-grant-read", "x-amz-grant-write", "x-amz-grant-full-control", "x-amz-grant-read-acp", "x-amz-grant-write-acp", "x-amz-write-offset-bytes"])
        {
            if (headers[name].ToString() is { Length: > 0 })
            {
                throw S3Errors.NotImplemented(name);
            }
        }

        if (headers["x-amz-acl"].ToString() is var acl and not ("" or "private" or "bucket-owner-full-control" or "bucket-owner-read"))
        {
            throw S3Errors.NotImplemented($"x-amz-acl: {acl}. Rights are given in the catalogue");
        }

        if (headers["x-amz-storage-class"].ToString() is not ("" or "STANDARD"))
        {
            throw new S3Exception(400, "InvalidStorageClass", "Only the storage class STANDARD is known here; a collection has its own storage classes.");
        }
    }

    /// <summary>The response-* parameters of GET; the request is signed, so its sender meant them.</summary>
    /// <exception cref="S3Exception">400: a value that no header can have.</exception>
    public static void Override(HttpResponse response, S3Query query)
    {
        foreach (var (parameter, header) in Overrides)
        {
            if (query[parameter] is { } value)
            {
                if (value.Any(c => c is < ' ' or >= '\x7f'))
                {
                    throw S3Errors.InvalidArgument($"{parameter} is no header value.");
                }

                response.Headers[header] = value;
            }
        }
    }

    /// <summary>
    /// Properties as <c>x-amz-meta-*</c> (keep-web.md 4.3): texts as they are, other values as JSON, what is not ASCII by RFC 2047. Keys that cannot
    /// be header names, and what would make the head too large, are left out.
    /// </summary>
    public static void AddMetadata(HttpResponse response, JsonElement? properties)
    {
        if (properties is not { ValueKind: JsonValueKind.Object } all)
        {
            return;
        }

        var left = MaxMetadataBytes;
        foreach (var property in all.EnumerateObject())
        {
            var value = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : property.Value.GetRawText();
            if (value.Any(c => c is < ' ' or >= '\x7f'))
            {
                value = $"=?UTF-8?b?{Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}?=";
            }

            if (property.Name.Length > 0 && property.Name.All(IsToken) && property.Name.Length + value.Length <= left)
            {
                left -= property.Name.Length + value.Length;
                response.Headers["x-amz-meta-" + property.Name] = value;
            }
        }
    }

    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);
}
