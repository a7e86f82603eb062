using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Objects, through AWS's own client and by hand.</summary>
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
        await s3.DeleteObjectAsync(bucket, "dir/ü %20+&.txt");
    }

    [Fact]
    public async Task Get_honours_ranges_conditions_and_overrides()
    {
        using var s3 = S3Client.Of(site);
        var bucket = await site.CreateCollectionAsync();
        var tag = (await s3.PutTextAsync(bucket, "f.txt", "0123456789")).ETag;
        Assert.Equal("234", (await site.S3Async(206, null, "GET", $"/{bucket}/f.txt", headers: ("Range", "bytes=2-4"))).Text);
        Assert.Equal("89", (await site.S3Async(206, null, "GET", $"/{bucket}/f.txt", headers: ("Range", "bytes=-2"))).Text);
        Assert.Equal("0123456789", (await site.S3Async(200, null, "GET", $"/{bucket}/f.txt", headers: ("Range", "bytes=0-0,2-3"))).Text);
        Assert.Equal("bytes */10", (await site.S3Async(416, "InvalidRange", "GET", $"/{bucket}/f.txt", headers: ("Range", "bytes=10-"))).Headers["Content-Range"]);
        Assert.Equal("bytes 2-4/10", (await site.S3Async(206, null, "HEAD", $"/{bucket}/f.txt", headers: ("Range", "bytes=2-4"))).Headers["Content-Range"]);
        await site.S3Async(304, null, "GET", $"/{bucket}/f.txt", headers: ("If-None-Match", tag));
        await site.S3Async(200, null, "GET", $"/{bucket}/f.txt", headers: ("If-None-Match", "\"other\""));
        await site.S3Async(412, "PreconditionFailed", "GET", $"/{bucket}/f.txt", headers: ("If-Match", "\"other\""));
        await site.S3Async(200, null, "GET", $"/{bucket}/f.txt", headers: ("If-Match", tag.Trim('"')));
        await site.S3Async(304, null, "GET", $"/{bucket}/f.txt", headers: ("If-Modified-Since", DateTime.UtcNow.AddHours(1).ToString("r", CultureInfo.InvariantCulture)));
        await site.S3Async(412, "PreconditionFailed", "GET", $"/{bucket}/f.txt", headers: ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT"));
        var answer = await site.S3Async(200, null, "GET", $"/{bucket}/f.txt?response-content-type=x%2Fy&response-content-disposition=attachment%3B%20filename%3Dz&response-cache-control=no-store");
        Assert.Equal(("sandbox", "nosniff"), (answer.Headers["Content-Security-Policy"], answer.Headers["X-Content-Type-Options"]));
        Assert.Equal(("x/y", "attachment; filename=z", "no-store"), (answer.Headers["Content-Type"], answer.Headers["Content-Disposition"], answer.Headers["Cache-Control"]));
        await site.S3Async(400, "InvalidArgument", "GET", $"/{bucket}/f.txt?response-content-type=a%0D%0ASet-Cookie:%20b");
        await site.S3Async(200, null, "GET", $"/{bucket}/f.txt?partNumber=1");
        await site.S3Async(416, "InvalidPartNumber", "GET", $"/{bucket}/f.txt?partNumber=2");
        await site.S3Async(404, "NoSuchVersion", "GET", $"/{bucket}/f.txt?versionId=abc");
        Assert.Equal(10, (await s3.GetObjectMetadataAsync(bucket, "f.txt")).ContentLength);
    }

    [Fact]
    public async Task Keys_that_end_with_a_slash_are_directories()
    {
        using var s3 = S3Client.Of(site);
        var bucket = await site.CreateCollectionAsync();
        await s3.PutTextAsync(bucket, "dir/sub/", "");
        await s3.PutTextAsync(bucket, "dir/sub/", "");
        Assert.Equal("application/x-directory", (await s3.GetObjectMetadataAsync(bucket, "dir/sub/")).Headers.ContentType);
        Assert.Equal("application/x-directory", (await s3.GetObjectMetadataAsync(bucket, "dir/")).Headers.ContentType);
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/dir/sub");
        await site.S3Async(400, "InvalidArgument", "PUT", $"/{bucket}/dir", "x"u8.ToArray());
        await site.S3Async(400, "InvalidArgument", "PUT", $"/{bucket}/dir/other/", "x"u8.ToArray());
        await s3.PutTextAsync(bucket, "file", "x");
        await site.S3Async(400, "InvalidArgument", "PUT", $"/{bucket}/file/", []);
        await site.S3Async(400, "InvalidArgument", "PUT", $"/{bucket}/file/below", "x"u8.ToArray());
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/file/");
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/file/below");

        // A directory is not an object: only its own key removes it, and only when it is empty.
        await s3.DeleteObjectAsync(bucket, "dir");
        await s3.DeleteObjectAsync(bucket, "dir/");
        await s3.GetObjectMetadataAsync(bucket, "dir/sub/");
        await s3.DeleteObjectAsync(bucket, "dir/sub/");
        await s3.DeleteObjectAsync(bucket, "dir/");
        await S3Client.FailsAsync("NotFound", 404, () => s3.GetObjectMetadataAsync(bucket, "dir/"));
    }

    [Fact]
    public async Task Conditional_put_is_decided_on_the_state_that_it_replaces()
    {
        using var s3 = S3Client.Of(site);
        var bucket = await site.CreateCollectionAsync();
        var tag = (await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "f", ContentBody = "one", IfNoneMatch = "*" })).ETag;
        await S3Client.FailsAsync("PreconditionFailed", 412, () => s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "f", ContentBody = "two", IfNoneMatch = "*" }));
        await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "f", ContentBody = "three", IfMatch = tag });
        await S3Client.FailsAsync("PreconditionFailed", 412, () => s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "f", ContentBody = "four", IfMatch = tag }));
        await site.S3Async(404, "NoSuchKey", "PUT", $"/{bucket}/none", "x"u8.ToArray(), headers: ("If-Match", tag));
        await site.S3Async(501, "NotImplemented", "PUT", $"/{bucket}/f", "x"u8.ToArray(), headers: ("If-None-Match", tag));
        Assert.Equal("three", await s3.GetTextAsync(bucket, "f"));

        var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(async i =>
        {
            try
            {
                await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "once", ContentBody = $"{i}", IfNoneMatch = "*" });
                return i;
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                return -1;
            }
        }));
        Assert.Equal($"{Assert.Single(won, i => i >= 0)}", await s3.GetTextAsync(bucket, "once"));
    }

    [Fact]
    public async Task Parallel_puts_and_deletes_of_different_keys_through_two_servers_all_happen()
    {
        await using var second = await site.StartWebAsync(options => options);
        using var one = S3Client.Of(site);
        using var two = S3Client.Of(site, address: new Uri(second.Addresses.Single()));
        var bucket = await site.CreateCollectionAsync();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => one.PutTextAsync(bucket, $"old/{i}", $"{i}")));
        await Task.WhenAll(Enumerable.Range(0, 20).SelectMany(i => (Task[])[
            (i % 2 == 0 ? one : two).PutTextAsync(bucket, $"new/{i}", $"{i}"), i < 10 ? (i % 2 == 0 ? two : one).DeleteObjectAsync(bucket, $"old/{i}") : Task.CompletedTask]));
        var keys = (await one.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket })).S3Objects.Select(o => o.Key).Where(key => !key.EndsWith('/'));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"new/{i}").Order(StringComparer.Ordinal), keys);
        await second.StopAsync(default);
    }

    [Fact]
    public async Task Every_kind_of_body_that_clients_send_is_stored_as_its_content()
    {
        var bucket = await site.CreateCollectionAsync();
        var data = RandomNumberGenerator.GetBytes(300_000);
        foreach (var (useChunks, disablePayloadSigning, algorithm) in (List<(bool, bool, ChecksumAlgorithm?)>)[
            (true, false, ChecksumAlgorithm.CRC32), (true, false, ChecksumAlgorithm.SHA1),
            (true, false, ChecksumAlgorithm.SHA256), (false, false, ChecksumAlgorithm.CRC32), (false, false, null)])
        {
            using var s3 = S3Client.Of(site);
            var request = new PutObjectRequest
            {
                BucketName = bucket,
                Key = "data",
                InputStream = new MemoryStream(data),
                UseChunkEncoding = useChunks,
                DisablePayloadSigning = disablePayloadSigning,
                ChecksumAlgorithm = algorithm,
            };
            await s3.PutObjectAsync(request);
            using var got = await s3.GetObjectAsync(bucket, "data");
            var copy = new MemoryStream();
            await got.ResponseStream.CopyToAsync(copy);
            Assert.Equal(data, copy.ToArray());
            await s3.DeleteObjectAsync(bucket, "data");
        }

        var crc = Convert.ToBase64String(new byte[4]);
        await site.S3Async(400, "BadDigest", "PUT", $"/{bucket}/bad", "x"u8.ToArray(), headers: ("x-amz-checksum-crc32", crc));
        await site.S3Async(400, "BadDigest", "PUT", $"/{bucket}/bad", "x"u8.ToArray(), headers: ("Content-MD5", Convert.ToBase64String(new byte[16])));
        await site.S3Async(400, "InvalidDigest", "PUT", $"/{bucket}/bad", "x"u8.ToArray(), headers: ("Content-MD5", "AAAA"));
        await site.S3Async(400, "XAmzContentSHA256Mismatch", "PUT", $"/{bucket}/bad", "x"u8.ToArray(), payloadHash: new string('0', 64));
        await site.S3Async(400, "InvalidRequest", "PUT", $"/{bucket}/bad", "x"u8.ToArray(), headers: ("Content-Encoding", "aws-chunked"));
        await site.S3Async(411, "MissingContentLength", "PUT", $"/{bucket}/bad", "x"u8.ToArray(), payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/bad");
        await site.S3Async(
            200, null, "PUT", $"/{bucket}/good", "123456789"u8.ToArray(), payloadHash: "UNSIGNED-PAYLOAD",
            headers: [("x-amz-checksum-crc32c", "4waSgw=="), ("x-amz-checksum-crc64nvme", "rosUhgp5mIg=")]);
        Assert.Equal("123456789", await site.GetTextAsync($"/c={bucket}/good"));
    }

    [Fact]
    public async Task Copies_move_no_data_within_a_bucket_between_buckets_and_from_a_content_hash()
    {
        using var s3 = S3Client.Of(site);
        var (bucket, other) = (await site.CreateCollectionAsync(), await site.CreateCollectionAsync());
        var tag = (await s3.PutTextAsync(bucket, "a/ü +", "copied")).ETag;
        var blocks = Blocks();
        Assert.Equal(tag, (await s3.CopyObjectAsync(bucket, "a/ü +", bucket, "b/c")).ETag);
        await s3.CopyObjectAsync(bucket, "a/ü +", other, "new/dir/d");
        var hash = (await site.Catalog.FindCollectionAsync(other, null, default))!.PortableDataHash;
        await s3.CopyObjectAsync(hash, "new/dir/d", bucket, "from-hash");
        Assert.Equal(blocks, Blocks());
        Assert.Equal(["copied", "copied", "copied"], [await s3.GetTextAsync(bucket, "b/c"), await s3.GetTextAsync(other, "new/dir/d"), await s3.GetTextAsync(bucket, "from-hash")]);

        await site.S3Async(412, "PreconditionFailed", "PUT", $"/{bucket}/no", headers: [("x-amz-copy-source", $"/{bucket}/b/c"), ("x-amz-copy-source-if-match", "\"x\"")]);
        await site.S3Async(412, "PreconditionFailed", "PUT", $"/{bucket}/no", headers: [("x-amz-copy-source", $"/{bucket}/b/c"), ("x-amz-copy-source-if-none-match", tag)]);
        await site.S3Async(404, "NoSuchKey", "PUT", $"/{bucket}/no", headers: ("x-amz-copy-source", $"/{bucket}/nothing"));
        await site.S3Async(404, "NoSuchBucket", "PUT", $"/{bucket}/no", headers: ("x-amz-copy-source", "/nothing/key"));
        await site.S3Async(400, "InvalidArgument", "PUT", $"/{bucket}/no", headers: ("x-amz-copy-source", "nothing"));
        await site.S3Async(400, "InvalidRequest", "PUT", $"/{bucket}/b/c", headers: ("x-amz-copy-source", $"/{bucket}/b/c"));
        await site.S3Async(200, null, "PUT", $"/{bucket}/b/c", headers: [("x-amz-copy-source", $"{bucket}/b/c"), ("x-amz-metadata-directive", "REPLACE")]);
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/no");
        Assert.Equal("copied", await s3.GetTextAsync(bucket, "b/c"));

        List<string> Blocks() => [.. site.Volumes.SelectMany(volume => Directory.EnumerateFiles(volume.Path, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Many_keys_are_deleted_in_one_change_and_directories_when_they_are_empty_then()
    {
        using var s3 = S3Client.Of(site);
        var bucket = await site.CreateCollectionAsync();
        foreach (var key in (string[])["d/e/f", "d/g", "keep/h", "i & <j>"])
        {
            await s3.PutTextAsync(bucket, key, "x");
        }

        var version = (await site.Catalog.FindCollectionAsync(bucket, null, default))!.Version;
        var answer = await s3.DeleteObjectsAsync(new DeleteObjectsRequest
        {
            BucketName = bucket,
            Objects = [.. new[] { "d/", "d/e/", "d/e/f", "d/g", "keep/", "i & <j>", "never/was", "../x", "d//g" }.Select(key => new KeyVersion { Key = key })],
        });
        Assert.Equal(9, answer.DeletedObjects.Count);
        Assert.Equal(["keep/", "keep/h"], (await s3.ListObjectsAsync(bucket)).S3Objects.Select(o => o.Key));
        Assert.InRange((await site.Catalog.FindCollectionAsync(bucket, null, default))!.Version, version, version + 1);

        Task<TestAnswer> Delete(int status, string? code, string xml) => site.S3Async(status, code, "POST", $"/{bucket}?delete", System.Text.Encoding.UTF8.GetBytes(xml));
        Assert.DoesNotContain("<Deleted", (await Delete(200, null, "<Delete><Quiet>true</Quiet><Object><Key>keep/h</Key></Object></Delete>")).Text, StringComparison.Ordinal);
        await Delete(400, "MalformedXML", "<Delete></Delete>");
        await Delete(400, "MalformedXML", "<Other><Object><Key>x</Key></Object></Other>");
        await Delete(400, "MalformedXML", "<Delete><Object>");
        await Delete(400, "MalformedXML", "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>");
        await Delete(400, "MalformedXML", $"<Delete>{string.Concat(Enumerable.Repeat("<Object><Key>x</Key></Object>", 1001))}</Delete>");
        await Delete(400, "MalformedXML", "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><Delete><Object><Key>&b;</Key></Object></Delete>");
        await Delete(400, "MalformedXML", "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Delete><Object><Key>&x;</Key></Object></Delete>");
        await Delete(400, "MalformedXML", "<Delete>" + string.Concat(Enumerable.Repeat("<a>", 500_000)) + string.Concat(Enumerable.Repeat("</a>", 500_000)) + "</Delete>");
        await Delete(400, "MaxMessageLengthExceeded", $"<Delete><Object><Key>{new string('k', 10 << 20)}</Key></Object></Delete>");
        await Delete(200, null, $"<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>{new string('k', 1 << 20)}</Key></Object></Delete>");
    }

    [Fact]
    public async Task No_key_escapes_its_collection_and_what_cannot_be_held_is_refused()
    {
        var (bucket, other) = (await site.CreateCollectionAsync(), await site.CreateCollectionAsync());
        await site.PutAsync($"/c={other}/secret", "s");
        foreach (var key in (string[])["..", "../x", $"..%2F{other}%2Fsecret", "a/../b", "%2E%2E/x", ".", "a//b", "/a", "a/%2E/b", "%2F%2F"])
        {
            await site.S3Async(400, "InvalidArgument", "PUT", $"/{bucket}/{key}", "x"u8.ToArray());
            await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/{key}");
            await site.S3Async(204, null, "DELETE", $"/{bucket}/{key}");
            await site.S3Async(404, "NoSuchKey", "PUT", $"/{bucket}/copy", headers: ("x-amz-copy-source", $"/{bucket}/{key}"));
            await site.S3Async(400, "InvalidArgument", "POST", $"/{bucket}/{key}?uploads", []);
        }

        await site.S3Async(400, null, "PUT", $"/{bucket}/a%00b", "x"u8.ToArray());
        await site.S3Async(400, "KeyTooLongError", "PUT", $"/{bucket}/{new string('n', 256)}", "x"u8.ToArray());
        await site.S3Async(400, "InvalidURI", "PUT", $"/{bucket}/%FF", "x"u8.ToArray(), payloadHash: "UNSIGNED-PAYLOAD");
        Assert.Equal("", await site.ManifestOfAsync(bucket));

        // Reads are lenient about repeated slashes (keep-web.md 4.2).
        await site.PutAsync($"/c={bucket}/d", "x");
        Assert.Equal("x", (await site.S3Async(200, null, "GET", $"/{bucket}//d")).Text);
    }

    [Fact]
    public async Task Whatever_an_object_cannot_hold_is_refused_aloud()
    {
        var bucket = await site.CreateCollectionAsync();
        foreach (var (name, value) in (List<(string, string)>)[
            ("x-amz-server-side-encryption", "AES256"), ("x-amz-tagging", "a=b"), ("x-amz-acl", "public-read"), ("x-amz-object-lock-mode", "GOVERNANCE"), ("x-amz-website-redirect-location", "/x")])
        {
            await site.S3Async(501, "NotImplemented", "PUT", $"/{bucket}/f", "x"u8.ToArray(), headers: (name, value));
            await site.S3Async(501, "NotImplemented", "POST", $"/{bucket}/f?uploads", [], headers: (name, value));
        }

        await site.S3Async(400, "InvalidStorageClass", "PUT", $"/{bucket}/f", "x"u8.ToArray(), headers: ("x-amz-storage-class", "GLACIER"));
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/f");
        await site.S3Async(200, null, "PUT", $"/{bucket}/f", "x"u8.ToArray(), headers: [("x-amz-acl", "private"), ("x-amz-meta-mtime", "1"), ("x-amz-storage-class", "STANDARD")]);
        foreach (var setting in (string[])["acl", "tagging", "retention", "legal-hold", "torrent", "restore"])
        {
            await site.S3Async(501, "NotImplemented", "PUT", $"/{bucket}/f?{setting}", "<x/>"u8.ToArray());
        }

        Assert.Contains("<TagSet", (await site.S3Async(200, null, "GET", $"/{bucket}/f?tagging")).Text, StringComparison.Ordinal);
        Assert.Contains("FULL_CONTROL", (await site.S3Async(200, null, "GET", $"/{bucket}/f?acl")).Text, StringComparison.Ordinal);
        Assert.Equal("x", (await site.S3Async(200, null, "GET", $"/{bucket}/f")).Text);
    }

    [Fact]
    public async Task A_body_that_breaks_off_leaves_the_old_content()
    {
        var bucket = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={bucket}/f", "old");
        await site.S3Async(400, "IncompleteBody", "PUT", $"/{bucket}/f", "5\r\nhel"u8.ToArray(), payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", headers: ("x-amz-decoded-content-length", "5"));
        Assert.Equal("old", await site.GetTextAsync($"/c={bucket}/f"));
    }
}
