using Amazon.S3.Model;
using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Listings over HTTP (keep-web.md 4.4 and 7): two directories of 500 files and some small ones, twenty keys a page.</summary>
public sealed class ListingTests(TestSite site) : IClassFixture<TestSite>, IAsyncLifetime
{
    private static readonly string[] Keys = [.. Enumerable.Range(0, 500).SelectMany(i => new[] { $"dir0/file{i}.txt", $"dir1/file{i}.txt" })
        .Concat(["dir2/a", "dir-x/b", "sailboat.txt", "ü/日", "dir0/", "dir1/", "dir2/", "dir-x/", "ü/"]).Order(Utf8Order.Instance)];

    private static string? _bucket;

    public async Task InitializeAsync()
    {
        var tree = new ManifestTree();
        foreach (var key in Keys.Where(key => !key.EndsWith('/')))
        {
            tree.Put(key, new ManifestFile([]));
        }

        var write = new Engine.Catalog.CollectionWrite { ManifestText = tree.ToManifest() };
        _bucket ??= (await site.Catalog.CreateCollectionAsync(new Engine.Catalog.CollectionChange { Collection = write }, default)).Uuid;
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("", "", "")]
    [InlineData("", "/", "")]
    [InlineData("dir0", "/", "")]
    [InlineData("dir0/", "/", "")]
    [InlineData("dir0/f", "", "dir0/file100.txt")]
    [InlineData("dir0", "/", "dir0/file14.txt")]
    [InlineData("", "", "dir0/file14.txt")]
    [InlineData("", "/", "dir0/file14.txt")]
    [InlineData("", "/", "dir0/")]
    [InlineData("", "/", "dir1")]
    [InlineData("dir", "/", "dir1/file9.txt")]
    [InlineData("nothing", "", "")]
    [InlineData("dir0/file14.txt", "", "")]
    public async Task Pages_of_both_versions_together_are_the_whole_listing(string prefix, string delimiter, string after)
    {
        using var s3 = S3Client.Of(site);
        var expected = new List<string>();
        foreach (var key in Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0))
        {
            var at = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            var shown = at < 0 ? key : key[..(at + 1)];
            if (shown != after && (expected.Count == 0 || expected[^1] != shown))
            {
                expected.Add(shown);
            }
        }

        var seen = new List<string>();
        var two = new ListObjectsV2Request { BucketName = _bucket, Prefix = prefix, Delimiter = delimiter, StartAfter = after, MaxKeys = 20 };
        ListObjectsV2Response page;
        do
        {
            page = await s3.ListObjectsV2Async(two);
            seen.AddRange((page.S3Objects ?? []).Select(o => o.Key).Concat(page.CommonPrefixes ?? []).Order(Utf8Order.Instance));
            Assert.True((page.S3Objects?.Count ?? 0) + (page.CommonPrefixes?.Count ?? 0) <= 20);
            Assert.Equal(page.IsTruncated, page.NextContinuationToken is not null);
            two.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
        Assert.Equal(expected, seen);

        seen.Clear();
        var one = new ListObjectsRequest { BucketName = _bucket, Prefix = prefix, Delimiter = delimiter, Marker = after, MaxKeys = 20 };
        ListObjectsResponse old;
        do
        {
            old = await s3.ListObjectsAsync(one);
            seen.AddRange((old.S3Objects ?? []).Select(o => o.Key).Concat(old.CommonPrefixes ?? []).Order(Utf8Order.Instance));
            one.Marker = old.NextMarker ?? old.S3Objects?.LastOrDefault()?.Key;
        }
        while (old.IsTruncated == true);
        Assert.Equal(expected, seen);
    }

    [Fact]
    public async Task Answer_has_the_form_of_the_specification()
    {
        var text = (await site.S3Async(200, null, "GET", $"/{_bucket}?list-type=2&delimiter=%2F&max-keys=2&encoding-type=url&start-after=dir%202")).Text;
        Assert.Contains("<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType><KeyCount>0</KeyCount><StartAfter>dir+2</StartAfter><NextContinuationToken>ZGlyMC8=</NextContinuationToken>", text, StringComparison.Ordinal);
        Assert.Contains("<CommonPrefixes><Prefix>dir-x/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>dir0/</Prefix></CommonPrefixes>", text, StringComparison.Ordinal);
        Assert.Contains("<Key>%C3%BC/%E6%97%A5</Key>", (await site.S3Async(200, null, "GET", $"/{_bucket}?encoding-type=url&prefix=%C3%BC%2F%E6%97%A5")).Text, StringComparison.Ordinal);
        foreach (var limit in (string[])["0", "-1", "1000", "5000", "x"])
        {
            Assert.Contains("<MaxKeys>1000</MaxKeys>", (await site.S3Async(200, null, "GET", $"/{_bucket}?max-keys={limit}")).Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Keys_with_control_characters_are_listed_and_can_be_removed()
    {
        var bucket = await site.CreateCollectionAsync();
        await site.S3Async(200, null, "PUT", $"/{bucket}/a%01%0A%26%3C", "x"u8.ToArray());
        Assert.Contains("<Key>a&#x1;", (await site.S3Async(200, null, "GET", $"/{bucket}")).Text, StringComparison.Ordinal);
        Assert.Contains("<Key>a%01%0A%26%3C</Key>", (await site.S3Async(200, null, "GET", $"/{bucket}?encoding-type=url")).Text, StringComparison.Ordinal);
        await site.S3Async(204, null, "DELETE", $"/{bucket}/a%01%0A%26%3C");
        Assert.DoesNotContain("<Key>", (await site.S3Async(200, null, "GET", $"/{bucket}")).Text, StringComparison.Ordinal);
    }
}
