using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Protocol;

// What comes from the kernel: layouts of include/uapi/linux/fuse.h, protocol 7.12 and later, little-endian. ProtocolTests hold the sizes.

/// <summary>struct fuse_in_header.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InHeader
{
    /// <summary>Set in <see cref="Unique"/> of a request that was read before, perhaps carried out, but never answered.</summary>
    public const ulong ResendBit = 1UL << 63;

    public uint Length;
    public Opcode Opcode;
    public ulong Unique;
    public ulong NodeId;
    public uint UserId;
    public uint GroupId;
    public int ThreadId;
    public ushort ExtensionLength;
    private ushort _padding;
}

/// <summary>struct fuse_init_in; kernels before 7.36 send only the first 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InitIn
{
    public uint Major;
    public uint Minor;
    public uint MaxReadAhead;
    public uint Flags;
}

/// <summary>struct fuse_forget_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ForgetIn
{
    public ulong Lookups;
}

/// <summary>struct fuse_batch_forget_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BatchForgetIn
{
    public uint Count;
    private uint _dummy;
}

/// <summary>struct fuse_forget_one.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ForgetOne
{
    public ulong NodeId;
    public ulong Lookups;
}

/// <summary>struct fuse_setattr_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SetAttrIn
{
    public const uint ValidSize = 1 << 3;

    public uint Valid;
    private uint _padding;
    public ulong Handle;
    public ulong Size;
    private fixed ulong _lockOwnerAndTimes[4];
    private fixed uint _nanosecondsModeAndOwner[8];
}

/// <summary>struct fuse_mknod_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MkNodIn
{
    public uint Mode;
    public uint Device;
    public uint Umask;
    private uint _padding;
}

/// <summary>struct fuse_mkdir_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MkDirIn
{
    public uint Mode;
    public uint Umask;
}

/// <summary>struct fuse_rename_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RenameIn
{
    public ulong NewParent;
}

/// <summary>struct fuse_rename2_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Rename2In
{
    public ulong NewParent;
    public uint Flags;
    private uint _padding;
}

/// <summary>struct fuse_open_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenIn
{
    public int Flags;
    public uint OpenFlags;
}

/// <summary>struct fuse_create_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CreateIn
{
    public int Flags;
    public uint Mode;
    public uint Umask;
    public uint OpenFlags;
}

/// <summary>struct fuse_read_in, also of READDIR and READDIRPLUS, and struct fuse_write_in, which is laid out alike.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TransferIn
{
    public ulong Handle;
    public long Offset;
    public uint Size;
    public uint TransferFlags;
    public ulong LockOwner;
    public int Flags;
    private uint _padding;
}

/// <summary>The part of struct fuse_release_in, fuse_flush_in and fuse_fsync_in that matters here.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HandleIn
{
    public ulong Handle;
    public uint Flags;
    private uint _padding;
}

/// <summary>struct fuse_getxattr_in, also of LISTXATTR.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GetXAttrIn
{
    public uint Size;
    private uint _padding;
}

/// <summary>struct fuse_interrupt_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InterruptIn
{
    public ulong Unique;
}

/// <summary>struct fuse_copy_file_range_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CopyFileRangeIn
{
    public ulong Handle;
    public long Offset;
    public ulong TargetNodeId;
    public ulong TargetHandle;
    public long TargetOffset;
    public ulong Length;
    public ulong Flags;
}
