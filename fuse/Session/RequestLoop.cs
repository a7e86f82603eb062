using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Session;

/// <summary>One thread that reads requests and starts their operations, until the mount is gone or the session stops.</summary>
internal sealed unsafe class RequestLoop(FuseSession session, int device)
{
    private readonly Lock _lock = new();
    private nint _thread;

    public void Start() => new Thread(Run) { IsBackground = true, Name = "fuse" }.Start();

    /// <summary>Makes it look whether the session stops, unless it is not waiting yet; repeat until the thread has ended.</summary>
    public void Interrupt()
    {
        lock (_lock)
        {
            if (_thread != 0)
            {
                ThreadInterrupt.Send(_thread);
            }
        }
    }

    private void Run()
    {
        Set(LibC.CurrentThread());
        var errno = 0;
        try
        {
            errno = ReadRequests();
        }
        catch (OperationCanceledException)
        {
            // Stopped while it waited for a buffer.
        }
        finally
        {
            // From here on the thread may end at any time, and must not be sent signals.
            Set(0);
            session.LoopLeft(errno);
        }
    }

    private int ReadRequests()
    {
        var buffer = session.Buffers.Rent();
        while (!session.IsStopping)
        {
            // Pinned for its life.
            var start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer));
            var length = LibC.Read(device, start, RequestBuffers.Bytes);
            if (length >= 0)
            {
                if (!Dispatcher.Dispatch(session, device, buffer, (int)length))
                {
                    session.Buffers.WaitToKeep(session.Stopping);
                    buffer = session.Buffers.Rent();
                }

                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.ENODEV:
                    // Unmounted.
                    session.Buffers.Return(buffer);
                    return 0;
                case Errno.EINTR or Errno.EAGAIN or Errno.ENOENT:
                    // A signal, or a request that its caller took back while it was handed out.
                    continue;
                case var errno:
                    return errno;
            }
        }

        session.Buffers.Return(buffer);
        return 0;
    }

    private void Set(nint thread)
    {
        lock (_lock)
        {
            _thread = thread;
        }
    }
}
