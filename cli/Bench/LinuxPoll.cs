using System.Buffers.Binary;
using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Cli.Bench;

/// <summary>epoll(7), edge triggered, for one thread; and a receive that throws the bytes away inside the kernel.</summary>
internal sealed unsafe partial class LinuxPoll : IDisposable
{
    private const uint ReadableWritableEdge = 0x1 | 0x4 | (1u << 31);
    private const int MaxEvents = 64;
    private const int Truncate = 0x20;
    private const int DontWait = 0x40;
    private const int WouldBlock = 11;
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private readonly SafeFileHandle _poll = new(CreatePoll(0), ownsHandle: true);
    private readonly byte[] _events = new byte[EventBytes * MaxEvents];

    public void Add(Socket socket, int number)
    {
        var pollEvent = stackalloc byte[EventBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(pollEvent, sizeof(uint)), ReadableWritableEdge);
        BinaryPrimitives.WriteInt64LittleEndian(new Span<byte>(pollEvent + EventBytes - sizeof(long), sizeof(long)), number);
        if (ControlPoll(_poll, 1, socket.SafeHandle, pollEvent) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>The numbers of sockets about which there is news.</summary>
    public int Wait(Span<int> ready, TimeSpan timeout)
    {
        fixed (byte* events = _events)
        {
            var count = Math.Max(0, WaitPoll(_poll, events, Math.Min(MaxEvents, ready.Length), (int)Math.Ceiling(timeout.TotalMilliseconds)));
            for (var i = 0; i < count; i++)
            {
                ready[i] = (int)BinaryPrimitives.ReadInt64LittleEndian(new Span<byte>(events + (i * EventBytes) + EventBytes - sizeof(long), sizeof(long)));
            }

            return count;
        }
    }

    /// <summary>Takes up to so many bytes off the connection without copying them: what came, 0 at the end, -1 when nothing is there now.</summary>
    public static long Discard(Socket socket, long bytes)
    {
        var count = Receive(socket.SafeHandle, null, (nint)bytes, Truncate | DontWait);
        return count >= 0 ? count : Marshal.GetLastPInvokeError() == WouldBlock ? -1 : throw new SocketException();
    }

    public void Dispose() => _poll.Dispose();

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int CreatePoll(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int ControlPoll(SafeHandle poll, int operation, SafeHandle descriptor, byte* pollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int WaitPoll(SafeHandle poll, byte* events, int maxEvents, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* buffer, nint length, int flags);
}
