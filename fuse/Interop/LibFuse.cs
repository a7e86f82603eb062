using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Interop;

/// <summary>The part of libfuse3's low-level interface that this front uses (fuse_lowlevel.h, API 3.12).</summary>
internal static unsafe partial class LibFuse
{
    /// <summary>fuse_session_loop_mt with an opaque configuration appeared here; before, the same name took another struct.</summary>
    public const int OldestVersion = 312;

    private const string Library = "libfuse3.so.3";

    [LibraryImport(Library, EntryPoint = "fuse_version")]
    public static partial int Version();

    [LibraryImport(Library, EntryPoint = "fuse_session_new")]
    public static partial nint SessionNew(FuseArgs* arguments, FuseLowLevelOps* operations, nuint operationsSize, nint userData);

    [LibraryImport(Library, EntryPoint = "fuse_session_mount", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int SessionMount(nint session, string mountPoint);

    [LibraryImport(Library, EntryPoint = "fuse_session_loop_mt")]
    public static partial int SessionLoop(nint session, nint configuration);

    [LibraryImport(Library, EntryPoint = "fuse_session_exit")]
    public static partial void SessionExit(nint session);

    [LibraryImport(Library, EntryPoint = "fuse_session_destroy")]
    public static partial void SessionDestroy(nint session);

    [LibraryImport(Library, EntryPoint = "fuse_loop_cfg_create")]
    public static partial nint LoopConfigurationCreate();

    [LibraryImport(Library, EntryPoint = "fuse_loop_cfg_destroy")]
    public static partial void LoopConfigurationDestroy(nint configuration);

    [LibraryImport(Library, EntryPoint = "fuse_loop_cfg_set_max_threads")]
    public static partial void LoopConfigurationSetMaxThreads(nint configuration, uint value);

    [LibraryImport(Library, EntryPoint = "fuse_loop_cfg_set_clone_fd")]
    public static partial void LoopConfigurationSetCloneFd(nint configuration, uint value);

    [LibraryImport(Library, EntryPoint = "fuse_req_userdata"), SuppressGCTransition]
    public static partial nint RequestUserData(nint request);

    [LibraryImport(Library, EntryPoint = "fuse_req_ctx"), SuppressGCTransition]
    public static partial FuseContext* RequestContext(nint request);

    [LibraryImport(Library, EntryPoint = "fuse_req_interrupt_func")]
    public static partial void RequestInterruptFunction(nint request, delegate* unmanaged<nint, nint, void> function, nint data);

    [LibraryImport(Library, EntryPoint = "fuse_reply_err")]
    public static partial int ReplyError(nint request, int errno);

    [LibraryImport(Library, EntryPoint = "fuse_reply_none")]
    public static partial void ReplyNone(nint request);

    [LibraryImport(Library, EntryPoint = "fuse_reply_entry")]
    public static partial int ReplyEntry(nint request, FuseEntryParam* entry);

    [LibraryImport(Library, EntryPoint = "fuse_reply_create")]
    public static partial int ReplyCreate(nint request, FuseEntryParam* entry, FuseFileInfo* file);

    [LibraryImport(Library, EntryPoint = "fuse_reply_attr")]
    public static partial int ReplyAttributes(nint request, NativeStat* attributes, double timeoutSeconds);

    [LibraryImport(Library, EntryPoint = "fuse_reply_open")]
    public static partial int ReplyOpen(nint request, FuseFileInfo* file);

    [LibraryImport(Library, EntryPoint = "fuse_reply_write")]
    public static partial int ReplyWrite(nint request, nuint count);

    [LibraryImport(Library, EntryPoint = "fuse_reply_buf")]
    public static partial int ReplyBuffer(nint request, byte* buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "fuse_reply_statfs")]
    public static partial int ReplyStatFs(nint request, NativeStatVfs* totals);

    [LibraryImport(Library, EntryPoint = "fuse_add_direntry"), SuppressGCTransition]
    public static partial nuint AddDirectoryEntry(nint request, byte* buffer, nuint size, byte* name, NativeStat* attributes, long offset);

    [LibraryImport(Library, EntryPoint = "fuse_add_direntry_plus"), SuppressGCTransition]
    public static partial nuint AddDirectoryEntryPlus(nint request, byte* buffer, nuint size, byte* name, FuseEntryParam* entry, long offset);

    [LibraryImport(Library, EntryPoint = "fuse_lowlevel_notify_inval_inode")]
    public static partial int NotifyInvalidateInode(nint session, ulong nodeId, long offset, long length);

    [LibraryImport(Library, EntryPoint = "fuse_lowlevel_notify_inval_entry")]
    public static partial int NotifyInvalidateEntry(nint session, ulong parent, byte* name, nuint nameLength);
}
