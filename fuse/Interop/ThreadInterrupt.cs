using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Interop;

/// <summary>
/// Makes a thread that waits in read(2) return with EINTR. Closing the descriptor would not, and asking the kernel for an event costs a
/// system call per request. The signal's handler is a function of the C library that does nothing, so no managed code runs in it.
/// </summary>
internal static unsafe class ThreadInterrupt
{
    // Real-time signals of glibc are 34 to 64; the runtime takes the first one and debuggers the next.
    private const int Signal = 34 + 11;

    /// <summary>Call once before the threads start; the handler stays for the life of the process.</summary>
    public static void Prepare()
    {
        var disposition = new SignalDisposition
        {
            // Without SA_RESTART, so that read(2) ends. Any harmless function will do; its argument is ignored.
            Handler = NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "getppid"),
        };
        if (LibC.SignalAction(Signal, &disposition, null) != 0)
        {
            throw new FuseMountException($"sigaction failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }
    }

    /// <summary>The thread must be alive; a signal that comes before it waits is lost, so callers repeat it.</summary>
    public static void Send(nint thread) => _ = LibC.SignalThread(thread, Signal);
}
