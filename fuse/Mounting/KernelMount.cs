using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Mounting;

/// <summary>Mounts: by system call as root, through fusermount3 as anybody else. Requests wait in the kernel until somebody reads them.</summary>
internal static class KernelMount
{
    /// <exception cref="FuseMountException">It is refused; the message says what to do.</exception>
    public static FuseDevice Mount(FuseMountOptions options, string mountPoint)
    {
        if (LibC.GetEffectiveUserId() != 0)
        {
            return UserMount.Mount(UserWords(options), mountPoint);
        }

        var device = FuseDevice.Open();
        var errno = MountAsRoot(options, mountPoint, device, "fuse." + options.Subtype);
        if (errno == Errno.ENODEV)
        {
            // Without a subtype, where the kernel has the type under its plain name only.
            errno = MountAsRoot(options, mountPoint, device, "fuse");
        }

        if (errno == 0)
        {
            return device;
        }

        device.Dispose();
        if (errno == Errno.EPERM && MountPointCheck.FindInPath(UserMount.Program) is not null)
        {
            // Root of a container without CAP_SYS_ADMIN; a setuid program may have more.
            return UserMount.Mount(UserWords(options), mountPoint);
        }

        throw new FuseMountException(
            $"Mounting at {mountPoint} failed: {Marshal.GetPInvokeErrorMessage(errno)}. " +
            "In a container, /dev/fuse and the capability SYS_ADMIN (or a setuid fusermount3) are needed.");
    }

    private static int MountAsRoot(FuseMountOptions options, string mountPoint, FuseDevice device, string type)
    {
        var data = string.Create(
            CultureInfo.InvariantCulture,
            $"fd={device.Descriptor},rootmode=40000,user_id={LibC.GetUserId()},group_id={LibC.GetGroupId()},max_read={Negotiation.MaxTransferBytes}");
        if (options.AllowOther)
        {
            data += ",allow_other";
        }

        var flags = LibC.MountNoSetUserId | LibC.MountNoDevices | (options.IsReadOnly ? LibC.MountReadOnly : 0);
        return LibC.Mount(options.FsName, mountPoint, type, flags, data) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    private static string UserWords(FuseMountOptions options)
    {
        var words = new StringBuilder("nosuid,nodev,max_read=").Append(Negotiation.MaxTransferBytes)
            .Append(",fsname=").Append(Escape(options.FsName))
            .Append(",subtype=").Append(Escape(options.Subtype));
        if (options.IsReadOnly)
        {
            words.Append(",ro");
        }

        if (options.AllowOther)
        {
            words.Append(",allow_other");
        }

        return words.ToString();
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);
}
