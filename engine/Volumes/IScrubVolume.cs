using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// A volume that can do more for scrubbing than <see cref="IVolume"/> asks: read past caches, put a bad copy aside, and remember how far
/// the scrubber got. Errors and threads as there.
/// </summary>
public interface IScrubVolume : IVolume
{
    /// <summary>As <see cref="IVolume.ReadAsync"/>, from the medium itself as far as the system allows, and without filling caches.</summary>
    ValueTask<long?> ReadFromMediumAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the copy away from readers and the index and keeps it, durably, under another name. It is verified once more, safe from
    /// writers: false when it is good (now) or not there.
    /// </summary>
    ValueTask<bool> QuarantineAsync(BlockHash hash, CancellationToken cancellationToken);

    /// <summary>Blocks of which a copy was put aside, in hash order, each once.</summary>
    ValueTask<IReadOnlyList<BlockHash>> ListQuarantineAsync(CancellationToken cancellationToken);

    /// <summary>What <see cref="SaveScrubStateAsync"/> saved last; null when nothing was.</summary>
    ValueTask<byte[]?> LoadScrubStateAsync(CancellationToken cancellationToken);

    /// <summary>Remembers a few bytes with the volume, all or nothing.</summary>
    ValueTask SaveScrubStateAsync(byte[] state, CancellationToken cancellationToken);
}
