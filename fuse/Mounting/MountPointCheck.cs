using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Mounting;

/// <summary>Finds, before mounting, what would make it fail, and says what to do about it.</summary>
internal static class MountPointCheck
{
    private const string Device = FuseDevice.Path;
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

        if (options.CreatesMountPoint)
        {
            Directory.CreateDirectory(options.MountPoint);
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

        if (LibC.GetEffectiveUserId() == 0)
        {
            // The setuid fusermount3 opens it for others, whatever its mode.
            FuseDevice.Open().Dispose();
            return;
        }

        if (FindInPath(UserMount.Program) is null)
        {
            throw new FuseMountException($"{UserMount.Program} is not in PATH; a user other than root needs it to mount. Install the package fuse3.");
        }

        if (allowOther && !AllowsOther())
        {
            throw new FuseMountException(
                $"Other users may only be let in (allow_other) when {Configuration} has a line \"user_allow_other\"; only root can add it.");
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
