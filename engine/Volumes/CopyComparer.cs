using System.Buffers;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// Compares a copy that arrives in pieces with the bytes it should have. Up to the first difference nothing is hashed: that part is
/// equal to the expected bytes, so the digest can start from those when it is needed to tell damage from a collision. Not safe for
/// concurrent use; the expected bytes must stay as they are until the end.
/// </summary>
public sealed class CopyComparer(BlockHash hash, ReadOnlyMemory<byte> expected) : IDisposable
{
    private IncrementalHash? _digest;
    private int _equalBytes;

    private const int PieceBytes = 1 << 17;

    /// <summary>Compares a copy that is read from a stream of exactly its size.</summary>
    /// <exception cref="EndOfStreamException">The stream ended before.</exception>
    public static async ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, Stream copy, long sizeBytes, CancellationToken cancellationToken)
    {
        if (sizeBytes > Locator.MaxBlockSizeBytes)
        {
            return CopyState.Corrupt;
        }

        using var comparer = new CopyComparer(hash, expected);
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int count;
            for (var left = sizeBytes; left > 0; left -= count)
            {
                count = await copy.ReadAsync(piece.AsMemory(0, (int)Math.Min(left, piece.Length)), cancellationToken);
                if (count == 0)
                {
                    throw new EndOfStreamException($"{left} bytes are missing at the end");
                }

                comparer.Append(piece.AsSpan(0, count));
            }

            return comparer.Finish();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    /// <summary>The next bytes of the copy.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        if (_digest is null)
        {
            var rest = expected.Span[_equalBytes..];
            if (piece.Length <= rest.Length && piece.SequenceEqual(rest[..piece.Length]))
            {
                _equalBytes += piece.Length;
                return;
            }

            StartDigest();
        }

        _digest!.AppendData(piece);
    }

    /// <summary>The copy has ended: how it compares.</summary>
    public CopyState Finish()
    {
        if (_digest is null && _equalBytes == expected.Length)
        {
            return CopyState.Identical;
        }

        if (_digest is null)
        {
            StartDigest();
        }

        return BlockHash.FromDigest(_digest!.GetHashAndReset()) == hash ? CopyState.Collision : CopyState.Corrupt;
    }

    /// <inheritdoc/>
    public void Dispose() => _digest?.Dispose();

    private void StartDigest()
    {
        _digest = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        _digest.AppendData(expected.Span[.._equalBytes]);
    }
}
