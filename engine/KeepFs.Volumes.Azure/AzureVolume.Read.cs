using KeepFs.Engine.Blocks;

namespace KeepFs.Volumes.Azure;

public sealed partial class AzureVolume
{
    /// <summary>Reads a blob that is not in the trash, waiting for one that is half written.</summary>
    private async ValueTask<Blob?> GetAsync(BlockHash hash, Func<Blob, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (isWanted, mustWait) = (false, false);
            var blob = await _container.GetAsync(hash.ToString(), async (found, bytes, token) =>
            {
                (isWanted, mustWait) = (!IsTrashed(found), MayBeHalfWritten(hash, found));
                return isWanted && !mustWait ? await receive(found, bytes, token) : 0;
            }, cancellationToken);
            if (blob is null || !isWanted)
            {
                return null;
            }

            if (!mustWait)
            {
                return blob;
            }

            await Task.Delay(_options.WriteRacePollTime, _trash.Time, cancellationToken);
        }
    }

    private async ValueTask<long?> ReadRangesAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts;)
        {
            if (await FindAsync(hash, cancellationToken) is not { } blob)
            {
                return null;
            }

            if (MayBeHalfWritten(hash, blob))
            {
                await Task.Delay(_options.WriteRacePollTime, _trash.Time, cancellationToken);
            }
            else if (blob.SizeBytes > destination.Length || await ReadVersionAsync(blob, destination[..(int)blob.SizeBytes], cancellationToken))
            {
                return blob.SizeBytes;
            }
            else
            {
                attempt++;
            }
        }

        throw Contended(hash);
    }

    private async ValueTask<bool> ReadVersionAsync(Blob blob, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var isWhole = true;
        var offsets = Enumerable.Range(0, (int)((blob.SizeBytes + _options.MaxGetBytes - 1) / _options.MaxGetBytes)).Select(i => (long)i * _options.MaxGetBytes);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = MaxRanges, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(offsets, parallel, async (offset, token) =>
        {
            var length = (int)Math.Min(_options.MaxGetBytes, blob.SizeBytes - offset);
            if (!await _container.GetRangeAsync(blob, offset, destination.Slice((int)offset, length), token))
            {
                isWhole = false;
            }
        });
        return isWhole;
    }

    /// <summary>Some writers create an empty blob first.</summary>
    private bool MayBeHalfWritten(BlockHash hash, Blob blob) =>
        blob.SizeBytes == 0 && hash != BlockHash.Empty && _trash.Time.GetUtcNow() - blob.LastModified < _options.WriteRaceInterval;
}
