using System.Text.Json;
using KeepFs.Engine.Blocks;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary><c>PUT /trash</c> and <c>PUT /pull</c>: each list replaces the one before (keepstore-http.md 9.1 and 10).</summary>
internal sealed class WorkListEndpoints(WorkQueues queues, BlockBufferPool buffers)
{
    public Task TrashAsync(HttpContext context, CancellationToken cancellationToken) => ReplaceAsync(context, queues.ReplaceTrash, cancellationToken);

    public Task PullAsync(HttpContext context, CancellationToken cancellationToken) => ReplaceAsync(context, queues.ReplacePull, cancellationToken);

    /// <param name="context">The request.</param>
    /// <param name="replace">Takes the body; returns why it cannot, or null.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    private async Task ReplaceAsync(HttpContext context, Replace replace, CancellationToken cancellationToken)
    {
        // A list counts against the memory for blocks while it is read, and may be as large as one.
        var length = context.Request.ContentLength ?? Locator.MaxBlockSizeBytes;
        if (length > Locator.MaxBlockSizeBytes)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status413PayloadTooLarge, BlockEndpoints.TooLarge);
            return;
        }

        var buffer = await buffers.RentAsync((int)length, cancellationToken);
        try
        {
            if (!await BlockBody.ReceiveAsync(context, buffer, null, cancellationToken))
            {
                await KeepstoreRouter.FailAsync(context, StatusCodes.Status413PayloadTooLarge, BlockEndpoints.TooLarge);
            }
            else if (replace(buffer.Memory.Span) is { } reason)
            {
                await KeepstoreRouter.FailAsync(context, StatusCodes.Status400BadRequest, reason);
            }
        }
        catch (JsonException)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status400BadRequest, "the body is not a list as JSON");
        }
        catch (WorkListTooLongException e)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status413PayloadTooLarge, e.Message);
        }
        finally
        {
            buffer.Release();
        }
    }

    private delegate string? Replace(ReadOnlySpan<byte> body);
}
