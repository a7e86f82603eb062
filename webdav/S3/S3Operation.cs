using KeepFs.WebDav.S3.Buckets;
using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3;

/// <summary>The operation that a request asks for, by S3's names.</summary>
internal static class S3Operation
{
    /// <summary>The name; null for a method that this target does not have.</summary>
    /// <param name="method">HTTP method.</param>
    /// <param name="target">Bucket and key.</param>
    /// <param name="query">Parameters.</param>
    /// <param name="headers">Headers.</param>
    public static string? Of(string method, S3Target target, S3Query query, IHeaderDictionary headers)
    {
        if (target.Bucket.Length == 0)
        {
            return method == "GET" && Subresources.Of(query) is null ? "ListBuckets" : null;
        }

        var isCopy = headers.ContainsKey("x-amz-copy-source");
        return target.Key.Length == 0
            ? method switch
            {
                "GET" when query.Has("location") => "GetBucketLocation",
                "GET" when query.Has("uploads") => "ListMultipartUploads",
                "GET" when Subresources.Of(query) is not null => "GetSetting",
                "GET" => query.Has("list-type") ? "ListObjectsV2" : "ListObjects",
                "HEAD" => "HeadBucket",
                "POST" when query.Has("delete") => "DeleteObjects",
                "PUT" or "DELETE" or "POST" when Subresources.Of(query) is not null => "PutSetting",
                "PUT" => "CreateBucket",
                "DELETE" => "DeleteBucket",
                "POST" => "PostForm",
                _ => null,
            }
            : method switch
            {
                "GET" when query.Has("uploadId") => "ListParts",
                "PUT" when query.Has("uploadId") => isCopy ? "UploadPartCopy" : "UploadPart",
                "POST" when query.Has("uploadId") => "CompleteMultipartUpload",
                "DELETE" when query.Has("uploadId") => "AbortMultipartUpload",
                "POST" when query.Has("uploads") => "CreateMultipartUpload",
                "GET" when Subresources.Of(query) is not null => "GetSetting",
                "PUT" or "DELETE" or "POST" when Subresources.Of(query) is not null => "PutSetting",
                "GET" => "GetObject",
                "HEAD" => "HeadObject",
                "PUT" => isCopy ? "CopyObject" : "PutObject",
                "DELETE" => "DeleteObject",
                _ => null,
            };
    }
}
