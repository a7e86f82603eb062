using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Volumes.S3;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.S3;

/// <summary>What goes wrong with a bucket is told as what it is, and nothing is taken for absent that only could not be asked for.</summary>
[Collection(RadosGateway.Collection)]
public sealed class S3FaultTests(RadosGateway gateway)
{
    private static readonly TrashPolicy Policy = new(TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeProvider.System);
    private static readonly byte[] Data = "foo"u8.ToArray();
    private static readonly BlockHash Hash = BlockHash.Compute(Data);
    private readonly RecordedTraffic _traffic = new();

    [Fact]
    public async Task Wrong_secret_is_unavailable_and_names_the_keys()
    {
        var parameters = await gateway.NewBucketAsync();
        parameters["SecretAccessKey"] = "wrong";
        await AssertAllFailAsync(parameters, KeepErrorKind.Unavailable, "SecretAccessKey", "denied");
    }

    [Fact]
    public async Task Unknown_access_key_is_unavailable()
    {
        var parameters = await gateway.NewBucketAsync();
        parameters["AccessKeyID"] = "NOBODY";
        await AssertAllFailAsync(parameters, KeepErrorKind.Unavailable, "AccessKeyID", "denied");
    }

    [Fact]
    public async Task Missing_bucket_fails_reads_writes_and_index()
    {
        await using var volume = Open(gateway.ParametersOf("no-such-bucket"));
        foreach (var work in (Func<Task>[])[() => ReadAsync(volume), () => WriteAsync(volume), () => IndexAsync(volume)])
        {
            var e = await Assert.ThrowsAsync<KeepException>(work);
            Assert.Equal(KeepErrorKind.Unavailable, e.Kind);
            Assert.True(e.Message.Contains("no such bucket", StringComparison.Ordinal), e.Message + e.InnerException);
        }

        Assert.All(_traffic.Failures, type => Assert.Equal("no_bucket", type));
    }

    [Fact]
    public async Task Closed_port_is_unavailable()
    {
        var parameters = gateway.ParametersOf("any");
        parameters["Endpoint"] = $"http://127.0.0.1:{ServerScript.FreePorts(1)[0]}";
        await using var volume = Open(parameters);
        foreach (var work in (Func<Task>[])[() => ReadAsync(volume), () => WriteAsync(volume)])
        {
            Assert.Equal(KeepErrorKind.Unavailable, (await Assert.ThrowsAsync<KeepException>(work)).Kind);
        }

        Assert.Equal(["unreachable", "unreachable"], _traffic.Failures);
    }

    [Fact]
    public async Task Silent_server_is_unavailable_after_ReadTimeout()
    {
        await using var server = new StallingServer();
        var parameters = gateway.ParametersOf("any");
        parameters["Endpoint"] = server.Url;
        parameters["ReadTimeout"] = "200ms";
        await AssertAllFailAsync(parameters, KeepErrorKind.Unavailable, "ReadTimeout", "timeout");
    }

