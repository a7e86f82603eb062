using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Mounts;

public sealed class PullWorkerTests : IBlockFetcher, IAsyncDisposable
{
    private static readonly byte[] Data = "foo"u8.ToArray();
    private static readonly BlockHash Foo = BlockHash.Compute(Data);
    private readonly BlockBufferPool _buffers = new(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
    private readonly RecordedEvents _events = new();
    private readonly Keepstore _keepstore;
    private KeepException? _failure;
    private string _asked = "";

    public PullWorkerTests()
    {
        var policy = new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(1), new ManualTime());
        _keepstore = new Keepstore(
            new MountTable(Enumerable.Range(0, 3).Select(i => new Mount
            {
                Uuid = $"zzzzz-nyw5e-{new string((char)('0' + i), 15)}",
                Volume = new FaultyVolume(new MemoryVolume(policy)),
                AllowWrite = i != 2,
            })),
            _buffers,
            _events);
    }

    public ValueTask DisposeAsync() => _keepstore.DisposeAsync();

    [Theory]
    [InlineData("", "0..", "pulled 0")] // vector W1 without the read-only mount: 2, 0, 1
    [InlineData("zzzzz-nyw5e-111111111111111", ".1.", "pulled 1")]
    [InlineData("zzzzz-nyw5e-222222222222222", "...", "pull 2")] // read-only
    [InlineData("zzzzz-nyw5e-333333333333333", "...", "pull 3")] // unknown
    public async Task Block_goes_to_the_named_mount_or_the_first_writable_one(string mount, string stored, string events)
    {
        await PullAsync(mount);

        Assert.Equal(stored, await WhereAsync());
        Assert.Equal([events], _events.Lines);
        Assert.Equal(0, _buffers.OutBytes);
    }

    [Fact]
    public async Task Existing_copy_is_written_over_without_a_look()
    {
        var volume = (FaultyVolume)_keepstore.Mounts.All[0].Volume;
        await volume.WriteAsync(Foo, "bad"u8.ToArray(), default);

        await PullAsync(_keepstore.Mounts.All[0].Uuid);

        Assert.Equal(2, volume.Writes);
        Assert.Equal(CopyState.Identical, await volume.CompareAsync(Foo, Data, default));
        Assert.Equal("http://a:1 http://b:2", _asked);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Failure_is_reported_and_gives_the_memory_back(bool failsToFetch, bool failsToWrite)
    {
        _failure = failsToFetch ? new KeepException(KeepErrorKind.NotFound, "nowhere") : null;
        ((FaultyVolume)_keepstore.Mounts.All[0].Volume).WritesFailWith = failsToWrite ? KeepErrorKind.Full : null;

        await PullAsync("");

        Assert.Equal("...", await WhereAsync());
        Assert.Equal(["pull 0"], _events.Lines);
        Assert.Equal(0, _buffers.OutBytes);
    }

    ValueTask IBlockFetcher.FetchAsync(Locator locator, IReadOnlyList<string> servers, BlockBuffer destination, CancellationToken cancellationToken)
    {
        _asked = string.Join(' ', servers);
        Data.CopyTo(destination.Capacity);
        destination.Length = Data.Length;
        return _failure is null ? ValueTask.CompletedTask : throw _failure;
    }

    private ValueTask PullAsync(string mount) =>
        new PullWorker(_keepstore, _buffers, this, _events).PullAsync(new PullItem(new Locator(Foo, 3), ["http://a:1", "http://b:2"], mount), default);

    private async Task<string> WhereAsync() =>
        string.Concat(await Task.WhenAll(_keepstore.Mounts.All.Select(async mount => await mount.Volume.GetMtimeAsync(Foo, default) is null ? '.' : mount.Uuid[^1])));
}
