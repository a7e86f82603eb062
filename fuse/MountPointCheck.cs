using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>Finds, before mounting, what would make it fail, and says what to do about it.</summary>
internal static class MountPointCheck
{
    private const string Device = "/dev/fuse";
    private const string Configuration = "/etc/fuse.conf";

    /// <summary>The real path of a usable mount point.</summary>
    /// <exception cref="FuseMountException">Something is missing.</exception>
    public static string Check(FuseMountOptions options)
    {
        CheckMachine(options.AllowOther);
        if (options.ReplacesDeadMount && IsDeadMount(options.MountPoint))
        {
            Unmounter.Detach(Path.GetFullPath(options.MountPoint));
        }

        return CheckDirectory(options.MountPoint);
    }

    private static void CheckMachine(bool allowOther)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !OperatingSystem.IsLinux())
        {
            throw new FuseMountException("Mounting is supported on 64-bit x86 Linux only; elsewhere use WebDAV (keep-web).");
        }

        if (!File.Exists(Device))
        {
            throw new FuseMountException(
                $"{Device} does not exist. Load the kernel module (modprobe fuse); " +
                $"a container must be started with --device {Device} --cap-add SYS_ADMIN.");
        }

        var device = LibC.Open(Device, OpenFlags.ReadWrite | OpenFlags.CloseOnExec);
        if (device < 0)
        {
            var reason = Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
            throw new FuseMountException(
                $"{Device} cannot be opened: {reason}. Its mode should be 0666 (chmod 666 {Device}); " +
                $"a container must be started with --device {Device}.");
        }

        _ = LibC.Close(device);
        CheckLibrary();
        if (LibC.GetEffectiveUserId() == 0)
        {
            return;
        }

        if (FindInPath("fusermount3") is null)
        {
            throw new FuseMountException("fusermount3 is not in PATH; a user other than root needs it to mount. Install the package fuse3.");
        }

        if (allowOther && !AllowsOther())
        {
            throw new FuseMountException(
                $"Other users may only be let in (allow_other) when {Configuration} has a line \"user_allow_other\"; only root can add it.");
        }
    }

    private static void CheckLibrary()
    {
        int version;
        try
        {
            version = LibFuse.Version();
        }
        catch (DllNotFoundException exception)
        {
            throw new FuseMountException(
                "libfuse3.so.3 cannot be loaded. Install libfuse 3 (Debian, Ubuntu: apt install fuse3 libfuse3-3).", exception);
        }

        if (version < LibFuse.OldestVersion)
        {
            throw new FuseMountException($"libfuse 3.12 or newer is needed; this machine has {version / 100}.{version % 100}.");
        }
    }

    private static bool IsDeadMount(string path)
    {
        var descriptor = LibC.Open(path, OpenFlags.DirectoryOnly | OpenFlags.CloseOnExec);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() == Errno.ENOTCONN;
        }

        _ = LibC.Close(descriptor);
        return false;
    }

    private static string CheckDirectory(string path)
    {
        // Not stat: the kernel answers that from its cache for a mount whose process is gone.
        var descriptor = LibC.Open(path, OpenFlags.DirectoryOnly | OpenFlags.CloseOnExec);
        if (descriptor < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            throw new FuseMountException(errno switch
            {
                Errno.ENOTCONN =>
                    $"{path} is a stale mount whose process is gone (Transport endpoint is not connected). Run: fusermount3 -u {path}",
                Errno.ENOENT => $"The mount point {path} does not exist. Run: mkdir -p {path}",
                Errno.ENOTDIR => $"The mount point {path} is not a directory.",
                Errno.EACCES => $"The mount point {path} cannot be read: permission denied.",
                _ => $"The mount point {path} cannot be used: {Marshal.GetPInvokeErrorMessage(errno)}.",
            });
        }

        _ = LibC.Close(descriptor);
        var realPath = Mono.Unix.UnixPath.GetCompleteRealPath(path);
        if (Directory.EnumerateFileSystemEntries(realPath).Any())
        {
            throw new FuseMountException(
                $"The mount point {path} is not empty; what is in it would be hidden. " +
                $"Mount at an empty directory, or unmount what is there: fusermount3 -u {path}");
        }

        return realPath;
    }

    private static bool AllowsOther()
    {
        try
        {
            return File.ReadLines(Configuration).Any(line => line.Trim() == "user_allow_other");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    internal static string? FindInPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, program))
        .FirstOrDefault(File.Exists);
}
