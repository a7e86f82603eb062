using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Interop;

// Layouts of libfuse 3.12 to 3.16 and glibc on x86-64, checked with offsetof(); InteropTests hold the sizes.

/// <summary>struct stat.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeStat
{
    public ulong Device;
    public ulong Inode;
    public ulong LinkCount;
    public uint Mode;
    public uint UserId;
    public uint GroupId;
    private uint _padding;
    public ulong SpecialDevice;
    public long Size;
    public long BlockSize;
    public long Blocks;
    public long AccessSeconds;
    public long AccessNanoseconds;
    public long ModifySeconds;
    public long ModifyNanoseconds;
    public long ChangeSeconds;
    public long ChangeNanoseconds;
    private long _reserved0;
    private long _reserved1;
    private long _reserved2;
}

/// <summary>struct fuse_entry_param.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseEntryParam
{
    public ulong NodeId;
    public ulong Generation;
    public NativeStat Attributes;
    public double AttributeTimeoutSeconds;
    public double EntryTimeoutSeconds;
}

/// <summary>struct fuse_file_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseFileInfo
{
    public const uint DirectIo = 1 << 1;
    public const uint KeepCache = 1 << 2;
    public const uint CacheReaddir = 1 << 6;

    public int Flags;
    public uint Bits;
    private ulong _padding;
    public ulong Handle;
    public ulong LockOwner;
    public uint PollEvents;
}

/// <summary>struct statvfs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeStatVfs
{
    public ulong BlockSize;
    public ulong FragmentSize;
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public ulong FilesAvailable;
    public ulong FileSystemId;
    public ulong Flags;
    public ulong NameMax;
    private fixed int _spare[6];
}

/// <summary>struct fuse_conn_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FuseConnInfo
{
    public const uint AsyncRead = 1 << 0;
    public const uint AtomicTruncate = 1 << 3;
    public const uint SpliceWrite = 1 << 7;
    public const uint SpliceMove = 1 << 8;
    public const uint SpliceRead = 1 << 9;
    public const uint AutoInvalidateData = 1 << 12;
    public const uint ReaddirPlus = 1 << 13;
    public const uint ReaddirPlusAuto = 1 << 14;
    public const uint AsyncDirectIo = 1 << 15;
    public const uint WritebackCache = 1 << 16;
    public const uint ParallelDirectoryOperations = 1 << 18;
    public const uint ExplicitInvalidateData = 1 << 25;

    public uint ProtocolMajor;
    public uint ProtocolMinor;
    public uint MaxWrite;
    public uint MaxRead;
    public uint MaxReadAhead;
    public uint Capable;
    public uint Want;
    public uint MaxBackground;
    public uint CongestionThreshold;
    public uint TimeGranularity;
    private fixed uint _reserved[22];
}

/// <summary>struct fuse_forget_data.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseForgetData
{
    public ulong NodeId;
    public ulong LookupCount;
}

/// <summary>struct fuse_ctx.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseContext
{
    public uint UserId;
    public uint GroupId;
    public int ProcessId;
    public uint Umask;
}

/// <summary>struct fuse_args.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FuseArgs
{
    public int Count;
    public byte** Values;
    public int Allocated;
}
