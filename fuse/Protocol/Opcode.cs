namespace KeepFs.Fuse.Protocol;

/// <summary>What the kernel asks (include/uapi/linux/fuse.h, enum fuse_opcode), as far as this front knows it; the rest is ENOSYS.</summary>
internal enum Opcode : uint
{
    Lookup = 1,
    Forget = 2,
    GetAttr = 3,
    SetAttr = 4,
    Symlink = 6,
    MkNod = 8,
    MkDir = 9,
    Unlink = 10,
    RmDir = 11,
    Rename = 12,
    Link = 13,
    Open = 14,
    Read = 15,
    Write = 16,
    StatFs = 17,
    Release = 18,
    FSync = 20,
    SetXAttr = 21,
    GetXAttr = 22,
    ListXAttr = 23,
    RemoveXAttr = 24,
    Flush = 25,
    Init = 26,
    OpenDir = 27,
    ReadDir = 28,
    ReleaseDir = 29,
    FSyncDir = 30,
    Create = 35,
    Interrupt = 36,
    Destroy = 38,
    IoCtl = 39,
    NotifyReply = 41,
    BatchForget = 42,
    ReadDirPlus = 44,
    Rename2 = 45,
    CopyFileRange = 47,
}

/// <summary>What we tell the kernel unasked (enum fuse_notify_code).</summary>
internal enum Notification
{
    InvalidateInode = 2,
    InvalidateEntry = 3,
    Resend = 7,
}
