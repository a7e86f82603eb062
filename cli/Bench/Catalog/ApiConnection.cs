using System.Buffers.Text;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>One TLS connection that is kept open, as clients of the API have: sends a request that is ready, reads the answer. For one request at a time.</summary>
internal sealed class ApiConnection : IAsyncDisposable
{
    private readonly SslStream _stream;
    private byte[] _buffer = new byte[64 << 10];
    private int _start;
    private int _end;

    private ApiConnection(SslStream stream) => _stream = stream;

    public static async Task<ApiConnection> OpenAsync(IPEndPoint server, CancellationToken cancellationToken)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
#pragma warning disable CA5359 // The certificate is one that the bench's own server has made a moment ago.
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = server.Address.ToString(), RemoteCertificateValidationCallback = static (_, _, _, _) => true }, cancellationToken);
#pragma warning restore CA5359
        return new ApiConnection(stream);
    }

    /// <summary>A request as it goes over the wire.</summary>
    /// <param name="method">GET and so on.</param>
    /// <param name="path">Escaped.</param>
    /// <param name="token">Sent as Bearer.</param>
    /// <param name="json">The body; null: none.</param>
    public static byte[] Request(string method, string path, string token, string? json = null)
    {
        var body = json is null ? [] : Encoding.UTF8.GetBytes(json);
        var head = $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
            + (json is null ? "" : $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n") + "\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    /// <summary>Sends it and waits for the whole answer.</summary>
    /// <param name="request">See <see cref="Request"/>.</param>
    /// <param name="body">Where to keep the answer's body; null: nowhere.</param>
    /// <param name="cancellationToken">Breaks it off.</param>
    /// <returns>Bytes of the body.</returns>
    /// <exception cref="IOException">No success: what is measured must work.</exception>
    public async ValueTask<long> SendAsync(ReadOnlyMemory<byte> request, MemoryStream? body, CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(request, cancellationToken);
        var (status, length) = await ReadHeadAsync(cancellationToken);
        var kept = status is ['2', ..] ? body : new MemoryStream();
        var bytes = length ?? 0;
        if (length is not null)
        {
            await TakeAsync(bytes, kept, cancellationToken);
        }
        else
        {
            while (await ReadChunkSizeAsync(cancellationToken) is > 0 and var size)
            {
                await TakeAsync(size, kept, cancellationToken);
                await TakeAsync(2, null, cancellationToken);
                bytes += size;
            }

            await TakeAsync(2, null, cancellationToken);
        }

        return status is ['2', ..] ? bytes : throw new IOException($"the catalogue answered {status}: {Encoding.UTF8.GetString(kept!.ToArray())} to {Encoding.ASCII.GetString(request.Span[..Math.Min(300, request.Length)])}");
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private async ValueTask<(string Status, long? Length)> ReadHeadAsync(CancellationToken cancellationToken)
    {
        int end;
        while ((end = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n\r\n"u8)) < 0)
        {
            await FillAsync(cancellationToken);
        }

        var head = Encoding.ASCII.GetString(_buffer, _start, end);
        _start += end + 4;
        const string Length = "\r\nContent-Length: ";
        var at = head.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        return (head.Substring(9, 3), at < 0 ? head[9..12] == "204" ? 0 : null : long.Parse(head[(at + Length.Length)..].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture));
    }

    private async ValueTask<long> ReadChunkSizeAsync(CancellationToken cancellationToken)
    {
        int end;
        while ((end = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
        {
            await FillAsync(cancellationToken);
        }

        if (!Utf8Parser.TryParse(_buffer.AsSpan(_start, end), out long size, out _, 'x'))
        {
            throw new IOException("the catalogue's answer is not in chunks");
        }

        _start += end + 2;
        return size;
    }

    private async ValueTask TakeAsync(long count, MemoryStream? body, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            if (_start == _end)
            {
                await FillAsync(cancellationToken);
            }

            var taken = (int)Math.Min(count, _end - _start);
            body?.Write(_buffer, _start, taken);
            (_start, count) = (_start + taken, count - taken);
        }
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        else if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = await _stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read > 0 ? read : throw new IOException("the catalogue broke the connection");
    }
}
