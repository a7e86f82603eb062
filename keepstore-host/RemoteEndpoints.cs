using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// GET and HEAD of a block of another cluster (keepstore-http.md 5). Unlike the original we never pass on what is not verified, with
/// or without the wish for a local copy.
/// </summary>
internal sealed class RemoteEndpoints(ClusterConfig config, Keepstore keepstore, BlockBufferPool buffers, RemoteBlocks remotes, TimeProvider time)
{
    private readonly LocatorSigner _signer = new(config.Collections.BlobSigningKey, config.Collections.BlobSigningTTL);

    public async Task ReadAsync(HttpContext context, Locator locator, string? token, CancellationToken cancellationToken)
    {
        if (token is null)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status401Unauthorized, BlockEndpoints.NoToken);
            return;
        }

        try
        {
            var (cluster, remote) = remotes.Resolve(locator);
            var salted = RemoteBlocks.Salt(token, cluster);
            if (locator is { SizeBytes: 0, IsEmptyBlock: false })
            {
                throw new RemoteRequestException(StatusCodes.Status400BadRequest, "the locator of a remote block needs a size hint");
            }

            await RelayAsync(context, remote, token, buffer => remotes.FetchAsync(cluster, remote, salted, buffer, cancellationToken), cancellationToken);
        }
        catch (RemoteRequestException e)
        {
            await KeepstoreRouter.FailAsync(context, e.Status, e.Message);
        }
    }

    private async Task RelayAsync(HttpContext context, Locator locator, string token, Func<BlockBuffer, ValueTask> fetch, CancellationToken cancellationToken)
    {
        var buffer = await buffers.RentAsync(Math.Min(locator.SizeBytes, Locator.MaxBlockSizeBytes), cancellationToken);
        try
        {
            if (locator.SizeBytes > buffer.CapacityBytes)
            {
                throw new RemoteRequestException(StatusCodes.Status400BadRequest, "no block can be so large");
            }

            await fetch(buffer);
            if (WantsLocalCopy(context.Request))
            {
                await keepstore.WriteAsync(locator.Hash, buffer.Memory, [], cancellationToken);
                context.Response.Headers["X-Keep-Locator"] =
                    _signer.Sign(new Locator(locator.Hash, buffer.Length).ToString(), token, time.GetUtcNow() + _signer.Lifetime);
            }

            await BlockEndpoints.SendAsync(context, locator, buffer.Memory, cancellationToken);
        }
        finally
        {
            buffer.Release();
        }
    }

    private static bool WantsLocalCopy(HttpRequest request) => request.Headers["X-Keep-Signature"].ToString().Split(',')[0].Trim() == "local";
}
