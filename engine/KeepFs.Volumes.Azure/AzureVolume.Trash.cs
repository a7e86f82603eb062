using System.Globalization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.Azure;

public sealed partial class AzureVolume
{
    /// <inheritdoc/>
    public async ValueTask<TrashOutcome> TrashAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await FindAsync(hash, cancellationToken) is not { } blob)
            {
                return TrashOutcome.NotFound;
            }

            if (_trash.IsTooYoung(blob.MtimeNanoseconds))
            {
                return TrashOutcome.TooYoung;
            }

            // Only this version: if a writer or toucher was faster, its time is looked at again.
            if (_trash.Lifetime <= TimeSpan.Zero
                ? await _container.DeleteAsync(blob, cancellationToken)
                : await _container.SetMetadataAsync(
                    blob, new Dictionary<string, string> { [ExpiresAt] = _trash.DeadlineSeconds.ToString(CultureInfo.InvariantCulture) }, cancellationToken))
            {
                return TrashOutcome.Trashed;
            }
        }

        throw Contended(hash);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await _container.GetPropertiesAsync(hash.ToString(), cancellationToken) is not { } blob || !IsTrashed(blob))
            {
                return false;
            }

            var metadata = new Dictionary<string, string>(blob.Metadata, StringComparer.OrdinalIgnoreCase);
            metadata.Remove(ExpiresAt);
            if (await _container.SetMetadataAsync(blob, metadata, cancellationToken))
            {
                return true;
            }
        }

        throw Contended(hash);
    }

    /// <inheritdoc/>
    public async ValueTask<TrashTotals> EmptyTrashAsync(int concurrency, CancellationToken cancellationToken)
    {
        var totals = default(TrashTotals);
        var adding = new Lock();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(ListAsync("", cancellationToken), parallel, async (item, token) =>
        {
            if (!IsTrashed(item.Blob))
            {
                return;
            }

            TrashTotals one;
            try
            {
                // A deadline that nobody can read never comes; and what was untrashed since the listing is another version.
                var isOver = long.TryParse(item.Blob.Metadata[ExpiresAt], NumberStyles.None, CultureInfo.InvariantCulture, out var deadline)
                    && deadline <= _trash.Time.GetUtcNow().ToUnixTimeSeconds();
                one = isOver && await _container.DeleteAsync(item.Blob, token)
                    ? new TrashTotals(1, item.Blob.SizeBytes, 0, 0, 0, 0)
                    : new TrashTotals(0, 0, 1, item.Blob.SizeBytes, 0, 0);
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
}
