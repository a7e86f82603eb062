using System.Globalization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>GET, HEAD, PUT, TOUCH, DELETE and untrash of a block (keepstore-http.md 4, 6, 7).</summary>
internal sealed class BlockEndpoints(ClusterConfig config, Keepstore keepstore, BlockBufferPool buffers, RemoteEndpoints remote, TimeProvider time)
{
    public const string TooLarge = "request entity too large";
    public const string NoToken = "no token provided in Authorization header";

    /// <summary>What a body of unknown length gets at first; most that come like this are small.</summary>
    private const int UnannouncedBytes = 1 << 20;

    private readonly LocatorSigner _signer = new(config.Collections.BlobSigningKey, config.Collections.BlobSigningTTL);

    public async Task ReadAsync(HttpContext context, string text, CancellationToken cancellationToken)
    {
        context.Response.Headers.Vary = "X-Keep-Signature";
        if (!Locator.TryParse(text, out var locator))
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status400BadRequest, "invalid locator");
            return;
        }

        if (HttpMethods.IsGet(context.Request.Method) && locator is { SizeBytes: 0, IsEmptyBlock: false })
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status405MethodNotAllowed, "method not allowed");
            return;
        }

        if (locator is { IsRemote: true, IsSigned: false })
        {
            await remote.ReadAsync(context, locator, RequestTokens.Collect(context.Request) is [var token, ..] ? token : null, cancellationToken);
            return;
        }

        if (config.Collections.BlobSigning && Refusal(context, text) is var (status, reason))
        {
            await KeepstoreRouter.FailAsync(context, status, reason);
            return;
        }

        if (HttpMethods.IsHead(context.Request.Method))
        {
            await AnnounceAsync(context, locator, await keepstore.VerifyAsync(locator.Hash, locator.SizeBytes, cancellationToken));
            return;
        }

        if (context.Request.Headers.ContainsKey(KeepClient.VerifiesHeader) && BlockBody.SendsFiles(context)
            && await keepstore.TryOpenAsync(locator.Hash, locator.SizeBytes, cancellationToken) is { } opened)
        {
            using (opened)
            {
                context.Response.Headers[KeepClient.UnverifiedHeader] = "1";
                await AnnounceAsync(context, locator, locator.SizeBytes);
                await BlockBody.SendAsync(context, opened, cancellationToken);
            }

            return;
        }

        var block = await keepstore.ReadAsync(locator.Hash, locator.SizeBytes, cancellationToken);
        try
        {
            await SendAsync(context, locator, block.Memory, cancellationToken);
        }
        finally
        {
            block.Release();
        }
    }

    public async Task WriteAsync(HttpContext context, BlockHash hash, CancellationToken cancellationToken)
    {
        var length = context.Request.ContentLength;
        if (length > Locator.MaxBlockSizeBytes)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status413PayloadTooLarge, TooLarge);
            return;
        }

        var buffer = await buffers.RentAsync((int)(length ?? UnannouncedBytes), cancellationToken);
        try
        {
            if (length is null)
            {
                buffer = await BlockBody.ReceiveUnannouncedAsync(context, buffer, buffers, cancellationToken);
            }

            await using var hashing = keepstore.StartHash(buffer.Capacity);
            if (length is null)
            {
                hashing.Advance(buffer.Length);
            }
            else
            {
                await BlockBody.ReceiveAsync(context, buffer, hashing, cancellationToken);
            }

            var received = await hashing.FinishAsync();
            var mismatch = length is { } wanted && wanted != buffer.Length ? $"content length {buffer.Length} did not match specified data size {wanted}"
                : received != hash ? $"content hash {received} did not match specified locator {hash}"
                : null;
            if (mismatch is not null)
            {
                await KeepstoreRouter.FailAsync(context, StatusCodes.Status400BadRequest, mismatch);
                return;
            }

            var classes = context.Request.Headers.GetCommaSeparatedValues("X-Keep-Storage-Classes");
            var stored = await keepstore.WriteAsync(
                hash, buffer.Memory, [.. classes.Select(name => name.Trim()).Where(name => name.Length > 0).Distinct()], cancellationToken);
            await AnswerStoredAsync(context, new Locator(hash, buffer.Length), stored, cancellationToken);
        }
        finally
        {
            buffer.Release();
        }
    }

    public async Task TouchAsync(HttpContext context, BlockHash hash, CancellationToken cancellationToken) =>
        await AnswerFoundAsync(context, await keepstore.TouchAsync(hash, cancellationToken));

    public async Task TrashAsync(HttpContext context, BlockHash hash, CancellationToken cancellationToken)
    {
        if (!config.Collections.BlobTrash)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status405MethodNotAllowed, "method not allowed");
            return;
        }

        await AnswerFoundAsync(context, await keepstore.TrashAsync(hash, cancellationToken));
    }

    public async Task UntrashAsync(HttpContext context, BlockHash hash, CancellationToken cancellationToken) =>
        await AnswerFoundAsync(context, await keepstore.UntrashAsync(hash, cancellationToken));

    /// <summary>Why this request may not read the block, or null.</summary>
    private (int Status, string Reason)? Refusal(HttpContext context, string locator)
    {
        if (RequestTokens.Collect(context.Request) is not [var token, ..])
        {
            return (StatusCodes.Status401Unauthorized, NoToken);
        }

        return _signer.Verify(locator, token, time.GetUtcNow()) switch
        {
            SignatureCheck.Valid => null,
            SignatureCheck.Expired => (StatusCodes.Status401Unauthorized, "expired signature"),
            _ => (StatusCodes.Status400BadRequest, "invalid signature"),
        };
    }

    public static async Task SendAsync(HttpContext context, Locator locator, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (await AnnounceAsync(context, locator, data.Length) && !HttpMethods.IsHead(context.Request.Method))
        {
            await BlockBody.SendAsync(context, data, cancellationToken);
        }
    }

    /// <summary>The headers of a good block; false when that was the whole answer.</summary>
    private static async ValueTask<bool> AnnounceAsync(HttpContext context, Locator locator, int sizeBytes)
    {
        if (locator.SizeBytes > 0 && locator.SizeBytes != sizeBytes)
        {
            // The block is good, the locator is not: a client would take the answer for a truncated block anyway.
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status502BadGateway, $"block has {sizeBytes} bytes, not {locator.SizeBytes}");
            return false;
        }

        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = sizeBytes;
        return true;
    }

    private Task AnswerStoredAsync(HttpContext context, Locator locator, StoredBlock stored, CancellationToken cancellationToken)
    {
        var headers = context.Response.Headers;
        headers["X-Keep-Replicas-Stored"] = stored.Replicas.ToString(CultureInfo.InvariantCulture);
        if (stored.ClassesConfirmed.Count > 0)
        {
            headers["X-Keep-Storage-Classes-Confirmed"] = string.Join(", ", stored.ClassesConfirmed.Select(entry => $"{entry.Key}={entry.Value}"));
        }

        var tokens = RequestTokens.Collect(context.Request);
        var signed = _signer.Sign(locator.ToString(), tokens.Count > 0 ? tokens[0] : null, time.GetUtcNow() + _signer.Lifetime);
        return KeepstoreRouter.SendTextAsync(context, StatusCodes.Status200OK, signed + "\n", cancellationToken);
    }

    private static Task AnswerFoundAsync(HttpContext context, bool found) =>
        found ? Task.CompletedTask : KeepstoreRouter.FailAsync(context, StatusCodes.Status404NotFound, "file does not exist");
}
