using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes;

public sealed class MemoryVolumeTests : VolumeContract
{
    protected override IVolume Create() => new MemoryVolume(Policy);

    [Fact]
    public async Task Write_beyond_the_capacity_says_full()
    {
        await using var small = new MemoryVolume(Policy, capacityBytes: 5);
        await small.WriteAsync(BlockHash.Compute("foo"u8), "foo"u8.ToArray(), default);

        var failure = await Assert.ThrowsAsync<KeepException>(async () => await small.WriteAsync(BlockHash.Compute("bar"u8), "bar"u8.ToArray(), default));

        Assert.Equal(KeepErrorKind.Full, failure.Kind);
    }
}
