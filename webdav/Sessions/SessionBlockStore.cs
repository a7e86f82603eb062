using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;

namespace KeepFs.WebDav.Sessions;

/// <summary>
/// The shared block cache as one session uses it: a block that is not in memory is fetched with the session's own token and signature. That the
/// session may see the block at all was decided when the catalogue gave it the manifest. Safe for concurrent use.
/// </summary>
internal sealed class SessionBlockStore(RoutedBlockSource routes, CachedBlockStore cache, KeepClient client, long route) : IBlockStore
{
    public async ValueTask<BlockLease> ReadAsync(Locator locator, int offset, int length, CancellationToken cancellationToken)
    {
        var routed = RoutedBlockSource.WithRoute(locator, route);
        try
        {
            return await cache.ReadAsync(routed, offset, length, cancellationToken);
        }
        catch (KeepException e) when (e.Kind is KeepErrorKind.PermissionDenied or KeepErrorKind.Unavailable)
        {
            // The fetch may have been another session's, which ended or whose signature ran out: ask once with our own.
            return await cache.ReadAsync(routed, offset, length, cancellationToken);
        }
    }

    public void Prefetch(IReadOnlyList<Locator> next) => cache.Prefetch([.. next.Select(locator => RoutedBlockSource.WithRoute(locator, route))]);

    public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions options, CancellationToken cancellationToken) =>
        client.WriteAsync(data, options, cancellationToken);

    /// <summary>Fetches that were queued but not started fail from now on.</summary>
    public void Close() => routes.Remove(route);
}
