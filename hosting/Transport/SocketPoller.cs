using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// One thread that waits for all its sockets at once and runs what waited for them, so that a small request is received, answered and
/// sent without a change of threads. What runs there must not block; disk work has threads of its own. Edge triggered: a socket is
/// registered once and costs no call more until it is closed.
/// </summary>
internal sealed unsafe class SocketPoller : IDisposable
{
    private const int EventsPerRound = 64;
    private const long StopId = 0;
    private readonly SafeFileHandle _poll = Checked(SocketCalls.CreatePoll(SocketCalls.CloseOnExec));
    private readonly SafeFileHandle _stop = Checked(SocketCalls.CreateEvent(0, SocketCalls.CloseOnExec));

    // By number and not by pointer: an event may be in hand when its socket is closed and the memory is gone.
    private readonly ConcurrentDictionary<long, PolledSocket> _sockets = new();
    private readonly Thread _thread;
    private long _lastId = StopId;

    public SocketPoller(int number)
    {
        Register(_stop, SocketCalls.Readable, StopId);
        _thread = new Thread(Loop) { IsBackground = true, Name = $"socket {number}" };
        _thread.Start();
    }

    /// <summary>Starts to signal the socket; ends with <see cref="Remove"/>.</summary>
    public long Add(PolledSocket socket)
    {
        var id = Interlocked.Increment(ref _lastId);
        _sockets[id] = socket;
        try
        {
            Register(
                socket.Handle,
                SocketCalls.Readable | SocketCalls.Writable | SocketCalls.PeerClosed | SocketCalls.EdgeTriggered,
                id);
        }
        catch
        {
            Remove(id);
            throw;
        }

        return id;
    }

    /// <summary>No signals any more. Closing the descriptor takes it out of the kernel's list.</summary>
    public void Remove(long id) => _sockets.TryRemove(id, out _);

    /// <summary>Looks for peers that take nothing. One thread at a time.</summary>
    public void ResetStalled(TimeProvider time, TimeSpan patience)
    {
        foreach (var (_, socket) in _sockets)
        {
            socket.ResetIfStalled(time, patience);
        }
    }

    public void Dispose()
    {
        var one = 1L;
        _ = SocketCalls.Write(_stop, (byte*)&one, sizeof(long));
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }

        _poll.Dispose();
        _stop.Dispose();
    }

    private static SafeFileHandle Checked(int descriptor) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private void Register(SafeHandle descriptor, uint events, long id)
    {
        var pollEvent = stackalloc byte[SocketCalls.EventBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(pollEvent, sizeof(uint)), events);
        BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(pollEvent + SocketCalls.EventDataOffset, sizeof(long)), id);
        if (SocketCalls.ControlPoll(_poll, SocketCalls.Add, descriptor, pollEvent) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private void Loop()
    {
        var events = stackalloc byte[SocketCalls.EventBytes * EventsPerRound];
        while (true)
        {
            var count = SocketCalls.WaitPoll(_poll, events, EventsPerRound, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != SocketCalls.Interrupted)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            for (var i = 0; i < count; i++)
            {
                var pollEvent = events + (i * SocketCalls.EventBytes);
                var id = BinaryPrimitives.ReadInt64LittleEndian(new Span<byte>(pollEvent + SocketCalls.EventDataOffset, sizeof(long)));
                if (id == StopId)
                {
                    return;
                }

                if (_sockets.TryGetValue(id, out var socket))
                {
                    socket.Signal(BinaryPrimitives.ReadUInt32LittleEndian(new Span<byte>(pollEvent, sizeof(uint))));
                }
            }
        }
    }
}
