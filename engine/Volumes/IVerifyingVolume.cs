using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// A volume that must verify what it reads, because it chooses between candidates by their content. The layer above need not hash
/// what <see cref="ReadVerifiedAsync"/> returns once more.
/// </summary>
public interface IVerifyingVolume : IVolume
{
    /// <summary>
    /// As <see cref="IVolume.ReadAsync"/>, but the bytes returned have the hash. With a size hint (not 0) only copies of that length count.
    /// </summary>
    ValueTask<long?> ReadVerifiedAsync(BlockHash hash, int sizeHintBytes, Memory<byte> destination, CancellationToken cancellationToken);
}
