using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Interop;

/// <summary>System calls that Mono.Posix lacks or that must not touch the mounted tree.</summary>
internal static unsafe partial class LibC
{
    public const int UnmountDetach = 2;
    public const int UnmountNoFollow = 8;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Unmount(string mountPoint, int flags);

    [LibraryImport(Library, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "fstatvfs", SetLastError = true)]
    public static partial int FStatVfs(int descriptor, NativeStatVfs* totals);

    [LibraryImport(Library, EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Stat(string path, NativeStat* attributes);

    [LibraryImport(Library, EntryPoint = "getuid"), SuppressGCTransition]
    public static partial uint GetUserId();

    [LibraryImport(Library, EntryPoint = "geteuid"), SuppressGCTransition]
    public static partial uint GetEffectiveUserId();

    [LibraryImport(Library, EntryPoint = "getgid"), SuppressGCTransition]
    public static partial uint GetGroupId();
}
