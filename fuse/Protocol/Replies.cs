using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Protocol;

// What goes to the kernel: layouts of include/uapi/linux/fuse.h, protocol 7.40 and later. ProtocolTests hold the sizes.

/// <summary>struct fuse_out_header.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OutHeader
{
    public uint Length;

    /// <summary>Minus an errno, or 0; of a notification its code.</summary>
    public int Error;

    /// <summary>Of the request; 0 makes it a notification.</summary>
    public ulong Unique;
}

/// <summary>struct fuse_init_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct InitOut
{
    public uint Major;
    public uint Minor;
    public uint MaxReadAhead;
    public uint Flags;
    public ushort MaxBackground;
    public ushort CongestionThreshold;
    public uint MaxWrite;
    public uint TimeGranularity;
    public ushort MaxPages;
    public ushort MapAlignment;
    public uint Flags2;
    public uint MaxStackDepth;
    private fixed ushort _unused[12];
}

/// <summary>struct fuse_attr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Attributes
{
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AccessSeconds;
    public ulong ModifySeconds;
    public ulong ChangeSeconds;
    public uint AccessNanoseconds;
    public uint ModifyNanoseconds;
    public uint ChangeNanoseconds;
    public uint Mode;
    public uint LinkCount;
    public uint UserId;
    public uint GroupId;
    public uint SpecialDevice;
    public uint BlockSize;
    public uint Flags;
}

/// <summary>struct fuse_attr_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttributesOut
{
    public ulong ValidSeconds;
    public uint ValidNanoseconds;
    private uint _dummy;
    public Attributes Attributes;
}

/// <summary>struct fuse_entry_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EntryOut
{
    public ulong NodeId;
    public ulong Generation;
    public ulong EntryValidSeconds;
    public ulong AttributesValidSeconds;
    public uint EntryValidNanoseconds;
    public uint AttributesValidNanoseconds;
    public Attributes Attributes;
}

/// <summary>struct fuse_open_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenOut
{
    public ulong Handle;
    public OpenReplyFlags Flags;
    public int BackingId;
}

/// <summary>What CREATE answers: an entry and an open file.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CreateOut
{
    public EntryOut Entry;
    public OpenOut Open;
}

/// <summary>struct fuse_write_out, and of the same shape struct fuse_getxattr_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SizeOut
{
    public uint Size;
    private uint _padding;
}

/// <summary>struct fuse_kstatfs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TotalsOut
{
    public ulong Blocks;
    public ulong BlocksFree;
    public ulong BlocksAvailable;
    public ulong Files;
    public ulong FilesFree;
    public uint BlockSize;
    public uint NameMax;
    public uint FragmentSize;
    private fixed uint _spare[7];
}

/// <summary>struct fuse_dirent without the name that follows it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DirectoryEntryHeader
{
    public ulong Inode;
    public long NextOffset;
    public uint NameLength;

    /// <summary>The top bits of the mode.</summary>
    public uint Type;
}

/// <summary>struct fuse_notify_inval_inode_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InvalidateInodeOut
{
    public ulong NodeId;
    public long Offset;
    public long Length;
}

/// <summary>struct fuse_notify_inval_entry_out; the name with its NUL follows.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InvalidateEntryOut
{
    public ulong Parent;
    public uint NameLength;
    public uint Flags;
}

/// <summary>struct fuse_backing_map.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BackingMap
{
    public int Descriptor;
    public uint Flags;
    private ulong _padding;
}
