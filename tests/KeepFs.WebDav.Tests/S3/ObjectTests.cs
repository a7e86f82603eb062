using System.Security.Cryptography;
using Amazon.S3.Model;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Objects through AWS's own client.</summary>
public sealed class ObjectTests(TestSite site) : IClassFixture<TestSite>
{
    [Fact]
    public async Task Put_get_list_and_delete_with_the_sdk()
    {
        using var s3 = S3Client.Of(site);
        var bucket = await site.CreateCollectionAsync();
        var put = await s3.PutTextAsync(bucket, "dir/ü %20+&.txt", "hello");
        Assert.Equal($"\"{Convert.ToHexStringLower(MD5.HashData("hello"u8))}\"", put.ETag);
        Assert.Equal("hello", await s3.GetTextAsync(bucket, "dir/ü %20+&.txt"));
        Assert.Equal("hello", await site.GetTextAsync($"/c={bucket}/dir/%C3%BC%20%2520%2B&.txt"));
        var list = await s3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket });
        Assert.Equal(["dir/", "dir/ü %20+&.txt"], list.S3Objects.Select(o => o.Key));
        Assert.Equal(put.ETag, list.S3Objects[1].ETag);
        await s3.DeleteObjectAsync(bucket, "dir/ü %20+&.txt");
        await S3Client.FailsAsync("NoSuchKey", 404, () => s3.GetObjectAsync(bucket, "dir/ü %20+&.txt"));
    }
}
