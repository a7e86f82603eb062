using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.Azure;

public sealed partial class AzureVolume
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (hash, blob) in ListAsync(prefix, cancellationToken))
        {
            if (!IsTrashed(blob) && !MayBeHalfWritten(hash, blob))
            {
                yield return new IndexEntry(hash, blob.SizeBytes, blob.MtimeNanoseconds);
            }
        }
    }

    /// <summary>All blocks, trashed ones too, by hash, with the next page on its way while a page is used.</summary>
    private async IAsyncEnumerable<(BlockHash Hash, Blob Blob)> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var next = ListPageAsync(prefix, null, stop.Token);
        try
        {
            while (next is not null)
            {
                var page = await next;
                next = page.Marker is { } marker ? ListPageAsync(prefix, marker, stop.Token) : null;
                foreach (var blob in page.Blobs)
                {
                    if (BlockHash.TryParse(blob.Name, out var hash))
                    {
                        yield return (hash, blob);
                    }
                }
            }
        }
        finally
        {
            // A reader that stops early leaves a page on its way.
            await stop.CancelAsync();
            await (next ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<ContainerPage> ListPageAsync(string prefix, string? marker, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await _container.ListAsync(prefix, marker, cancellationToken);
            }
            catch (AzureException e) when (e.IsBusy && attempt < _options.ListBlobsMaxAttempts)
            {
                await Task.Delay(_options.ListBlobsRetryDelay, _trash.Time, cancellationToken);
            }
        }
    }
}
