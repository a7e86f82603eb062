using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>What lies on several volumes: 20 bytes of memory for each copy. Only reads. Safe for concurrent use.</summary>
internal sealed class VolumeBlocks
{
    private readonly List<(IVolume Volume, BlockHash[] Hashes, int[] Sizes)> _volumes = [];

    private VolumeBlocks()
    {
    }

    /// <summary>Copies on all volumes.</summary>
    public long Copies => _volumes.Sum(volume => (long)volume.Hashes.Length);

    /// <exception cref="KeepException">A volume cannot be listed.</exception>
    public static async Task<VolumeBlocks> IndexAsync(IReadOnlyList<IVolume> volumes, CancellationToken ct)
    {
        var blocks = new VolumeBlocks();
        foreach (var volume in volumes)
        {
            var (hashes, sizes) = (new List<BlockHash>(), new List<int>());
            await foreach (var entry in volume.IndexAsync("", ct))
            {
                hashes.Add(entry.Hash);
                sizes.Add((int)Math.Min(entry.SizeBytes, int.MaxValue));
            }

            blocks._volumes.Add((volume, [.. hashes], [.. sizes]));
        }

        return blocks;
    }

    /// <summary>Some volume has a copy of the right length; zero stands for any.</summary>
    public bool Holds(BlockHash hash, int sizeBytes) => _volumes.Exists(volume => Array.BinarySearch(volume.Hashes, hash) is >= 0 and var at && (sizeBytes == 0 || volume.Sizes[at] == sizeBytes));

    /// <summary>Blocks by what their length says, each once.</summary>
    public IEnumerable<(BlockHash Hash, int SizeBytes)> OfSize(Func<long, bool> isWanted) =>
        _volumes.SelectMany(volume => volume.Hashes.Zip(volume.Sizes)).Where(block => isWanted(block.Second)).Distinct();

    /// <summary>Fills the memory with a copy whose hash is right; false when there is none.</summary>
    public async Task<bool> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken ct)
    {
        foreach (var (volume, hashes, sizes) in _volumes)
        {
            if (Array.BinarySearch(hashes, hash) is >= 0 and var at && sizes[at] == destination.Length && await TryReadAsync(volume, hash, destination, ct))
            {
                return true;
            }
        }

        return false;
    }

    private static async Task<bool> TryReadAsync(IVolume volume, BlockHash hash, Memory<byte> destination, CancellationToken ct)
    {
        try
        {
            return await volume.ReadAsync(hash, destination, ct) == destination.Length && BlockHash.Compute(destination.Span) == hash;
        }
        catch (KeepException)
        {
            // A disk that cannot read it has no good copy.
            return false;
        }
    }
}
