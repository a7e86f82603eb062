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
    // Arvados reads 6 MiB ranges, 11 at a time; a block has 8 of these.
    private const int RangeBytes = 8 << 20;
    private const int MaxRanges = 7;
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
        var found = await GetAsync(hash, FirstRange(destination.Length), async (copy, bytes, token) =>
        {
            if (copy.SizeBytes > destination.Length)
            {
                return 0;
            }

            var first = (int)Math.Min(RangeBytes, copy.SizeBytes);
            var rest = ReadRestAsync(hash, copy, destination[first..(int)copy.SizeBytes], token);
            try
            {
                await bytes.ReadExactlyAsync(destination[..first], token);
            }
            finally
            {
                // Nobody may write to the caller's memory after this.
                await rest.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await rest;
            return first;
        }, cancellationToken);
        return found?.SizeBytes;
    }

    /// <inheritdoc/>
    public async ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        var state = CopyState.Absent;
        await GetAsync(hash, Locator.MaxBlockSizeBytes, async (copy, bytes, token) =>
        {
            state = await CopyComparer.CompareAsync(hash, expected, bytes, copy.SizeBytes, token);
            return copy.SizeBytes > Locator.MaxBlockSizeBytes ? 0 : copy.SizeBytes;
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
        BlockHash hash, long length, Func<StoredObject, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken)
    {
        var found = await _bucket.GetAsync(_layout.Block(hash), 0, length, null, receive, cancellationToken);
        return found is null && await RepairAsync(hash, cancellationToken)
            ? await _bucket.GetAsync(_layout.Block(hash), 0, length, null, receive, cancellationToken)
            : found;
    }

    /// <summary>S3 serves one connection slowly and many fast, so what is large comes in several ranges of one version.</summary>
    private Task ReadRestAsync(BlockHash hash, StoredObject copy, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var offsets = Enumerable.Range(0, (destination.Length + RangeBytes - 1) / RangeBytes).Select(i => i * RangeBytes);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = MaxRanges, CancellationToken = cancellationToken };
        return Parallel.ForEachAsync(offsets, parallel, async (offset, token) =>
        {
            var part = destination.Slice(offset, Math.Min(RangeBytes, destination.Length - offset));
            var found = await _bucket.GetAsync(_layout.Block(hash), RangeBytes + offset, part.Length, copy.ETag, async (_, bytes, token) =>
            {
                await bytes.ReadExactlyAsync(part, token);
                return part.Length;
            }, token);
            if (found is null)
            {
                throw new KeepException(KeepErrorKind.Unavailable, $"{DeviceId}: {hash} was trashed while it was read.");
            }
        });
    }

    /// <summary>At least one byte, since there is no empty range; an object that is larger than the room is then seen to be.</summary>
    private static long FirstRange(int room) => Math.Clamp(room, 1, RangeBytes);

    private ValueTask MarkRecentAsync(BlockHash hash, CancellationToken cancellationToken) =>
        _bucket.PutAsync(_layout.Recent(hash), ReadOnlyMemory<byte>.Empty, EmptyMd5, cancellationToken);

    private static string Md5Base64(BlockHash hash)
    {
        Span<byte> digest = stackalloc byte[16];
        hash.CopyTo(digest);
        return Convert.ToBase64String(digest);
    }
}
