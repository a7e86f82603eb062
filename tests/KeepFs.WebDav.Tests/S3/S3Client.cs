using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>AWS's own client for the site under test.</summary>
internal static class S3Client
{
    /// <summary>As users configure it: the token in the form that needs no slash, as key and as secret.</summary>
    public static AmazonS3Client Of(TestSite site, string? token = null, Uri? address = null)
    {
        var key = (token ?? site.Token).Replace('/', '_');
        return Of(address ?? site.Address, key, key);
    }

    public static AmazonS3Client Of(Uri address, string key, string secret) => new(new BasicAWSCredentials(key, secret), new AmazonS3Config
    {
        ServiceURL = address.AbsoluteUri,
        ForcePathStyle = true,
        AuthenticationRegion = "zzzzz",
        MaxErrorRetry = 0,
    });

    public static Task<PutObjectResponse> PutTextAsync(this IAmazonS3 s3, string bucket, string key, string text) =>
        s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, ContentBody = text });

    public static async Task<string> GetTextAsync(this IAmazonS3 s3, string bucket, string key)
    {
        using var response = await s3.GetObjectAsync(bucket, key);
        using var reader = new StreamReader(response.ResponseStream);
        return await reader.ReadToEndAsync();
    }

    /// <summary>The request fails with this code and status.</summary>
    public static async Task FailsAsync(string code, int status, Func<Task> request)
    {
        var failure = await Assert.ThrowsAnyAsync<AmazonS3Exception>(request);
        Assert.Equal((code, status), (failure.ErrorCode, (int)failure.StatusCode));
    }
}
