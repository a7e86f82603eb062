using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Buckets: collections and projects by id and by name, what may be asked of them, and who may.</summary>
public sealed class BucketTests(TestSite site) : IClassFixture<TestSite>
{
    [Fact]
    public async Task A_bucket_is_made_listed_used_by_name_and_removed_when_it_is_empty()
    {
        using var s3 = S3Client.Of(site);
        await s3.PutBucketAsync("my.new-bucket");
        await S3Client.FailsAsync("BucketAlreadyOwnedByYou", 409, () => s3.PutBucketAsync("my.new-bucket"));
        await s3.PutTextAsync("my.new-bucket", "dir/f", "x");
        Assert.Equal("x", await site.GetTextAsync("/home/my.new-bucket/dir/f"));
        var buckets = (await s3.ListBucketsAsync()).Buckets.Select(bucket => bucket.BucketName).ToList();
        Assert.Contains("my.new-bucket", buckets);
        Assert.Equal(["my.new-bucket"], (await s3.ListBucketsAsync(new ListBucketsRequest { Prefix = "my.new" })).Buckets.Select(bucket => bucket.BucketName));
        await S3Client.FailsAsync("BucketNotEmpty", 409, () => s3.DeleteBucketAsync("my.new-bucket"));
        await s3.DeleteObjectAsync("my.new-bucket", "dir/f");
        await s3.DeleteBucketAsync("my.new-bucket");
        await S3Client.FailsAsync("NoSuchBucket", 404, () => s3.ListObjectsAsync("my.new-bucket"));
        await site.S3Async(400, "InvalidBucketName", "PUT", "/Upper");
        await site.S3Async(400, "InvalidBucketName", "PUT", "/ab");
        await site.S3Async(400, "InvalidBucketName", "PUT", "/status.json");
        await site.S3Async(400, "InvalidBucketName", "PUT", "/zzzzz-4zz18-aaaaaaaaaaaaaaa");
    }

    [Fact]
    public async Task A_bucket_with_a_name_that_no_client_takes_is_listed_by_its_uuid()
    {
        var uuid = await site.CreateCollectionAsync("Ein Name: mit ällem");
        using var s3 = S3Client.Of(site);
        var page = await s3.ListBucketsAsync(new ListBucketsRequest { MaxBuckets = 1 });
        var all = new List<string>(page.Buckets.Select(bucket => bucket.BucketName));
        while (page.ContinuationToken is { } token)
        {
            page = await s3.ListBucketsAsync(new ListBucketsRequest { MaxBuckets = 1, ContinuationToken = token });
            all.AddRange(page.Buckets.Select(bucket => bucket.BucketName));
        }

        Assert.Contains(uuid, all);
        Assert.Equal((await s3.ListBucketsAsync()).Buckets.Select(bucket => bucket.BucketName), all);
    }

