using System.Buffers;
using KeepFs.Engine.Blocks;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>Puts the pieces of a file, which are in the cache, one after the other.</summary>
internal sealed class WholeFileCopy(BlockCacheDirectory cache, IReadOnlyList<BlockRange> pieces)
{
    private const int CopyBytes = 1 << 20;

    /// <exception cref="IOException">A piece left the cache meanwhile, or the disk is full.</exception>
    public void WriteTo(SafeFileHandle file)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            long at = 0;
            foreach (var piece in pieces)
            {
                for (var done = 0; done < piece.Length;)
                {
                    var part = buffer.AsSpan(0, Math.Min(CopyBytes, piece.Length - done));
                    if (!cache.TryRead(piece.Block, piece.Offset + done, part))
                    {
                        throw new IOException($"block {piece.Block.Hash} is not in the cache any more");
                    }

                    RandomAccess.Write(file, part, at);
                    at += part.Length;
                    done += part.Length;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
