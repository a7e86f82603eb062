using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepFs.Cli.Bench;

/// <summary>One connection of a load: sends a request, reads the answer, and so on. Never blocks.</summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly byte[] _answer = new byte[16 << 10];
    private LoadRequest? _request;
    private long _sent;
    private int _received;
    private long _bodyLeft = -1;
    private long _started;

    public LoadConnection(IPEndPoint server)
    {
        Socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.Connect(server);
        Socket.Blocking = false;
    }

    public Socket Socket { get; }

    public bool IsIdle => _request is null;

    /// <summary>Of the last answer's body, if that was a block.</summary>
    public long AnswerBytes { get; private set; }

    /// <summary>The body of the last small answer.</summary>
    public string LastBody { get; private set; } = "";

    public void Start(LoadRequest request)
    {
        (_request, _sent, _received, _bodyLeft, _started) = (request, 0, 0, -1, Stopwatch.GetTimestamp());
    }

    /// <summary>Goes as far as it can; true when the answer is complete.</summary>
    /// <exception cref="IOException">No success, or the connection broke.</exception>
    public bool Continue(out TimeSpan took)
    {
        took = default;
        if (_request is null || !Send(_request) || !Receive(_request))
        {
            return false;
        }

        took = Stopwatch.GetElapsedTime(_started);
        _request = null;
        return true;
    }

    public void Dispose() => Socket.Dispose();

    private bool Send(LoadRequest request)
    {
        var total = request.Head.Length + request.BodyBytes;
        while (_sent < total)
        {
            var at = _sent;
            ReadOnlySpan<byte> piece =
                at < request.Head.Length ? request.Head.AsSpan((int)at)
                : (at -= request.Head.Length) < request.Body.Length ? request.Body.Span[(int)at..]
                : request.Tail.Span[(int)(at - request.Body.Length)..];
            var count = Socket.Send(piece, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return false;
            }

            if (error != SocketError.Success)
            {
                throw new IOException($"the server broke the connection while a request was sent ({error})");
            }

            _sent += count;
        }

        return true;
    }

    private bool Receive(LoadRequest request)
    {
        while (_bodyLeft < 0)
        {
            var count = Socket.Receive(_answer.AsSpan(_received), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return false;
            }

            if (error != SocketError.Success || count == 0)
            {
                throw new IOException($"the server broke the connection ({error})");
            }

            _received += count;
            ReadHead(request);
        }

        while (_bodyLeft > 0)
        {
            switch (LinuxPoll.Discard(Socket, _bodyLeft))
            {
                case -1:
                    return false;
                case 0:
                    throw new IOException($"the server ended an answer {_bodyLeft} bytes too early");
                case var count:
                    _bodyLeft -= count;
                    break;
            }
        }

        return true;
    }

    private void ReadHead(LoadRequest request)
    {
        var all = _answer.AsSpan(0, _received);
        var end = all.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return;
        }

        var head = Encoding.ASCII.GetString(all[..end]);
        var status = head.Split(' ', 3)[1];
        if (status is not ['2', ..])
        {
            throw new IOException($"the server answered {head.Split('\r')[0]}: {Encoding.UTF8.GetString(all[(end + 4)..]).TrimEnd()}");
        }

        const string Field = "\r\nContent-Length:";
        var length = head.IndexOf(Field, StringComparison.OrdinalIgnoreCase) is >= 0 and var at
            ? long.Parse(head.AsSpan(at + Field.Length).TrimStart().ToString().Split('\r')[0], CultureInfo.InvariantCulture)
            : status == "204" ? 0 : throw new IOException("the server's answer has no Content-Length");
        LastBody = length <= 4096 && all.Length == end + 4 + length ? Encoding.UTF8.GetString(all[(end + 4)..]) : "";
        AnswerBytes = request is { HasAnswerBody: true, BodyBytes: 0 } ? length : 0;
        _bodyLeft = request.HasAnswerBody ? length - (all.Length - end - 4) : 0;
    }
}
