using System.Buffers;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.S3;

/// <summary>
/// Blocks as objects of an S3 bucket in Arvados's layout (keepstore-http.md 11.2), which several keepstores may serve at the same time, Arvados's
/// among them. S3 has no locks: a marker <c>recent/X</c> carries the time of block X, and trashing copies X to <c>trash/X</c> before it deletes X. So
/// when a touch and a trashing overlap, the marker is found to be newer than the trash, and X is brought back. Times are the service's, in seconds.
/// </summary>
public sealed partial class S3Volume : IVolume
{
    private const int PieceBytes = 1 << 17;
    private static readonly string EmptyMd5 = Md5Base64(BlockHash.Empty);
    private readonly S3VolumeOptions _options;
    private readonly TrashPolicy _trash;
    private readonly S3Layout _layout;
    private readonly IBucket _bucket;

    /// <summary>Opens the volume; the bucket is first asked when it is first used.</summary>
    public S3Volume(S3VolumeOptions options, IVolumeTraffic? traffic = null)
        : this(options, new RemoteBucket(options.Connection, options.IndexPageSize, options.Trash.Time, traffic))
    {
    }

    internal S3Volume(S3VolumeOptions options, IBucket bucket) =>
        (_options, _trash, _layout, _bucket) = (options, options.Trash, new S3Layout(options.PrefixLength), bucket);

    /// <inheritdoc/>
    public string DeviceId => _options.Connection.DeviceId;

    /// <inheritdoc/>
    public async ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var found = await GetAsync(hash, async (copy, bytes, token) =>
        {
            if (copy.SizeBytes > destination.Length)
            {
                return 0;
            }

            await bytes.ReadExactlyAsync(destination[..(int)copy.SizeBytes], token);
            return copy.SizeBytes;
        }, cancellationToken);
        return found?.SizeBytes;
    }

    /// <inheritdoc/>
    public async ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        var state = CopyState.Absent;
        await GetAsync(hash, async (copy, bytes, token) =>
        {
            if (copy.SizeBytes > Locator.MaxBlockSizeBytes)
            {
                state = CopyState.Corrupt;
                return 0;
            }

            using var comparer = new CopyComparer(hash, expected);
            var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
            try
            {
                int count;
                for (long left = copy.SizeBytes; left > 0; left -= count)
                {
                    count = await bytes.ReadAsync(piece.AsMemory(0, (int)Math.Min(left, piece.Length)), token);
                    if (count == 0)
                    {
                        throw new EndOfStreamException($"{left} bytes are missing at the end");
                    }

                    comparer.Append(piece.AsSpan(0, count));
                }

                state = comparer.Finish();
                return copy.SizeBytes;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(piece);
            }
        }, cancellationToken);
        return state;
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        // In one request: it is stored whole or not at all, and the service compares the bytes with the hash.
        await _bucket.PutAsync(_layout.Block(hash), data, Md5Base64(hash), cancellationToken);
        await MarkRecentAsync(hash, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        if (await _bucket.HeadAsync(_layout.Block(hash), cancellationToken) is null && !await RepairAsync(hash, cancellationToken))
        {
            return false;
        }

        await MarkRecentAsync(hash, cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        var block = _bucket.HeadAsync(_layout.Block(hash), cancellationToken).AsTask();
        var recent = _bucket.HeadAsync(_layout.Recent(hash), cancellationToken).AsTask();
        await Task.WhenAll(block, recent);
        if (await block is null)
        {
            return null;
        }

        if (await recent is { } marker)
        {
            return marker.MtimeNanoseconds;
        }

        // Put there by another program, or its marker is lost: nobody can know who relies on it, so it counts as fresh.
        await MarkRecentAsync(hash, cancellationToken);
        return await _bucket.HeadAsync(_layout.Recent(hash), cancellationToken) is { } created
            ? created.MtimeNanoseconds
            : throw new KeepException(KeepErrorKind.Unavailable, $"{DeviceId}: {_layout.Recent(hash)} was stored and is not there.");
    }

    /// <inheritdoc/>
    public VolumeSpace? GetSpace() => null;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _bucket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<StoredObject?> GetAsync(
        BlockHash hash, Func<StoredObject, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken)
    {
        var found = await _bucket.GetAsync(_layout.Block(hash), receive, cancellationToken);
        return found is null && await RepairAsync(hash, cancellationToken)
            ? await _bucket.GetAsync(_layout.Block(hash), receive, cancellationToken)
            : found;
    }

    private ValueTask MarkRecentAsync(BlockHash hash, CancellationToken cancellationToken) =>
        _bucket.PutAsync(_layout.Recent(hash), ReadOnlyMemory<byte>.Empty, EmptyMd5, cancellationToken);

    private static string Md5Base64(BlockHash hash)
    {
        Span<byte> digest = stackalloc byte[16];
        hash.CopyTo(digest);
        return Convert.ToBase64String(digest);
    }
}
