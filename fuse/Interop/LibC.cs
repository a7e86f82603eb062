using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Fuse.Interop;

/// <summary>System calls that .NET lacks or that must not touch the mounted tree. Structures and numbers are those of x86-64.</summary>
internal static unsafe partial class LibC
{
    public const int UnmountDetach = 2;
    public const int UnmountNoFollow = 8;

    public const uint MountReadOnly = 1;
    public const uint MountNoSetUserId = 2;
    public const uint MountNoDevices = 4;

    public const nuint DeviceClone = 0x8004E500;
    public const nuint DeviceBackingOpen = 0x4010E501;
    public const nuint DeviceBackingClose = 0x4004E502;

    public const int SocketUnix = 1;
    public const int SocketStream = 1;
    public const int SocketLevel = 1;
    public const int SendRights = 1;

    public const int DuplicateAbove = 0;
    public const int SetDescriptorFlags = 2;
    public const int DescriptorCloseOnExec = 1;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "mount", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Mount(string source, string target, string type, nuint flags, string data);

    [LibraryImport(Library, EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Unmount(string mountPoint, int flags);

    [LibraryImport(Library, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, byte* buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "writev", SetLastError = true)]
    public static partial nint WriteVector(int descriptor, IoVector* vectors, int count);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int IoControl(int descriptor, nuint request, void* argument);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int FileControl(int descriptor, int command, int argument);

    [LibraryImport(Library, EntryPoint = "socketpair", SetLastError = true)]
    public static partial int SocketPair(int domain, int type, int protocol, int* descriptors);

    [LibraryImport(Library, EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(int descriptor, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int MemoryFile(string name, uint flags);

    [LibraryImport(Library, EntryPoint = "fstat", SetLastError = true)]
    private static partial int FileStatus(SafeFileHandle file, ulong* status);

    /// <summary>Device and inode of an open file; default when it cannot be told.</summary>
    public static (ulong Device, ulong Inode) IdentityOf(SafeFileHandle file)
    {
        // struct stat begins with them and has 144 bytes.
        var status = stackalloc ulong[18];
        return FileStatus(file, status) == 0 ? (status[0], status[1]) : default;
    }

    [LibraryImport(Library, EntryPoint = "sigaction", SetLastError = true)]
    public static partial int SignalAction(int signal, SignalDisposition* disposition, SignalDisposition* old);

    [LibraryImport(Library, EntryPoint = "kill", SetLastError = true)]
    public static partial int SignalProcess(int processId, int signal);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollQuery* queries, nuint count, int timeoutMilliseconds);

    [LibraryImport(Library, EntryPoint = "pthread_self"), SuppressGCTransition]
    public static partial nint CurrentThread();

    [LibraryImport(Library, EntryPoint = "pthread_kill")]
    public static partial int SignalThread(nint thread, int signal);

    [LibraryImport(Library, EntryPoint = "getuid"), SuppressGCTransition]
    public static partial uint GetUserId();

    [LibraryImport(Library, EntryPoint = "geteuid"), SuppressGCTransition]
    public static partial uint GetEffectiveUserId();

    [LibraryImport(Library, EntryPoint = "getgid"), SuppressGCTransition]
    public static partial uint GetGroupId();
}

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public void* Base;
    public nuint Length;
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollQuery
{
    public const short Broken = 0x8;

    public int Descriptor;
    public short Asked;
    public short Answered;
}

/// <summary>struct msghdr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct cmsghdr with one descriptor.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DescriptorMessage
{
    public nuint Length;
    public int Level;
    public int Type;
    public int Descriptor;
    private int _padding;
}

/// <summary>struct sigaction of glibc.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SignalDisposition
{
    public nint Handler;
    private fixed ulong _mask[16];
    public int Flags;
    private nint _restorer;
}
