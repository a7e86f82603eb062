using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Transport;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>Bodies that are blocks: moved between socket and buffer without a copy where the transport can (<see cref="IBlockTransfer"/>).</summary>
internal static class BlockBody
{
    // Below this a copy into the memory that holds the headers is cheaper than a second piece to send.
    private const int CopiedBytes = 16 << 10;

    // On other transports: large pieces go well, but only when Kestrel need not gather them first.
    private const int PieceBytes = 1 << 20;

    /// <summary>Reads the body into the buffer, hashing as it comes if wanted; false when it is larger than the buffer.</summary>
    public static async ValueTask<bool> ReceiveAsync(HttpContext context, BlockBuffer buffer, HashJob? hashing, CancellationToken cancellationToken)
    {
        var room = buffer.Capacity;
        var received = 0;
        var transfer = Transfer(context);
        if (context.Request.ContentLength is > 0 and var length && length <= room.Length)
        {
            transfer?.ReceiveInto(room[..(int)length]);
        }

        try
        {
            var reader = context.Request.BodyReader;
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken);
                foreach (var piece in result.Buffer)
                {
                    if (piece.Length > room.Length - received)
                    {
                        reader.AdvanceTo(result.Buffer.End);
                        return false;
                    }

                    var place = room.Span.Slice(received, piece.Length);
                    if (!Unsafe.AreSame(ref MemoryMarshal.GetReference(place), ref MemoryMarshal.GetReference(piece.Span)))
                    {
                        piece.Span.CopyTo(place);
                    }

                    received += piece.Length;
                }

                reader.AdvanceTo(result.Buffer.End);
                hashing?.Advance(received);
                if (result.IsCompleted)
                {
                    buffer.Length = received;
                    return true;
                }
            }
        }
        finally
        {
            transfer?.StopReceiving();
        }
    }

    /// <summary>
    /// Reads a body of unknown length. One that does not fit into the small buffer moves into the largest. It does not wait for that while
    /// it holds the small one: if all did, none would ever get it.
    /// </summary>
    /// <returns>The buffer with the body, in place of the one given; on failure the given one is still the caller's.</returns>
    /// <exception cref="KeepException">TooLarge: longer than a block. Overloaded: no memory now.</exception>
    public static async ValueTask<BlockBuffer> ReceiveUnannouncedAsync(
        HttpContext context, BlockBuffer small, BlockBufferPool buffers, CancellationToken cancellationToken)
    {
        var reader = context.Request.BodyReader;
        var (buffer, received) = (small, 0);
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(cancellationToken);
                foreach (var piece in result.Buffer)
                {
                    if (received + piece.Length > Locator.MaxBlockSizeBytes)
                    {
                        reader.AdvanceTo(result.Buffer.End);
                        throw new BadHttpRequestException(BlockEndpoints.TooLarge, StatusCodes.Status413PayloadTooLarge);
                    }

                    if (received + piece.Length > buffer.CapacityBytes)
                    {
                        var large = buffers.TryRent(Locator.MaxBlockSizeBytes)
                            ?? throw new KeepException(KeepErrorKind.Overloaded, "No memory for a body of unknown length now: announce its length, or try again later.");
                        buffer.Capacity[..received].CopyTo(large.Capacity);
                        buffer = large;
                    }

                    piece.CopyTo(buffer.Capacity[received..]);
                    received += piece.Length;
                }

                reader.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                {
                    buffer.Length = received;
                    if (buffer != small)
                    {
                        small.Release();
                    }

                    return buffer;
                }
            }
        }
        catch when (buffer != small)
        {
            buffer.Release();
            throw;
        }
    }

    /// <summary>Sends the whole body; its length was announced.</summary>
    public static async ValueTask SendAsync(HttpContext context, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var writer = context.Response.BodyWriter;
        if (data.Length <= CopiedBytes)
        {
            await writer.WriteAsync(data, cancellationToken);
            return;
        }

        await context.Response.StartAsync(cancellationToken);
        if (Transfer(context) is { } transfer)
        {
            transfer.SendFrom(data);
            writer.GetMemory();
            writer.Advance(data.Length);
            await writer.FlushAsync(cancellationToken);
            return;
        }

        for (; data.Length > 0; data = data[Math.Min(PieceBytes, data.Length)..])
        {
            if ((await writer.WriteAsync(data[..Math.Min(PieceBytes, data.Length)], cancellationToken)).IsCompleted)
            {
                return; // The client is gone.
            }
        }
    }

    /// <summary>Whether a file can be sent as it is.</summary>
    public static bool SendsFiles(HttpContext context) => Transfer(context) is not null;

    /// <summary>Sends a whole file; its length was announced.</summary>
    public static async ValueTask SendAsync(HttpContext context, BlockFile file, CancellationToken cancellationToken)
    {
        await context.Response.StartAsync(cancellationToken);
        Transfer(context)!.SendFrom(file);
        var writer = context.Response.BodyWriter;
        writer.GetMemory();
        writer.Advance((int)file.SizeBytes);
        await writer.FlushAsync(cancellationToken);
    }

    private static IBlockTransfer? Transfer(HttpContext context) => context.Request.IsHttps ? null : context.Features.Get<IBlockTransfer>();
}
