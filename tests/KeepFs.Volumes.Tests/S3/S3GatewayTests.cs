using System.Text;
using Amazon.S3.Model;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Testing.Volumes;
using KeepFs.Volumes.S3;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.S3;

/// <summary>A gateway to a real bucket: listing, reading ranges, and what becomes of objects that change (keep-gateway.md 6 and 7).</summary>
[Collection(RadosGateway.Collection)]
public sealed class S3GatewayTests(RadosGateway server) : IAsyncLifetime, IDisposable
{
    private static readonly string[] OddKeys = ["a:b.txt", "with space.txt", @"back\slash", "é/漢字 😀", "plus+percent%41", "deep/er/and/deeper", "question?#&=", "tilde~'()*"];
    private readonly TemporaryFolder _mappings = new();
    private Dictionary<string, string> _parameters = [];
    private GatewayIndex _index = null!;

    public async Task InitializeAsync()
    {
        _parameters = await server.NewBucketAsync();
        _index = new GatewayIndex(_mappings.Path);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _mappings.Dispose();

    [Fact]
    public async Task Objects_with_odd_keys_are_indexed_and_read_through_the_gateway()
    {
        foreach (var key in OddKeys)
        {
            await PutAsync(key, "content of " + key);
        }

        Assert.Equal((OddKeys.Length, OddKeys.Length, 0), await ScanAsync());
        await using var volume = Volume();
        foreach (var key in OddKeys)
        {
            Assert.Equal("content of " + key, await ReadAsync(volume, "content of " + key));
        }

        Assert.Equal((OddKeys.Length, 0, 0), await ScanAsync());
    }

    [Fact]
    public async Task Listing_of_several_pages_is_whole_and_honours_the_prefix()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 1005), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => await PutAsync($"many/{i:d4}", "same"));
        await PutAsync("other", "other");
        await using var objects = Objects();

        Assert.Equal(1006, await objects.ListAsync("", default).CountAsync());
        var listed = await objects.ListAsync("many/", default).ToListAsync();
        Assert.Equal(Enumerable.Range(0, 1005).Select(i => $"many/{i:d4}"), listed.Select(item => item.Key.ToString()));
        Assert.All(listed, item => Assert.Equal(4, item.SizeBytes));
    }

    [Fact]
    public async Task Object_of_65_MiB_is_two_blocks_and_one_that_shrank_is_gone()
    {
        var data = new byte[68157440];
        await server.Client.PutObjectAsync(new PutObjectRequest { BucketName = _parameters["Bucket"], Key = "data/zero65", InputStream = new MemoryStream(data) });
        await ScanAsync();
        await using var volume = Volume();

        var last = new byte[1048576];
        Assert.Equal(last.Length, await volume.ReadVerifiedAsync(BlockHash.Parse("b6d81b360a5672d80c27430f39153e2c"), last.Length, last, default));
        var first = new byte[Locator.MaxBlockSizeBytes];
        Assert.Equal(first.Length, await volume.ReadVerifiedAsync(BlockHash.Parse("7f614da9329cd3aebf59b91aadc30bf0"), first.Length, first, default));

        await PutAsync("data/zero65", "shrunk");
        Assert.Null(await volume.ReadVerifiedAsync(BlockHash.Parse("b6d81b360a5672d80c27430f39153e2c"), last.Length, last, default));
        Assert.Equal((2, 1), (volume.Counters[CandidateOutcome.Ok], volume.Counters[CandidateOutcome.Gone]));
    }

    [Fact]
    public async Task Candidates_follow_each_other_when_objects_are_deleted_and_overwritten()
    {
        await PutAsync("first", "hello gateway");
        await PutAsync("second", "hello gateway");
        await PutAsync("third", "hello gateway");
        await ScanAsync();
        await using var volume = Volume();
        await server.Client.DeleteObjectAsync(_parameters["Bucket"], "first");
        await PutAsync("second", "HELLO GATEWAY");

        Assert.Equal("hello gateway", await ReadAsync(volume, "hello gateway"));
        Assert.Equal("third", _index.Load(BlockHash.Compute("hello gateway"u8))[0].Key.ToString());

        Assert.Equal((2, 1, 1), await ScanAsync());
        Assert.Equal("HELLO GATEWAY", await ReadAsync(volume, "HELLO GATEWAY"));
        await server.Client.DeleteObjectAsync(_parameters["Bucket"], "third");
        Assert.Null(await ReadAsync(volume, "hello gateway"));
    }

    [Fact]
    public async Task Empty_object_is_indexed()
    {
        await PutAsync("empty", "");
        Assert.Equal((1, 1, 0), await ScanAsync());
        Assert.Equal("empty", Assert.Single(_index.Load(BlockHash.Empty)).Key.ToString());
    }

    [Fact]
    public async Task Wrong_keys_and_missing_buckets_are_unavailable_and_never_absent()
    {
        await PutAsync("object", "hello gateway");
        await ScanAsync();
        await using var denied = Volume(new Dictionary<string, string>(_parameters) { ["SecretAccessKey"] = "wrong" });
        await using var nowhere = Volume(new Dictionary<string, string>(_parameters) { ["Bucket"] = "no-such-bucket" });

        await Assert.ThrowsAsync<RemoteUnavailableException>(() => ReadAsync(denied, "hello gateway"));
        await Assert.ThrowsAsync<RemoteUnavailableException>(() => ReadAsync(nowhere, "hello gateway"));
        await using var objects = Objects(new Dictionary<string, string>(_parameters) { ["Bucket"] = "no-such-bucket" });
        await Assert.ThrowsAsync<ObjectUnavailableException>(async () => await objects.ListAsync("", default).CountAsync());
    }

    private async Task PutAsync(string key, string content) =>
        await server.Client.PutObjectAsync(new PutObjectRequest { BucketName = _parameters["Bucket"], Key = key, ContentBody = content, UseChunkEncoding = false });

    private async Task<(int Listed, int Read, int Removed)> ScanAsync()
    {
        await using var objects = Objects();
        var buffers = new BlockBufferPool(new BlockBufferPoolOptions());
        var scan = new GatewayScan(_index, objects, buffers, null, new GatewayScanOptions(), new NoProgress(), TimeProvider.System);
        var report = await scan.RunAsync(objects.ListAsync("", default), () => true, default);
        Assert.Equal(0, report.Errors);
        return ((int)report.Listed, (int)report.Read, (int)report.Removed);
    }

    private GatewayVolume Volume(Dictionary<string, string>? parameters = null) => new(_index, Objects(parameters), new GatewayVolumeOptions(), new NoEvents());

    private S3Objects Objects(Dictionary<string, string>? parameters = null)
    {
        var faults = new List<string>();
        var options = S3ConnectionOptions.Parse(new Engine.Volumes.DriverParameters(parameters ?? _parameters, "DriverParameters", faults));
        Assert.Empty(faults);
        return new S3Objects(options);
    }

    private static async Task<string?> ReadAsync(GatewayVolume volume, string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var room = new byte[bytes.Length];
        return await volume.ReadVerifiedAsync(BlockHash.Compute(bytes), bytes.Length, room, default) is null ? null : Encoding.UTF8.GetString(room);
    }

    private sealed class NoEvents : IGatewayEvents
    {
        public void CandidateFailed(BlockHash hash, GatewayLine line, CandidateOutcome outcome, string reason)
        {
        }

        public void ContentLost(BlockHash hash)
        {
        }

        public void MalformedLines(BlockHash hash, long count) => Assert.Fail("The scan writes no malformed lines.");

        public void ReorderFailed(BlockHash hash, Exception failure) => Assert.Fail(failure.Message);
    }

    private sealed class NoProgress : IScanProgress
    {
        public void Advance(long bytes)
        {
        }

        public void Indexed(CataloguedObject entry)
        {
        }

        public void Failed(ObjectInfo item, string reason) => Assert.Fail($"{item.Key}: {reason}");
    }
}
