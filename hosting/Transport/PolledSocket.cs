using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// A connected socket that never blocks. One thread receives and one sends at a time. Errors of the connection are an end: nothing more
/// comes, and nothing more goes out.
/// </summary>
internal sealed unsafe class PolledSocket : IDisposable
{
    private const int SoonMilliseconds = 2;

    private readonly Socket _socket;
    private readonly SocketPoller _poller;
    private readonly Action _onPeerClosed;
    private readonly long _id;
    private readonly SendStall _stall = new();
    private volatile bool _hasEnd;
    private bool _mayHaveMore = true;

    /// <param name="socket">Owned from here on.</param>
    /// <param name="poller">Whose thread runs what waits here.</param>
    /// <param name="onPeerClosed">Called on that thread when the peer has sent its last byte and we have received it, or the connection broke.</param>
    public PolledSocket(Socket socket, SocketPoller poller, Action onPeerClosed)
    {
        (_socket, _poller, _onPeerClosed) = (socket, poller, onPeerClosed);
        socket.Blocking = false;
        socket.NoDelay = true;
        _id = poller.Add(this);
    }

    public SafeHandle Handle => _socket.SafeHandle;

    /// <summary>Bytes or the end may have come; set by the poller, or by whoever wants the receiver to look up.</summary>
    public SocketSignal CanReceive { get; } = new();

    /// <summary>There may be room to send.</summary>
    public SocketSignal CanSend { get; } = new();

    /// <summary>Waits until another <see cref="Receive"/> makes sense.</summary>
    public ValueTask WaitToReceiveAsync()
    {
        _mayHaveMore = true;
        return CanReceive.WaitAsync();
    }

    /// <summary>Somebody waits for <see cref="CanSend"/>.</summary>
    public bool WaitsToSend
    {
        set => _stall.IsWaiting = value;
    }

    /// <summary>Ends a connection that waits for a peer who has taken nothing for so long. Called by one thread.</summary>
    public void ResetIfStalled(TimeProvider time, TimeSpan patience)
    {
        if (_stall.HasLasted(Handle, time, patience))
        {
            Reset();
        }
    }

    /// <summary>Called by the poller.</summary>
    public void Signal(uint events)
    {
        const uint End = SocketCalls.PeerClosed | SocketCalls.HungUp | SocketCalls.Failed;
        if ((events & (SocketCalls.Writable | End)) != 0)
        {
            CanSend.Set();
        }

        // Looked at before the reader goes on, who may close everything.
        _hasEnd |= (events & End) != 0;
        var isOver = _hasEnd && HasEnded(events);
        if ((events & (SocketCalls.Readable | End)) != 0)
        {
            CanReceive.Set();
        }

        if (isOver)
        {
            _onPeerClosed();
        }
    }

    /// <summary>Receives what is there: the bytes, 0 at the end, null when there is nothing now (<see cref="WaitToReceiveAsync"/>).</summary>
    public int? Receive(Span<byte> destination)
    {
        // The last call took all there was: without news the next would only hear the same. The end is news only once.
        if (!_mayHaveMore && !_hasEnd && !CanReceive.TryTake())
        {
            return null;
        }

        while (true)
        {
            nint count;
            fixed (byte* start = destination)
            {
                count = Call(start, destination.Length);
            }

            if (count >= 0)
            {
                _mayHaveMore = count == destination.Length;
                return (int)count;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case SocketCalls.Interrupted:
                    continue;
                case SocketCalls.WouldBlock:
                    return null;
                default:
                    return 0;
            }
        }

        nint Call(byte* start, int length)
        {
            try
            {
                return SocketCalls.Receive(Handle, start, length, SocketCalls.DontWait);
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
        }
    }

    /// <summary>Sends from two pieces of memory: the bytes taken, null when there is no room now, -1 when the connection is over.</summary>
    public int? Send(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var pieces = stackalloc SocketCalls.Piece[2];
        fixed (byte* a = first)
        fixed (byte* b = second)
        {
            pieces[0] = new SocketCalls.Piece { Start = a, Length = first.Length };
            pieces[1] = new SocketCalls.Piece { Start = b, Length = second.Length };
            var message = new SocketCalls.MessageHeader { Pieces = pieces, PieceCount = 2 };
            const int Flags = SocketCalls.DontWait | SocketCalls.NoSignal;
            try
            {
                while (true)
                {
                    var count = second.IsEmpty ? SocketCalls.Send(Handle, a, first.Length, Flags) : SocketCalls.SendMessage(Handle, &message, Flags);
                    if (count >= 0)
                    {
                        return (int)count;
                    }

                    switch (Marshal.GetLastPInvokeError())
                    {
                        case SocketCalls.Interrupted:
                            continue;
                        case SocketCalls.WouldBlock:
                            return null;
                        default:
                            return -1;
                    }
                }
            }
            catch (ObjectDisposedException)
            {
                return -1;
            }
        }
    }

    /// <summary>
    /// Sends from a file: the bytes taken, null when there is no room, -1 when the connection is over or the file has no such bytes. Blocks: for the disk, and a
    /// moment for a peer who takes what comes, which is less work than another thread's.
    /// </summary>
    public int? SendFile(SafeHandle file, long offset, int length)
    {
        var end = offset + length;
        try
        {
            while (offset < end)
            {
                var count = SocketCalls.SendFile(Handle, file, &offset, (nint)(end - offset));
                if (count > 0)
                {
                    continue;
                }

                switch (count == 0 ? 0 : Marshal.GetLastPInvokeError())
                {
                    case SocketCalls.Interrupted:
                    case SocketCalls.WouldBlock when HasRoomSoon():
                        continue;
                    case SocketCalls.WouldBlock:
                        var sent = (int)(length - (end - offset));
                        return sent > 0 ? sent : null;
                    default:
                        return -1;
                }
            }

            return length;
        }
        catch (ObjectDisposedException)
        {
            return -1;
        }
    }

    /// <summary>As <see cref="Abort"/>, and what was not delivered yet is dropped: a peer that takes nothing would keep it in the kernel for long.</summary>
    public void Reset()
    {
        try
        {
            _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was over already.
        }

        Abort();
    }

    /// <summary>Ends both directions now; what waits goes on and finds that out.</summary>
    public void Abort()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was over already.
        }

        CanSend.Set();
        CanReceive.Set();
    }

    public void Dispose()
    {
        _poller.Remove(_id);
        Abort();
        _socket.Dispose();
    }

    private bool HasRoomSoon()
    {
        var wish = new SocketCalls.PollWish { Descriptor = (int)Handle.DangerousGetHandle(), Events = (short)SocketCalls.Writable };
        return SocketCalls.Poll(&wish, 1, SoonMilliseconds) > 0;
    }

    /// <summary>A peer that closed its side may still have sent bytes that we shall read; then the reader finds the end.</summary>
    private bool HasEnded(uint events)
    {
        if ((events & (SocketCalls.HungUp | SocketCalls.Failed)) != 0)
        {
            return true;
        }

        byte one;
        try
        {
            return SocketCalls.Receive(Handle, &one, 1, SocketCalls.Peek | SocketCalls.DontWait) == 0;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
