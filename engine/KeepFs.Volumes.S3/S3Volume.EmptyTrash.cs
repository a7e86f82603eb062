using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.S3;

public sealed partial class S3Volume
{
    /// <inheritdoc/>
    public async ValueTask<TrashTotals> EmptyTrashAsync(int concurrency, CancellationToken cancellationToken)
    {
        var start = _trash.Time.GetUtcNow();
        var totals = default(TrashTotals);
        var adding = new Lock();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(ListAsync(S3Layout.TrashFolder, "", cancellationToken), parallel, async (trash, token) =>
        {
            TrashTotals one;
            try
            {
                one = await EmptyAsync(trash.Hash, start, token) is { } deletedBytes
                    ? new TrashTotals(1, deletedBytes, 0, 0, 0, 0)
                    : new TrashTotals(0, 0, 1, trash.Object.SizeBytes, 0, 0);
            }
            catch (KeepException)
            {
                // The traffic's listener has counted it; the next round tries again.
                one = new TrashTotals(0, 0, 0, 0, 0, Failures: 1);
            }

            lock (adding)
            {
                totals += one;
            }
        });
        return totals;
    }

    /// <summary>Deletes one block's trash if it is time. Its size, or null if it stays.</summary>
    private async ValueTask<long?> EmptyAsync(BlockHash hash, DateTimeOffset start, CancellationToken cancellationToken)
    {
        // Not from the listing, which may be hours old at the end of a round: it may have been trashed again since.
        if (await _bucket.HeadAsync(_layout.Trash(hash), cancellationToken) is not { } trash)
        {
            return null;
        }

        if (await _bucket.HeadAsync(_layout.Recent(hash), cancellationToken) is not { } recent)
        {
            // Nothing tells why it is here, so it comes back and counts as fresh.
            await UntrashAsync(hash, cancellationToken);
            return null;
        }

        if (IsRace(trash, recent))
        {
            if (start - recent.LastModified >= _trash.MinimumAge - _options.RaceWindow)
            {
                // Soon the marker would be too old to tell that this was a race.
                await UntrashAsync(hash, cancellationToken);
                return null;
            }

            if (await _bucket.HeadAsync(_layout.Block(hash), cancellationToken) is null)
            {
                await RestoreAsync(hash, cancellationToken);
                return null;
            }
        }

        if (start - trash.LastModified < _trash.Lifetime)
        {
            return null;
        }

        await _bucket.DeleteAsync(_layout.Trash(hash), cancellationToken);

        // The marker outlives the trash, and stays with a block that is there: it is that block's time.
        if (await _bucket.HeadAsync(_layout.Trash(hash), cancellationToken) is null && await _bucket.HeadAsync(_layout.Block(hash), cancellationToken) is null)
        {
            await _bucket.DeleteAsync(_layout.Recent(hash), cancellationToken);
        }

        return trash.SizeBytes;
    }
}
