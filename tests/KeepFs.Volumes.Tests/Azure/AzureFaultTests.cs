using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Volumes.Azure;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.Azure;

/// <summary>What goes wrong with a container is told as what it is, and nothing is taken for absent that only could not be asked for.</summary>
[Collection(Azurite.Collection)]
public sealed class AzureFaultTests(Azurite azurite)
{
    private static readonly TrashPolicy Policy = new(TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeProvider.System);
    private static readonly byte[] Data = "foo"u8.ToArray();
    private static readonly BlockHash Hash = BlockHash.Compute(Data);
    private readonly RecordedTraffic _traffic = new();

    [Fact]
    public async Task Wrong_key_is_unavailable_and_names_it()
    {
        var parameters = await azurite.NewContainerAsync();
        parameters["StorageAccountKey"] = "d3Jvbmc=";
        await AssertAllFailAsync(parameters, "StorageAccountKey", "denied");
    }

    [Fact]
    public Task Missing_container_is_unavailable() => AssertAllFailAsync(azurite.ParametersOf("no-such-container"), "no such container", "no_container");

    [Fact]
    public Task Closed_port_is_unavailable()
    {
        var parameters = azurite.ParametersOf("any");
        parameters["StorageBaseURL"] = $"http://127.0.0.1:{ServerScript.FreePorts(1)[0]}";
        return AssertAllFailAsync(parameters, "127.0.0.1", "unreachable");
    }

    [Fact]
    public async Task Silent_server_is_unavailable_after_RequestTimeout()
    {
        await using var server = new StallingServer();
        var parameters = azurite.ParametersOf("any");
        parameters["StorageBaseURL"] = server.Url;
        parameters["RequestTimeout"] = "100ms";
        await AssertAllFailAsync(parameters, "RequestTimeout", "timeout");
    }

    [Fact]
    public async Task Busy_service_is_unavailable_and_listing_tries_again()
    {
        await using var server = new StallingServer("HTTP/1.1 503 Busy\r\nx-ms-error-code: ServerBusy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        var parameters = azurite.ParametersOf("any");
        parameters["StorageBaseURL"] = server.Url;
        parameters["ListBlobsMaxAttempts"] = "4";
        parameters["ListBlobsRetryDelay"] = "1ms";
        await using var volume = Open(parameters);

        var e = await Assert.ThrowsAnyAsync<KeepException>(() => ReadAsync(volume));
        Assert.Equal(KeepErrorKind.Unavailable, e.Kind);
        Assert.Contains("volume unavailable", e.Message, StringComparison.Ordinal);
        Assert.Equal(1, server.Requests);

        await Assert.ThrowsAnyAsync<KeepException>(() => IndexAsync(volume));
        Assert.Equal(5, server.Requests);
    }

    [Fact]
    public async Task Bytes_with_another_hash_are_refused_by_the_service()
    {
        await using var volume = Open(await azurite.NewContainerAsync());
        await Assert.ThrowsAnyAsync<KeepException>(async () => await volume.WriteAsync(Hash, "bar"u8.ToArray(), default));
        Assert.Null(await volume.ReadAsync(Hash, new byte[3], default));
    }

    [Fact]
    public async Task Traffic_counts_requests_and_bytes_of_blocks()
    {
        var parameters = await azurite.NewContainerAsync();
        await using var volume = Open(parameters);
        await volume.WriteAsync(Hash, Data, default);
        await ReadAsync(volume);
        await volume.TouchAsync(Hash, default);
        await IndexAsync(volume);
        parameters["MaxGetBytes"] = "2";
        await using var ranged = Open(parameters);
        await ReadAsync(ranged);
        Assert.Equal(["create", "get", "get_properties", "set_metadata", "list", "get_properties", "get_range", "get_range"], _traffic.Operations);
        Assert.Equal((6, 3), _traffic.Bytes);
    }

    [Fact]
    public async Task Largest_block_goes_in_and_out()
    {
        var data = new byte[Locator.MaxBlockSizeBytes];
        new Random(7).NextBytes(data);
        var hash = BlockHash.Compute(data);
        var parameters = await azurite.NewContainerAsync();
        await using var volume = Open(parameters);
        await volume.WriteAsync(hash, data, default);
        var read = new byte[data.Length];
        Assert.Equal(data.Length, await volume.ReadAsync(hash, read, default));
        Assert.True(read.AsSpan().SequenceEqual(data));

        parameters["MaxGetBytes"] = "10000000";
        await using var ranged = Open(parameters);
        Array.Clear(read);
        Assert.Equal(data.Length, await ranged.ReadAsync(hash, read, default));
        Assert.True(read.AsSpan().SequenceEqual(data));
    }

    private async Task AssertAllFailAsync(Dictionary<string, string> parameters, string hint, string type)
    {
        await using var volume = Open(parameters);
        foreach (var work in (Func<Task>[])[
            () => ReadAsync(volume), async () => await volume.WriteAsync(Hash, Data, default), () => IndexAsync(volume), async () => await volume.TouchAsync(Hash, default),
            async () => await volume.GetMtimeAsync(Hash, default), async () => await volume.TrashAsync(Hash, default),
            async () => await volume.UntrashAsync(Hash, default), async () => await volume.EmptyTrashAsync(1, default),
            async () => await volume.CompareAsync(Hash, Data, default)])
        {
            var e = await Assert.ThrowsAnyAsync<KeepException>(work);
            Assert.Equal(KeepErrorKind.Unavailable, e.Kind);
            Assert.True(e.Message.Contains(hint, StringComparison.Ordinal), e.Message);
        }

        Assert.All(_traffic.Failures, told => Assert.Equal(type, told));
    }

    private AzureVolume Open(Dictionary<string, string> parameters) => new(Azurite.Options(parameters, Policy), _traffic);

    private static async Task ReadAsync(AzureVolume volume) => await volume.ReadAsync(Hash, new byte[3], default);

    private static async Task IndexAsync(AzureVolume volume)
    {
        await foreach (var _ in volume.IndexAsync("", default))
        {
        }
    }
}
