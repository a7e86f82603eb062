using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Mounting;

/// <summary>An open /dev/fuse that belongs to a mount. The mount ends when the last one of it is closed, in whichever process.</summary>
internal sealed class FuseDevice(int descriptor) : IDisposable
{
    public const string Path = "/dev/fuse";

    private int _isClosed;

    public int Descriptor { get; } = descriptor;

    /// <summary>One that belongs to no mount yet.</summary>
    public static FuseDevice Open()
    {
        var descriptor = LibC.Open(Path, OpenFlags.ReadWrite | OpenFlags.CloseOnExec);
        return descriptor >= 0
            ? new FuseDevice(descriptor)
            : throw new FuseMountException(
                $"{Path} cannot be opened: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}. " +
                $"A container must be started with --device {Path}.");
    }

    /// <summary>One more of the same mount with a queue of its own, for another thread; null when the kernel or the mode of the device refuses.</summary>
    public unsafe FuseDevice? TryClone()
    {
        var descriptor = LibC.Open(Path, OpenFlags.ReadWrite | OpenFlags.CloseOnExec);
        if (descriptor < 0)
        {
            return null;
        }

        var clone = new FuseDevice(descriptor);
        var original = Descriptor;
        if (LibC.IoControl(descriptor, LibC.DeviceClone, &original) == 0)
        {
            return clone;
        }

        clone.Dispose();
        return null;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            _ = LibC.Close(Descriptor);
        }
    }
}
