using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>One line of a pull list.</summary>
/// <param name="Locator">Hash and size; hints do not matter.</param>
/// <param name="Servers">URLs of keepstores that should have it.</param>
/// <param name="MountUuid">Where to; empty = the first writable mount in the block's order.</param>
public readonly record struct PullItem(Locator Locator, IReadOnlyList<string> Servers, string MountUuid);

/// <summary>Reads blocks from other keepstores. Mounts know no network: whoever composes the server hands this in.</summary>
public interface IBlockFetcher
{
    /// <summary>
    /// Fills the buffer with the verified block and sets its length, asking each server at most once, in the block's own order.
    /// </summary>
    /// <exception cref="KeepException">None of them had a good copy.</exception>
    ValueTask FetchAsync(Locator locator, IReadOnlyList<string> servers, BlockBuffer destination, CancellationToken cancellationToken);
}

/// <summary>
/// Copies blocks from other keepstores, as a list says (keepstore-http.md 10). The block is written without looking at what is there:
/// whoever asks for a pull has found the copy missing or bad. Safe for concurrent use.
/// </summary>
public sealed class PullWorker(Keepstore keepstore, BlockBufferPool buffers, IBlockFetcher fetcher, IKeepstoreEvents events)
{
    /// <summary>Does one item; failures are reported and not thrown.</summary>
    public async ValueTask PullAsync(PullItem item, CancellationToken cancellationToken)
    {
        var hash = item.Locator.Hash;
        var mount = item.MountUuid.Length > 0 ? keepstore.Mounts.Find(item.MountUuid) : keepstore.Mounts.ForWriting(hash) is [var first, ..] ? first : null;
        if (mount is not { AllowWrite: true } || item.Locator.SizeBytes > Locator.MaxBlockSizeBytes)
        {
            events.FailedPull(hash, item.MountUuid, new KeepException(KeepErrorKind.BadRequest, "No such writable mount, or no block can be so large."));
            return;
        }

        try
        {
            var buffer = await buffers.RentAsync(item.Locator.SizeBytes, cancellationToken);
            try
            {
                await fetcher.FetchAsync(item.Locator, item.Servers, buffer, cancellationToken);
                await mount.Volume.WriteAsync(hash, buffer.Memory, cancellationToken);
            }
            finally
            {
                buffer.Release();
            }

            keepstore.Counters.Wrote(item.Locator.SizeBytes);
            events.PulledBlock(hash, mount.Uuid);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, the list goes on, and the next list names the block again.
            events.FailedPull(hash, mount.Uuid, e);
        }
    }
}
