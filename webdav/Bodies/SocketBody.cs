using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Hosting.Http;
using KeepFs.Hosting.Transport;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Bodies;

/// <summary>A request's body, received straight to where it is read into where the transport can do that (<see cref="IBlockTransfer"/>).</summary>
internal sealed class SocketBody : ForwardStream
{
    /// <summary>Below this a copy is cheaper than a system call of its own.</summary>
    private const int DirectBytes = 16 << 10;

    private readonly PipeReader _reader;
    private readonly IBlockTransfer _transfer;
    private long _left;

    private SocketBody(PipeReader reader, IBlockTransfer transfer, long length) => (_reader, _transfer, _left) = (reader, transfer, length);

    /// <summary>Puts itself in the place of the request's body, if that helps. Before anything else has touched the body.</summary>
    public static Task InstallAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request is { ContentLength: >= DirectBytes and var length, IsHttps: false } request && context.Features.Get<IBlockTransfer>() is { } transfer)
        {
            request.Body = new SocketBody(request.BodyReader, transfer, length);
        }

        return next(context);
    }

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var room = buffer[..(int)Math.Min(buffer.Length, _left)];
        var isDirect = room.Length >= DirectBytes;
        if (isDirect)
        {
            _transfer.ReceiveInto(room);
        }

        try
        {
            while (true)
            {
                var result = await _reader.ReadAsync(cancellationToken);
                var read = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, room.Length));
                var count = (int)read.Length;
                CopyUnlessThere(read, room.Span);
                _reader.AdvanceTo(read.End);
                _left -= count;
                if (count > 0 || room.IsEmpty || result.IsCompleted)
                {
                    return count;
                }
            }
        }
        finally
        {
            if (isDirect)
            {
                _transfer.StopReceiving();
            }
        }
    }

    private static void CopyUnlessThere(ReadOnlySequence<byte> read, Span<byte> room)
    {
        if (read.IsEmpty || !Unsafe.AreSame(ref MemoryMarshal.GetReference(room), ref MemoryMarshal.GetReference(read.FirstSpan)))
        {
            read.CopyTo(room);
        }
    }
}
