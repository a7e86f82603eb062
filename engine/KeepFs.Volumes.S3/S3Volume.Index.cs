using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.S3;

public sealed partial class S3Volume
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> IndexAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Two listings in the same order, of which one page each is in memory.
        await using var recents = ListAsync(S3Layout.RecentFolder, prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var hasRecent = await recents.MoveNextAsync();
        await foreach (var (hash, block) in ListAsync("", prefix, cancellationToken))
        {
            while (hasRecent && recents.Current.Hash < hash)
            {
                hasRecent = await recents.MoveNextAsync();
            }

            var timed = hasRecent && recents.Current.Hash == hash ? recents.Current.Object : block;
            yield return new IndexEntry(hash, block.SizeBytes, timed.MtimeNanoseconds);
        }
    }

    /// <summary>Lists one folder in hash order, with the next page on its way while a page is used.</summary>
    private async IAsyncEnumerable<(BlockHash Hash, StoredObject Object)> ListAsync(
        string folder, string hashPrefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var prefix = folder + _layout.BlocksFrom(hashPrefix);
        var next = _bucket.ListAsync(prefix, null, stop.Token).AsTask();
        try
        {
            while (next is not null)
            {
                var page = await next;
                var isPastBlocks = folder.Length == 0 && page.Objects is [.., var last] && string.CompareOrdinal(last.Key, S3Layout.AfterBlocks) >= 0;
                next = page.Continuation is { } continuation && !isPastBlocks ? _bucket.ListAsync(prefix, continuation, stop.Token).AsTask() : null;
                foreach (var item in page.Objects)
                {
                    if (_layout.TryParse(item.Key.AsSpan(folder.Length), out var hash))
                    {
                        yield return (hash, item);
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
}
