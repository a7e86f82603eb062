using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes;

public sealed class ReadableMemoryVolumeTests : ReadableVolumeContract
{
    private readonly ManualTime _time = new();

    protected override async Task<IVolume> CreateAsync(IReadOnlyList<byte[]> blocks)
    {
        var volume = new MemoryVolume(new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(2), _time));
        foreach (var block in blocks)
        {
            await volume.WriteAsync(BlockHash.Compute(block), block, default);
        }

        return volume;
    }

    protected override void PassTime() => _time.Advance(TimeSpan.FromSeconds(1));
}

public sealed class ReadableDirectoryVolumeTests : ReadableVolumeContract, IDisposable
{
    private readonly ManualTime _time = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    protected override async Task<IVolume> CreateAsync(IReadOnlyList<byte[]> blocks)
    {
        var volume = new DirectoryVolume(new DirectoryVolumeOptions { Root = _folder.Path, Trash = new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(2), _time) });
        foreach (var block in blocks)
        {
            await volume.WriteAsync(BlockHash.Compute(block), block, default);
        }

        return volume;
    }

    protected override void PassTime() => _time.Advance(TimeSpan.FromSeconds(1));
}
