using System.Security.Cryptography;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Multipart uploads: their state is in the catalogue.</summary>
public sealed class MultipartTests(TestSite site) : IClassFixture<TestSite>
{
    private const int PartBytes = 5 << 20;

    [Fact]
    public async Task Parts_in_any_order_through_several_servers_and_a_restart_become_the_object()
    {
        var bucket = await site.CreateCollectionAsync();
        var data = RandomNumberGenerator.GetBytes((2 * PartBytes) + 1000);
        using var s3 = S3Client.Of(site);
        var upload = (await s3.InitiateMultipartUploadAsync(bucket, "dir/big")).UploadId;
        Assert.Equal([upload], (await s3.ListMultipartUploadsAsync(bucket)).MultipartUploads.Select(u => u.UploadId));

        // A keep-web that comes and goes takes the last part first; nothing of it is kept in a process.
        await using (var other = await site.StartWebAsync(options => options))
        {
            using var second = S3Client.Of(site, address: new Uri(other.Addresses.Single()));
            await UploadAsync(second, bucket, "dir/big", upload, 3, data.AsSpan(2 * PartBytes).ToArray());
            await other.StopAsync(default);
        }

        await UploadAsync(s3, bucket, "dir/big", upload, 1, [1]);
        var tags = await Task.WhenAll(
            UploadAsync(s3, bucket, "dir/big", upload, 1, data[..PartBytes]), UploadAsync(s3, bucket, "dir/big", upload, 2, data[PartBytes..(2 * PartBytes)]));
        var parts = await s3.ListPartsAsync(bucket, "dir/big", upload);
        Assert.Equal([(1, (long)PartBytes), (2, PartBytes), (3, 1000)], parts.Parts.Select(part => (part.PartNumber!.Value, part.Size!.Value)));
        Assert.Equal(tags, parts.Parts.Take(2).Select(part => part.ETag));
        var blocks = Blocks();
        await using var third = await site.StartWebAsync(options => options);
        using var last = S3Client.Of(site, address: new Uri(third.Addresses.Single()));
        var completed = await CompleteAsync(last, bucket, "dir/big", upload, [.. parts.Parts.Select(part => (part.PartNumber!.Value, part.ETag))]);
        Assert.EndsWith("-3\"", completed.ETag, StringComparison.Ordinal);
        Assert.Equal(blocks, Blocks());
        Assert.Equal(data, await BytesAsync(bucket, "dir/big"));
        Assert.Equal(completed.ETag, (await s3.GetObjectMetadataAsync(bucket, "dir/big")).ETag);

        // The answer was lost and the client asks again: the same answer, and nothing else goes on.
        Assert.Equal(completed.ETag, (await CompleteAsync(s3, bucket, "dir/big", upload, [(1, tags[0])])).ETag);
        await S3Client.FailsAsync("NoSuchUpload", 404, () => UploadAsync(s3, bucket, "dir/big", upload, 1, [1]));
        await S3Client.FailsAsync("NoSuchUpload", 404, () => s3.AbortMultipartUploadAsync(bucket, "dir/big", upload));
        Assert.Empty((await s3.ListMultipartUploadsAsync(bucket)).MultipartUploads ?? []);
        await third.StopAsync(default);

        List<string> Blocks() => [.. site.Volumes.SelectMany(volume => Directory.EnumerateFiles(volume.Path, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Complete_refuses_what_was_not_uploaded_so_and_changes_nothing()
    {
        var bucket = await site.CreateCollectionAsync();
        using var s3 = S3Client.Of(site);
        var upload = (await s3.InitiateMultipartUploadAsync(bucket, "f")).UploadId;
        var one = await UploadAsync(s3, bucket, "f", upload, 1, new byte[100]);
        var two = await UploadAsync(s3, bucket, "f", upload, 2, [2]);
        await S3Client.FailsAsync("EntityTooSmall", 400, () => CompleteAsync(s3, bucket, "f", upload, [(1, one), (2, two)]));
        await S3Client.FailsAsync("InvalidPart", 400, () => CompleteAsync(s3, bucket, "f", upload, [(1, two)]));
        await S3Client.FailsAsync("InvalidPart", 400, () => CompleteAsync(s3, bucket, "f", upload, [(3, two)]));
        Task<TestAnswer> Complete(int status, string? code, string xml, params (string, string)[] headers) =>
            site.S3Async(status, code, "POST", $"/{bucket}/f?uploadId={upload}", Encoding.UTF8.GetBytes(xml), headers: headers);
        static string Part(int number, string tag) => $"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>";
        await Complete(400, "InvalidPartOrder", $"<CompleteMultipartUpload>{Part(2, two)}{Part(1, one)}</CompleteMultipartUpload>");
        await Complete(400, "InvalidPartOrder", $"<CompleteMultipartUpload>{Part(1, one)}{Part(1, one)}</CompleteMultipartUpload>");
        await Complete(400, "MalformedXML", "<CompleteMultipartUpload></CompleteMultipartUpload>");
        await Complete(400, "MalformedXML", "");
        await Complete(400, "MalformedXML", "<CompleteMultipartUpload><Part><PartNumber>-1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>");
        await Complete(400, "InvalidRequest", $"<CompleteMultipartUpload>{Part(2, two)}</CompleteMultipartUpload>", ("x-amz-mp-object-size", "2"));
        await Complete(400, "BadDigest", $"<CompleteMultipartUpload>{Part(2, two)}</CompleteMultipartUpload>", ("x-amz-checksum-crc32", "AAAAAA=="));
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/f");
        await site.PutAsync($"/c={bucket}/f", "other");
        await Complete(412, "PreconditionFailed", $"<CompleteMultipartUpload>{Part(2, two)}</CompleteMultipartUpload>", ("If-None-Match", "*"));
        Assert.Equal("other", await site.GetTextAsync($"/c={bucket}/f"));
        await Complete(200, null, $"<CompleteMultipartUpload>{Part(2, two)}</CompleteMultipartUpload>", ("x-amz-checksum-sha256", Convert.ToBase64String(SHA256.HashData([2]))));
        Assert.Equal(2, Assert.Single(await BytesAsync(bucket, "f")));
    }

    [Fact]
    public async Task Part_requests_name_an_upload_of_this_bucket_and_key()
    {
        var (bucket, other) = (await site.CreateCollectionAsync(), await site.CreateCollectionAsync());
        using var s3 = S3Client.Of(site);
        var upload = (await s3.InitiateMultipartUploadAsync(bucket, "f")).UploadId;
        foreach (var target in (string[])[$"/{bucket}/g?partNumber=1&uploadId={upload}", $"/{other}/f?partNumber=1&uploadId={upload}", $"/{bucket}/f?partNumber=1&uploadId={bucket}",
            $"/{bucket}/f?partNumber=1&uploadId=x", $"/{bucket}/f?partNumber=1&uploadId="])
        {
            await site.S3Async(404, "NoSuchUpload", "PUT", target, [1]);
            await site.S3Async(404, "NoSuchUpload", "GET", target);
            await site.S3Async(404, "NoSuchUpload", "DELETE", target);
        }

        foreach (var number in (string[])["0", "10001", "-1", "x", ""])
        {
            await site.S3Async(400, "InvalidArgument", "PUT", $"/{bucket}/f?partNumber={number}&uploadId={upload}", [1]);
        }

        await site.S3Async(400, "BadDigest", "PUT", $"/{bucket}/f?partNumber=1&uploadId={upload}", [1], headers: ("Content-MD5", Convert.ToBase64String(new byte[16])));
        Assert.Empty((await s3.ListPartsAsync(bucket, "f", upload)).Parts ?? []);
        await s3.AbortMultipartUploadAsync(bucket, "f", upload);
        await S3Client.FailsAsync("NoSuchUpload", 404, () => s3.ListPartsAsync(bucket, "f", upload));
        await S3Client.FailsAsync("NoSuchBucket", 404, () => s3.InitiateMultipartUploadAsync("nothing-here", "f"));
    }

    [Fact]
    public async Task Parts_can_be_copied_from_ranges_of_objects_without_new_blocks()
    {
        var bucket = await site.CreateCollectionAsync();
        using var s3 = S3Client.Of(site);
        var data = RandomNumberGenerator.GetBytes(3 * PartBytes);
        await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "source", InputStream = new MemoryStream(data) });
        var upload = (await s3.InitiateMultipartUploadAsync(bucket, "target")).UploadId;
        var blocks = Blocks();
        var request = new CopyPartRequest
        {
            SourceBucket = bucket,
            SourceKey = "source",
            DestinationBucket = bucket,
            DestinationKey = "target",
            UploadId = upload,
            PartNumber = 1,
            FirstByte = 10,
            LastByte = PartBytes + 9,
        };
        var one = (await s3.CopyPartAsync(request)).ETag;
        (request.PartNumber, request.FirstByte, request.LastByte) = (2, 0, 99);
        var two = (await s3.CopyPartAsync(request)).ETag;
        await site.S3Async(
            400, "InvalidArgument", "PUT", $"/{bucket}/target?partNumber=3&uploadId={upload}", headers: [("x-amz-copy-source", $"/{bucket}/source"), ("x-amz-copy-source-range", $"bytes=0-{data.Length}")]);
        await CompleteAsync(s3, bucket, "target", upload, (1, one), (2, two));
        Assert.Equal(blocks, Blocks());
        byte[] expected = [.. data[10..(PartBytes + 10)], .. data[..100]];
        Assert.Equal(expected, await BytesAsync(bucket, "target"));

        int Blocks() => site.Volumes.Sum(volume => Directory.EnumerateFiles(volume.Path, "*", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public async Task Uploads_under_way_are_no_buckets_and_end_by_themselves()
    {
        var bucket = await site.CreateCollectionAsync();
        using var s3 = S3Client.Of(site);
        var upload = (await s3.InitiateMultipartUploadAsync(bucket, "f")).UploadId;
        Assert.DoesNotContain(upload, (await s3.ListBucketsAsync()).Buckets.Select(b => b.BucketName));
        Assert.DoesNotContain(upload, await site.GetTextAsync("/home/"), StringComparison.Ordinal);
        var record = (await site.Catalog.FindCollectionAsync(upload, null, default))!;
        Assert.InRange(record.TrashAt!.Value - DateTimeOffset.UtcNow, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7.1));
    }

    private static async Task<string> UploadAsync(AmazonS3Client s3, string bucket, string key, string upload, int number, byte[] data) =>
        (await s3.UploadPartAsync(new UploadPartRequest { BucketName = bucket, Key = key, UploadId = upload, PartNumber = number, InputStream = new MemoryStream(data) })).ETag;

    private static Task<CompleteMultipartUploadResponse> CompleteAsync(AmazonS3Client s3, string bucket, string key, string upload, params (int Number, string Tag)[] parts) =>
        s3.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
        {
            BucketName = bucket,
            Key = key,
            UploadId = upload,
            PartETags = [.. parts.Select(part => new PartETag(part.Number, part.Tag))],
        });

    private async Task<byte[]> BytesAsync(string bucket, string key) => (await site.ExpectAsync(200, "GET", $"/c={bucket}/{key}")).Body;
}