    [Fact]
    public async Task Server_that_stalls_within_the_block_is_unavailable_after_ReadTimeout()
    {
        await using var server = new StallingServer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLast-Modified: Fri, 02 Jan 2026 03:04:05 GMT\r\nETag: \"acbd18db4cc2f85cedef654fccc4a4d8\"\r\n\r\nf", endsAnswer: false);
        var parameters = gateway.ParametersOf("any");
        parameters["Endpoint"] = server.Url;
        parameters["ReadTimeout"] = "300ms";
        await using var volume = Open(parameters);
        var e = await Assert.ThrowsAsync<KeepException>(() => ReadAsync(volume));
        Assert.True(e.Message.Contains("ReadTimeout", StringComparison.Ordinal), e.Message + e.InnerException);
    }

    [Fact]
    public async Task Block_that_ends_early_is_unavailable()
    {
        await using var server = new StallingServer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLast-Modified: Fri, 02 Jan 2026 03:04:05 GMT\r\nETag: \"acbd18db4cc2f85cedef654fccc4a4d8\"\r\n\r\nf");
        var parameters = gateway.ParametersOf("any");
        parameters["Endpoint"] = server.Url;
        await using var volume = Open(parameters);
        var e = await Assert.ThrowsAsync<KeepException>(() => ReadAsync(volume));
        Assert.Equal(KeepErrorKind.Unavailable, e.Kind);
    }

    [Theory]
    [InlineData("503 Slow Down", "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>", KeepErrorKind.Unavailable, "slow_down")]
    [InlineData("500 Internal Server Error", "<Error><Code>InternalError</Code><Message>We met an error.</Message></Error>", KeepErrorKind.Unavailable, "server")]
    [InlineData("403 Forbidden", "<Error><Code>QuotaExceeded</Code><Message>Too much.</Message></Error>", KeepErrorKind.Full, "full")]
    [InlineData("507 Insufficient Storage", "<Error><Code>XMinioStorageFull</Code><Message>Full.</Message></Error>", KeepErrorKind.Full, "full")]
    public async Task Answer_is_told_as_what_it_means(string status, string body, KeepErrorKind kind, string type)
    {
        await using var server = new StallingServer($"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
        var parameters = gateway.ParametersOf("any");
        parameters["Endpoint"] = server.Url;
        await using var volume = Open(parameters);

        var e = await Assert.ThrowsAsync<KeepException>(() => WriteAsync(volume));

        Assert.Equal(kind, e.Kind);
        Assert.Equal([type], _traffic.Failures);
    }

    [Fact]
    public async Task Cancelled_request_ends_as_cancelled()
    {
        await using var server = new StallingServer();
        var parameters = gateway.ParametersOf("any");
        parameters["Endpoint"] = server.Url;
        await using var volume = Open(parameters);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await volume.WriteAsync(Hash, Data, cancel.Token));
        Assert.Empty(_traffic.Failures);
    }

    [Fact]
    public async Task Bytes_with_another_hash_are_refused_by_the_service()
    {
        await using var volume = Open(await gateway.NewBucketAsync());
        await Assert.ThrowsAsync<KeepException>(async () => await volume.WriteAsync(Hash, "bar"u8.ToArray(), default));
        Assert.Null(await volume.ReadAsync(Hash, new byte[3], default));
    }

    [Fact]
    public async Task Trash_without_lifetime_needs_UnsafeDelete()
    {
        await using var volume = new S3Volume(RadosGateway.Options(await gateway.NewBucketAsync(), Policy with { MinimumAge = TimeSpan.Zero, Lifetime = TimeSpan.Zero }));
        await WriteAsync(volume);
        var e = await Assert.ThrowsAsync<KeepException>(async () => await volume.TrashAsync(Hash, default));
        Assert.Contains("UnsafeDelete", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, await volume.ReadAsync(Hash, new byte[3], default));
    }

    [Fact]
    public async Task Traffic_counts_requests_and_bytes_of_blocks()
    {
        await using var volume = Open(await gateway.NewBucketAsync());
        await WriteAsync(volume);
        await ReadAsync(volume);
        await volume.GetMtimeAsync(Hash, default);
        await IndexAsync(volume);
        Assert.Equal(["put", "put", "get", "head", "head", "list", "list"], _traffic.Operations);
        Assert.Equal((3, 3), _traffic.Bytes);
        Assert.Empty(_traffic.Failures);
    }

    [Fact]
    public async Task Largest_block_goes_in_and_out()
    {
        var data = new byte[Locator.MaxBlockSizeBytes];
        new Random(7).NextBytes(data);
        var hash = BlockHash.Compute(data);
        await using var volume = Open(await gateway.NewBucketAsync());
        await volume.WriteAsync(hash, data, default);
        var read = new byte[data.Length];
        Assert.Equal(data.Length, await volume.ReadAsync(hash, read, default));
        Assert.True(read.AsSpan().SequenceEqual(data));
        Assert.Equal(CopyState.Identical, await volume.CompareAsync(hash, data, default));
    }

    private async Task AssertAllFailAsync(Dictionary<string, string> parameters, KeepErrorKind kind, string hint, string type)
    {
        await using var volume = Open(parameters);
        foreach (var work in (Func<Task>[])[
            () => ReadAsync(volume), () => WriteAsync(volume), () => IndexAsync(volume), async () => await volume.TouchAsync(Hash, default),
            async () => await volume.GetMtimeAsync(Hash, default), async () => await volume.TrashAsync(Hash, default),
            async () => await volume.UntrashAsync(Hash, default), async () => await volume.EmptyTrashAsync(1, default),
            async () => await volume.CompareAsync(Hash, Data, default)])
        {
            var e = await Assert.ThrowsAsync<KeepException>(work);
            Assert.Equal(kind, e.Kind);
            Assert.True(e.Message.Contains(hint, StringComparison.Ordinal), e.Message + e.InnerException);
        }

        Assert.All(_traffic.Failures, told => Assert.Equal(type, told));
        Assert.DoesNotContain("keepfs-secret", string.Join(' ', _traffic.Failures), StringComparison.Ordinal);
    }

    private S3Volume Open(Dictionary<string, string> parameters) => new(RadosGateway.Options(parameters, Policy), _traffic);

    private static async Task ReadAsync(S3Volume volume) => await volume.ReadAsync(Hash, new byte[3], default);

    private static async Task WriteAsync(S3Volume volume) => await volume.WriteAsync(Hash, Data, default);

    private static async Task IndexAsync(S3Volume volume)
    {
        await foreach (var _ in volume.IndexAsync("", default))
        {
        }
    }
}
