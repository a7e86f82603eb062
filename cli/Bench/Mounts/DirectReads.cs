using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>Reading files past, or into an emptied, page cache of the mount, so that the mount is measured and not the kernel's memory.</summary>
internal static partial class DirectReads
{
    private const int DontNeed = 4;
    private const int ReadOnly = 0, CloseOnExec = 0x80000;

    /// <summary>Forgets what the kernel keeps of the file above the mount.</summary>
    public static void Forget(string path)
    {
        using var file = File.OpenHandle(path);
        _ = Advise(file, 0, 0, DontNeed);
    }

    /// <summary>Opens a file whose reads all go to the mount.</summary>
    public static SafeFileHandle OpenDirect(string path)
    {
        var direct = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;
        var file = Open(path, ReadOnly | CloseOnExec | direct);
        return file.IsInvalid ? throw new IOException($"{path} cannot be opened for direct reading (errno {Marshal.GetLastPInvokeError()})") : file;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
