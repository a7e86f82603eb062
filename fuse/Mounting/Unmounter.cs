using System.Diagnostics;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Mounting;

/// <summary>Takes a mount away: by system call as root, else through fusermount3. Calls block; use a thread that may.</summary>
internal static class Unmounter
{
    /// <summary>True when it is gone; false when programs still use it.</summary>
    /// <exception cref="FuseMountException">Neither.</exception>
    public static bool TryUnmount(string mountPoint)
    {
        if (LibC.Unmount(mountPoint, LibC.UnmountNoFollow) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno switch
        {
            Errno.EBUSY => false,

            // Not a mount point any more: somebody else was faster.
            Errno.EINVAL or Errno.ENOENT => true,
            Errno.EPERM => Run("-u", mountPoint),
            _ => throw new FuseMountException(
                $"Unmounting {mountPoint} failed: {Marshal.GetPInvokeErrorMessage(errno)}. Run: fusermount3 -u {mountPoint}"),
        };
    }

    /// <summary>Removes it from the tree; programs that use it keep what they have open.</summary>
    public static void Detach(string mountPoint)
    {
        if (LibC.Unmount(mountPoint, LibC.UnmountNoFollow | LibC.UnmountDetach) != 0
            && Marshal.GetLastPInvokeError() == Errno.EPERM
            && !Run("-uz", mountPoint))
        {
            throw new FuseMountException($"Detaching {mountPoint} failed. Run: fusermount3 -uz {mountPoint}");
        }
    }

    private static bool Run(string option, string mountPoint)
    {
        using var process = Process.Start(new ProcessStartInfo(UserMount.Program, [option, "-q", "--", mountPoint]))!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