    [Fact]
    public async Task A_project_is_a_bucket_whose_keys_begin_with_its_collections()
    {
        var user = await site.Catalog.GetCurrentUserAsync(default);
        var project = (await site.Catalog.CreateProjectAsync(user.Uuid, "a project", default)).Uuid;
        var sub = (await site.Catalog.CreateProjectAsync(project, "sub", default)).Uuid;
        foreach (var (owner, name) in (List<(string, string)>)[(project, "one"), (project, "one-more"), (sub, "two")])
        {
            await site.Catalog.CreateCollectionAsync(new CollectionChange { Collection = new CollectionWrite { OwnerUuid = owner, Name = name, ManifestText = ReadOnlyMemory<byte>.Empty } }, default);
        }

        using var s3 = S3Client.Of(site);
        await s3.PutTextAsync(project, "one/a", "1");
        await s3.PutTextAsync(project, "one-more/dir/b", "2");
        await s3.PutTextAsync(project, "sub/two/c", "3");
        Assert.Equal(
            ["one-more/", "one-more/dir/", "one-more/dir/b", "one/", "one/a", "sub/", "sub/two/", "sub/two/c"], (await s3.ListObjectsAsync(project)).S3Objects.Select(o => o.Key));
        var top = await s3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = project, Delimiter = "/" });
        Assert.Equal(["one-more/", "one/", "sub/"], top.CommonPrefixes);
        Assert.Equal("3", await s3.GetTextAsync(project, "sub/two/c"));
        await s3.CopyObjectAsync(project, "one/a", project, "sub/two/copied");
        Assert.Equal("1", await s3.GetTextAsync(sub, "two/copied"));
        var upload = (await s3.InitiateMultipartUploadAsync(project, "one/multi")).UploadId;
        var tag = (await s3.UploadPartAsync(new UploadPartRequest { BucketName = project, Key = "one/multi", UploadId = upload, PartNumber = 1, InputStream = new MemoryStream([7]) })).ETag;
        await s3.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest { BucketName = project, Key = "one/multi", UploadId = upload, PartETags = [new PartETag(1, tag)] });
        await s3.DeleteObjectsAsync(new DeleteObjectsRequest { BucketName = project, Objects = [new KeyVersion { Key = "one/a" }, new KeyVersion { Key = "sub/two/c" }] });
        Assert.Equal(["one-more/dir/b", "one/multi", "sub/two/copied"], (await s3.ListObjectsAsync(project)).S3Objects.Select(o => o.Key).Where(key => !key.EndsWith('/')));

        await site.S3Async(400, "InvalidArgument", "PUT", $"/{project}/file", "x"u8.ToArray());
        await site.S3Async(400, "InvalidArgument", "PUT", $"/{project}/one", "x"u8.ToArray());
        await site.S3Async(400, "InvalidArgument", "PUT", $"/{project}/new/file", "x"u8.ToArray());
        await site.S3Async(400, "InvalidArgument", "DELETE", $"/{project}/one/");
        await site.S3Async(405, "MethodNotAllowed", "DELETE", $"/{project}");
    }

    [Fact]
    public async Task Fixed_content_can_be_read_and_not_changed()
    {
        var bucket = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={bucket}/f", "fixed");
        var hash = (await site.Catalog.FindCollectionAsync(bucket, null, default))!.PortableDataHash;
        foreach (var form in (string[])[hash.Replace("+", "%2B", StringComparison.Ordinal), hash.Replace('+', '-')])
        {
            Assert.Equal("fixed", (await site.S3Async(200, null, "GET", $"/{form}/f")).Text);
            await site.S3Async(405, "MethodNotAllowed", "PUT", $"/{form}/g", "x"u8.ToArray());
            await site.S3Async(405, "MethodNotAllowed", "DELETE", $"/{form}/f");
            await site.S3Async(405, "MethodNotAllowed", "POST", $"/{form}/f?uploads", []);
            await site.S3Async(405, "MethodNotAllowed", "DELETE", $"/{form}");
        }
    }

    [Fact]
    public async Task A_bucket_may_stand_in_the_host_name()
    {
        var bucket = await site.CreateCollectionAsync();
        await site.S3Async(200, null, "PUT", $"/{bucket}/dir/f", "by host"u8.ToArray());
        using var s3 = new AmazonS3Client(site.Token.Replace('/', '_'), site.Token.Replace('/', '_'), new AmazonS3Config
        {
            ServiceURL = $"http://s3.test:{site.Address.Port}",
            ForcePathStyle = false,
            AuthenticationRegion = "x",
            MaxErrorRetry = 0,
            HttpClientFactory = new ToLoopback(),
        });
        Assert.Equal("by host", await s3.GetTextAsync(bucket, "dir/f"));
        Assert.Equal(["dir/", "dir/f"], (await s3.ListObjectsAsync(bucket)).S3Objects.Select(o => o.Key));
    }

    [Fact]
    public async Task Questions_that_clients_ask_get_the_answer_of_a_bucket_without_settings()
    {
        var bucket = await site.CreateCollectionAsync();
        foreach (var (name, text) in (List<(string, string)>)[
            ("versioning", "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" />"),
            ("location", "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>zzzzz</LocationConstraint></LocationConstraint>"),
            ("acl", "FULL_CONTROL"), ("requestPayment", "BucketOwner"), ("logging", "BucketLoggingStatus"), ("notification", "NotificationConfiguration")])
        {
            Assert.Contains(text, (await site.S3Async(200, null, "GET", $"/{bucket}?{name}")).Text, StringComparison.Ordinal);
        }

        foreach (var (name, code) in (List<(string, string)>)[
            ("policy", "NoSuchBucketPolicy"), ("cors", "NoSuchCORSConfiguration"), ("lifecycle", "NoSuchLifecycleConfiguration"), ("tagging", "NoSuchTagSet"),
            ("website", "NoSuchWebsiteConfiguration"), ("encryption", "ServerSideEncryptionConfigurationNotFoundError"), ("object-lock", "ObjectLockConfigurationNotFoundError")])
        {
            await site.S3Async(404, code, "GET", $"/{bucket}?{name}");
            await site.S3Async(501, "NotImplemented", "PUT", $"/{bucket}?{name}", "<x/>"u8.ToArray());
        }

        await site.S3Async(501, "NotImplemented", "GET", $"/{bucket}?versions");
        await site.S3Async(501, "NotImplemented", "POST", $"/{bucket}", []);
        await site.S3Async(405, "MethodNotAllowed", "PATCH", $"/{bucket}/f");
        await site.S3Async(405, "MethodNotAllowed", "PUT", "/");
        await site.S3Async(400, "InvalidArgument", "GET", $"/{bucket}?list-type=3");
        await site.S3Async(400, "InvalidArgument", "GET", $"/{bucket}?encoding-type=x");
        await site.S3Async(400, "InvalidArgument", "GET", $"/{bucket}?list-type=2&continuation-token=%25");
    }

    [Fact]
    public async Task Properties_are_the_metadata_of_everything_in_a_collection()
    {
        var write = new CollectionWrite
        {
            Name = "with properties",
            ManifestText = ReadOnlyMemory<byte>.Empty,
            Properties = new Dictionary<string, string> { ["plain"] = "text", ["ship"] = "⛵", ["not a header"] = "x", ["evil"] = "a\r\nSet-Cookie: b" },
        };
        var bucket = (await site.Catalog.CreateCollectionAsync(new CollectionChange { Collection = write }, default)).Uuid;
        await site.PutAsync($"/c={bucket}/f", "x");
        foreach (var answer in (TestAnswer[])[await site.S3Async(200, null, "HEAD", $"/{bucket}"), await site.S3Async(200, null, "GET", $"/{bucket}/f")])
        {
            Assert.Equal(("text", "=?UTF-8?b?4pu1?="), (answer.Headers["x-amz-meta-plain"], answer.Headers["x-amz-meta-ship"]));
            Assert.StartsWith("=?UTF-8?b?", answer.Headers["x-amz-meta-evil"], StringComparison.Ordinal);
            Assert.DoesNotContain(answer.Headers.Keys, name => name.Contains("not a", StringComparison.Ordinal) || name == "Set-Cookie");
        }
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("HEAD", "")]
    [InlineData("DELETE", "")]
    [InlineData("GET", "?location")]
    [InlineData("GET", "?versioning")]
    [InlineData("GET", "?acl")]
    [InlineData("GET", "?uploads")]
    [InlineData("POST", "?delete")]
    [InlineData("GET", "/f")]
    [InlineData("HEAD", "/f")]
    [InlineData("PUT", "/f")]
    [InlineData("DELETE", "/f")]
    [InlineData("GET", "/f?tagging")]
    [InlineData("POST", "/f?uploads")]
    [InlineData("PUT", "/f?partNumber=1&uploadId=zzzzz-4zz18-aaaaaaaaaaaaaaa")]
    [InlineData("POST", "/f?uploadId=zzzzz-4zz18-aaaaaaaaaaaaaaa")]
    public async Task Every_operation_on_a_bucket_of_somebody_else_is_refused_as_if_it_did_not_exist(string method, string rest)
    {
        var bucket = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={bucket}/f", "mine");
        var body = rest switch
        {
            "?delete" => "<Delete><Object><Key>f</Key></Object></Delete>"u8.ToArray(),
            _ when rest.Contains("uploadId", StringComparison.Ordinal) && method == "POST" => "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"u8.ToArray(),
            _ => method is "PUT" or "POST" ? "x"u8.ToArray() : null,
        };
        await site.S3Async(404, rest.Contains("uploadId", StringComparison.Ordinal) ? "NoSuchUpload" : "NoSuchBucket", method, $"/{bucket}{rest}", body, site.OtherToken);
        Assert.Equal("mine", await site.GetTextAsync($"/c={bucket}/f"));
    }

    [Fact]
    public async Task Who_may_only_read_cannot_write_in_any_way()
    {
        var bucket = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={bucket}/f", "shared");
        await site.ShareAsync(bucket, "can_read");
        var xml = "<Delete><Object><Key>f</Key></Object></Delete>"u8.ToArray();
        Assert.Equal("shared", (await site.S3Async(200, null, "GET", $"/{bucket}/f", token: site.OtherToken)).Text);
        await site.S3Async(403, "AccessDenied", "PUT", $"/{bucket}/g", "x"u8.ToArray(), site.OtherToken);
        await site.S3Async(403, "AccessDenied", "PUT", $"/{bucket}/d/", [], site.OtherToken);
        await site.S3Async(403, "AccessDenied", "PUT", $"/{bucket}/g", null, site.OtherToken, headers: ("x-amz-copy-source", $"/{bucket}/f"));
        await site.S3Async(403, "AccessDenied", "DELETE", $"/{bucket}/f", null, site.OtherToken);
        await site.S3Async(403, "AccessDenied", "POST", $"/{bucket}/g?uploads", [], site.OtherToken);
        Assert.Contains("<Code>AccessDenied</Code>", (await site.S3Async(200, null, "POST", $"/{bucket}?delete", xml, site.OtherToken)).Text, StringComparison.Ordinal);
        Assert.Equal("shared", await site.GetTextAsync($"/c={bucket}/f"));
    }

    [Fact]
    public async Task Keys_are_accepted_in_every_form_and_wrong_ones_in_none()
    {
        var bucket = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={bucket}/f", "x");
        var (uuid, secret) = (site.Token.Split('/')[1], site.Token.Split('/')[2]);
        foreach (var (key, secretKey) in (List<(string, string)>)[
            (uuid, secret), (site.Token.Replace('/', '_'), site.Token.Replace('/', '_')), (Uri.EscapeDataString(site.Token), Uri.EscapeDataString(site.Token)), (secret, secret)])
        {
            using var s3 = S3Client.Of(site.Address, key, secretKey);
            Assert.Equal("x", await s3.GetTextAsync(bucket, "f"));
            var url = await s3.GetPreSignedURLAsync(new GetPreSignedUrlRequest { BucketName = bucket, Key = "f", Expires = DateTime.UtcNow.AddMinutes(1), Protocol = Protocol.HTTP });
            Assert.Equal("x", await site.Http.GetStringAsync(url));
        }

        foreach (var (key, secretKey, code) in (List<(string, string, string)>)[
            (uuid, "wrong", "SignatureDoesNotMatch"), ("zzzzz-gj3su-000000000000nop", secret, "InvalidAccessKeyId"), ("nonsense", "nonsense", "InvalidAccessKeyId"),
            (site.Token.Replace('/', '_') + "x", site.Token.Replace('/', '_') + "x", "InvalidAccessKeyId"), (site.Token.Replace('/', '_'), "wrong", "SignatureDoesNotMatch")])
        {
            using var s3 = S3Client.Of(site.Address, key, secretKey);
            await S3Client.FailsAsync(code, 403, () => s3.GetObjectAsync(bucket, "f"));
            await S3Client.FailsAsync(code, 403, () => s3.ListBucketsAsync());
        }

        var scoped = await site.CreateScopedTokenAsync();
        await site.S3Async(403, "AccessDenied", "GET", $"/{bucket}/f", token: scoped);
        await site.S3Async(403, "AccessDenied", "PUT", $"/{bucket}/f", [1], token: scoped);
    }

    [Fact]
    public async Task A_page_of_another_origin_may_use_a_presigned_url()
    {
        var bucket = await site.CreateCollectionAsync();
        using var s3 = S3Client.Of(site);
        var url = new Uri(await s3.GetPreSignedURLAsync(new GetPreSignedUrlRequest { BucketName = bucket, Key = "f", Verb = HttpVerb.PUT, Expires = DateTime.UtcNow.AddMinutes(1), Protocol = Protocol.HTTP })).PathAndQuery;
        var preflight = await site.ExpectAsync(200, "OPTIONS", url, null, "", ("Origin", "https://page.test"), ("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", "content-type, x-amz-meta-a"));
        Assert.Equal(("*", "content-type, x-amz-meta-a"), (preflight.Headers["Access-Control-Allow-Origin"], preflight.Headers["Access-Control-Allow-Headers"]));
        Assert.Contains("PUT", preflight.Headers["Access-Control-Allow-Methods"], StringComparison.Ordinal);
        var put = await site.ExpectAsync(200, "PUT", url, "x"u8.ToArray(), "", ("Origin", "https://page.test"));
        Assert.Contains("ETag", put.Headers["Access-Control-Expose-Headers"], StringComparison.Ordinal);
        Assert.Equal("*", (await site.ExpectAsync(403, "GET", url, null, "", ("Origin", "https://page.test"))).Headers["Access-Control-Allow-Origin"]);
    }

    [Fact]
    public async Task Requests_are_counted_by_operation()
    {
        var bucket = await site.CreateCollectionAsync();
        await site.S3Async(404, "NoSuchKey", "GET", $"/{bucket}/none");
        Assert.Contains("keepfs_keepweb_s3_requests_total{operation=\"GetObject\",status=\"4xx\"}", (await site.MetricsAsync()), StringComparison.Ordinal);
    }

    /// <summary>Names below s3.test mean this machine.</summary>
    private sealed class ToLoopback : Amazon.Runtime.HttpClientFactory
    {
        public override HttpClient CreateHttpClient(Amazon.Runtime.IClientConfig clientConfig) => new(new SocketsHttpHandler
        {
            ConnectCallback = static async (context, cancellationToken) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        });
    }
}
