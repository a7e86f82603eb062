using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Interop;

/// <summary>
/// struct fuse_lowlevel_ops: a table of C function pointers, null where the kernel's own answer to ENOSYS is what we want
/// (<see cref="Session.FuseCallbacks"/> says which).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FuseLowLevelOps
{
    public nint Init;
    public nint Destroy;
    public nint Lookup;
    public nint Forget;
    public nint GetAttr;
    public nint SetAttr;
    public nint ReadLink;
    public nint MkNod;
    public nint MkDir;
    public nint Unlink;
    public nint RmDir;
    public nint Symlink;
    public nint Rename;
    public nint Link;
    public nint Open;
    public nint Read;
    public nint Write;
    public nint Flush;
    public nint Release;
    public nint FSync;
    public nint OpenDir;
    public nint ReadDir;
    public nint ReleaseDir;
    public nint FSyncDir;
    public nint StatFs;
    public nint SetXAttr;
    public nint GetXAttr;
    public nint ListXAttr;
    public nint RemoveXAttr;
    public nint Access;
    public nint Create;
    public nint GetLock;
    public nint SetLock;
    public nint BMap;
    public nint IoCtl;
    public nint Poll;
    public nint WriteBuf;
    public nint RetrieveReply;
    public nint ForgetMulti;
    public nint FLock;
    public nint FAllocate;
    public nint ReadDirPlus;
    public nint CopyFileRange;
    public nint LSeek;
}
