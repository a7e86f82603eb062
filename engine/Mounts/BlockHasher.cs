using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>
/// The hash of one block whose bytes arrive in pieces. The memory given to <see cref="Append"/> must stay unchanged until
/// <see cref="FinishAsync"/> is complete, so that the work may be done later and together with other blocks. One user at a time.
/// </summary>
public sealed class BlockHasher : IDisposable
{
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.MD5);

    /// <summary>Adds the next bytes.</summary>
    public void Append(ReadOnlyMemory<byte> piece) => _digest.AppendData(piece.Span);

    /// <summary>The hash of everything appended.</summary>
    public ValueTask<BlockHash> FinishAsync() => ValueTask.FromResult(BlockHash.FromDigest(_digest.GetHashAndReset()));

    /// <inheritdoc/>
    public void Dispose() => _digest.Dispose();
}
