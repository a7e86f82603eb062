using System.Buffers;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Diff;

/// <summary>
/// Whether two files hold the same bytes (docs/decisions/0021). Two stored files: by their block references alone, nothing is fetched. A stored and a local
/// one: whole blocks by the MD5 of the local bytes; a part of a block is fetched and compared, because its hash says nothing about the part. Two local
/// ones: byte by byte. Sizes first, always.
/// </summary>
internal sealed class ContentComparison(IBlockStore? store)
{
    private const int PieceBytes = 1 << 20;

    public async Task<bool> IsSameAsync(DiffEntry a, DiffEntry b, CancellationToken cancellationToken) => (a, b) switch
    {
        _ when a.SizeBytes != b.SizeBytes => false,
        _ when a.SizeBytes <= 0 => true,
        ({ Stored: { } x }, { Stored: { } y }) => HasSameReferences(x, y),
        ({ Stored: { } x }, { LocalPath: { } y }) => await IsSameAsync(x, y, cancellationToken),
        ({ LocalPath: { } x }, { Stored: { } y }) => await IsSameAsync(y, x, cancellationToken),
        _ => await IsSameAsync(a.LocalPath!, b.LocalPath!, cancellationToken),
    };

    /// <summary>The same for equal references, however they were cut: what follows in the same block counts as one piece.</summary>
    public static IEnumerable<(BlockHash Hash, long Offset, long Length)> References(ManifestFile file)
    {
        (BlockHash Hash, long Offset, long Length)? last = null;
        foreach (var piece in file.Segments.Where(piece => piece.Length > 0))
        {
            if (last is { } open && open.Hash == piece.Locator.Hash && open.Offset + open.Length == piece.Offset)
            {
                last = (open.Hash, open.Offset, open.Length + piece.Length);
                continue;
            }

            if (last is { } done)
            {
                yield return done;
            }

            last = (piece.Locator.Hash, piece.Offset, piece.Length);
        }

        if (last is { } end)
        {
            yield return end;
        }
    }

    private static bool HasSameReferences(ManifestFile a, ManifestFile b) => References(a).SequenceEqual(References(b));

    private async Task<bool> IsSameAsync(ManifestFile stored, string path, CancellationToken cancellationToken)
    {
        await using var local = Open(path);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            foreach (var piece in stored.Segments)
            {
                var isWhole = piece.Offset == 0 && piece.Length == piece.Locator.SizeBytes;
                if (!(isWhole ? await HasHashAsync(local, piece.Locator.Hash, piece.Length, buffer, cancellationToken) : await HasBytesAsync(local, piece, buffer, cancellationToken)))
                {
                    return false;
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<bool> HasHashAsync(FileStream local, BlockHash expected, int length, byte[] buffer, CancellationToken cancellationToken)
    {
#pragma warning disable CA5351 // MD5 is the name of a block, not a secret.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        for (var left = length; left > 0;)
        {
            var read = await local.ReadAsync(buffer.AsMemory(0, Math.Min(left, PieceBytes)), cancellationToken);
            if (read == 0)
            {
                return false;
            }

            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        return BlockHash.FromDigest(hash.GetHashAndReset()) == expected;
    }

    private async Task<bool> HasBytesAsync(FileStream local, ManifestSegment piece, byte[] buffer, CancellationToken cancellationToken)
    {
        for (var done = 0; done < piece.Length;)
        {
            var length = Math.Min(piece.Length - done, PieceBytes);
            if (await local.ReadAtLeastAsync(buffer.AsMemory(0, length), length, throwOnEndOfStream: false, cancellationToken) < length)
            {
                return false;
            }

            using var lease = await store!.ReadAsync(piece.Locator, piece.Offset + done, length, cancellationToken);
            if (!lease.Memory.Span.SequenceEqual(buffer.AsSpan(0, length)))
            {
                return false;
            }

            done += length;
        }

        return true;
    }

    private static async Task<bool> IsSameAsync(string a, string b, CancellationToken cancellationToken)
    {
        await using var left = Open(a);
        await using var right = Open(b);
        var (x, y) = (ArrayPool<byte>.Shared.Rent(PieceBytes), ArrayPool<byte>.Shared.Rent(PieceBytes));
        try
        {
            while (true)
            {
                var read = await left.ReadAtLeastAsync(x.AsMemory(0, PieceBytes), PieceBytes, throwOnEndOfStream: false, cancellationToken);
                var other = await right.ReadAtLeastAsync(y.AsMemory(0, PieceBytes), PieceBytes, throwOnEndOfStream: false, cancellationToken);
                if (read != other || !x.AsSpan(0, read).SequenceEqual(y.AsSpan(0, read)))
                {
                    return false;
                }

                if (read < PieceBytes)
                {
                    return true;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(x);
            ArrayPool<byte>.Shared.Return(y);
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
}
