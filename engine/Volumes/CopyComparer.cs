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
