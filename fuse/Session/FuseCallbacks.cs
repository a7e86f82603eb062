using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Session;

/// <summary>
/// What libfuse calls, on its threads. Each one copies what it needs of the arguments, which are only valid during the call, starts the
/// operation and returns. Async operations do not throw, and <see cref="FuseRequest.Run"/> sees to the rest.
/// </summary>
/// <remarks>
/// Left out on purpose: access (the kernel then allows everything without asking; the tree enforces), extended attributes (the kernel
/// answers ENOTSUP by itself after the first ENOSYS, which saves a question per write), locks (kept by the kernel), lseek, fallocate and
/// copy_file_range (the kernel does without).
/// </remarks>
internal static unsafe class FuseCallbacks
{
    public static FuseLowLevelOps Table() => new()
    {
        Init = (nint)(delegate* unmanaged<nint, FuseConnInfo*, void>)&Init,
        Lookup = (nint)(delegate* unmanaged<nint, ulong, byte*, void>)&Lookup,
        Forget = (nint)(delegate* unmanaged<nint, ulong, ulong, void>)&Forget,
        ForgetMulti = (nint)(delegate* unmanaged<nint, nuint, FuseForgetData*, void>)&ForgetMulti,
        GetAttr = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&GetAttr,
        SetAttr = (nint)(delegate* unmanaged<nint, ulong, NativeStat*, int, FuseFileInfo*, void>)&SetAttr,
        MkNod = (nint)(delegate* unmanaged<nint, ulong, byte*, uint, ulong, void>)&MkNod,
        MkDir = (nint)(delegate* unmanaged<nint, ulong, byte*, uint, void>)&MkDir,
        Unlink = (nint)(delegate* unmanaged<nint, ulong, byte*, void>)&Unlink,
        RmDir = (nint)(delegate* unmanaged<nint, ulong, byte*, void>)&RmDir,
        Symlink = (nint)(delegate* unmanaged<nint, byte*, ulong, byte*, void>)&Symlink,
        Link = (nint)(delegate* unmanaged<nint, ulong, ulong, byte*, void>)&Link,
        Rename = (nint)(delegate* unmanaged<nint, ulong, byte*, ulong, byte*, uint, void>)&Rename,
        Create = (nint)(delegate* unmanaged<nint, ulong, byte*, uint, FuseFileInfo*, void>)&Create,
        Open = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&Open,
        Read = (nint)(delegate* unmanaged<nint, ulong, nuint, long, FuseFileInfo*, void>)&Read,
        Write = (nint)(delegate* unmanaged<nint, ulong, byte*, nuint, long, FuseFileInfo*, void>)&Write,
        Flush = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&Flush,
        Release = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&Release,
        FSync = (nint)(delegate* unmanaged<nint, ulong, int, FuseFileInfo*, void>)&FSync,
        FSyncDir = (nint)(delegate* unmanaged<nint, ulong, int, FuseFileInfo*, void>)&FSync,
        OpenDir = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&OpenDir,
        ReadDir = (nint)(delegate* unmanaged<nint, ulong, nuint, long, FuseFileInfo*, void>)&ReadDir,
        ReadDirPlus = (nint)(delegate* unmanaged<nint, ulong, nuint, long, FuseFileInfo*, void>)&ReadDirPlus,
        ReleaseDir = (nint)(delegate* unmanaged<nint, ulong, FuseFileInfo*, void>)&ReleaseDir,
        StatFs = (nint)(delegate* unmanaged<nint, ulong, void>)&StatFs,
    };

    [UnmanagedCallersOnly]
    public static void Interrupted(nint native, nint id) => Session(native).Interrupted((ulong)id);

    [UnmanagedCallersOnly]
    private static void Init(nint userData, FuseConnInfo* connection) => FuseSession.FromUserData(userData).Negotiate(connection);

    [UnmanagedCallersOnly]
    private static void Lookup(nint native, ulong parent, byte* name)
    {
        var request = Begin(native);
        if (request.TakeName(name) is { } text)
        {
            request.Run(request.Operations.LookupAsync(request, parent, text));
        }
    }

    [UnmanagedCallersOnly]
    private static void Forget(nint native, ulong node, ulong lookups)
    {
        Session(native).Operations.Forget(node, lookups);
        LibFuse.ReplyNone(native);
    }

    [UnmanagedCallersOnly]
    private static void ForgetMulti(nint native, nuint count, FuseForgetData* nodes)
    {
        var operations = Session(native).Operations;
        foreach (var node in new ReadOnlySpan<FuseForgetData>(nodes, (int)count))
        {
            operations.Forget(node.NodeId, node.LookupCount);
        }

        LibFuse.ReplyNone(native);
    }

    [UnmanagedCallersOnly]
    private static void GetAttr(nint native, ulong node, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.GetAttributesAsync(request, node));
    }

    [UnmanagedCallersOnly]
    private static void SetAttr(nint native, ulong node, NativeStat* attributes, int toSet, FuseFileInfo* file)
    {
        var request = Begin(native);
        long? size = (toSet & OpenFlags.SetAttrSize) != 0 ? attributes->Size : null;
        request.Run(request.Operations.SetAttributesAsync(request, node, size));
    }

    [UnmanagedCallersOnly]
    private static void MkNod(nint native, ulong parent, byte* name, uint mode, ulong device)
    {
        var request = Begin(native);
        if (request.TakeName(name) is { } text)
        {
            request.Run(request.Operations.MakeNodeAsync(request, parent, text, mode));
        }
    }

    [UnmanagedCallersOnly]
    private static void MkDir(nint native, ulong parent, byte* name, uint mode)
    {
        var request = Begin(native);
        if (request.TakeName(name) is { } text)
        {
            request.Run(request.Operations.MakeDirectoryAsync(request, parent, text));
        }
    }

    [UnmanagedCallersOnly]
    private static void Unlink(nint native, ulong parent, byte* name)
    {
        var request = Begin(native);
        if (request.TakeName(name) is { } text)
        {
            request.Run(request.Operations.UnlinkAsync(request, parent, text));
        }
    }

    [UnmanagedCallersOnly]
    private static void RmDir(nint native, ulong parent, byte* name)
    {
        var request = Begin(native);
        if (request.TakeName(name) is { } text)
        {
            request.Run(request.Operations.RemoveDirectoryAsync(request, parent, text));
        }
    }

    [UnmanagedCallersOnly]
    private static void Symlink(nint native, byte* link, ulong parent, byte* name) => Refuse(native);

    [UnmanagedCallersOnly]
    private static void Link(nint native, ulong node, ulong newParent, byte* newName) => Refuse(native);

    [UnmanagedCallersOnly]
    private static void Rename(nint native, ulong parent, byte* name, ulong newParent, byte* newName, uint flags)
    {
        var request = Begin(native);
        if (request.TakeName(name) is { } text && request.TakeName(newName) is { } newText)
        {
            request.Run(request.Operations.RenameAsync(request, parent, text, newParent, newText, flags));
        }
    }

    [UnmanagedCallersOnly]
    private static void Create(nint native, ulong parent, byte* name, uint mode, FuseFileInfo* file)
    {
        var request = Begin(native);
        if (request.TakeName(name) is { } text)
        {
            request.Run(request.Operations.CreateAsync(request, parent, text, *file));
        }
    }

    [UnmanagedCallersOnly]
    private static void Open(nint native, ulong node, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.OpenAsync(request, node, *file));
    }

    [UnmanagedCallersOnly]
    private static void Read(nint native, ulong node, nuint size, long offset, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.ReadAsync(request, file->Handle, offset, (int)size));
    }

    [UnmanagedCallersOnly]
    private static void Write(nint native, ulong node, byte* data, nuint size, long offset, FuseFileInfo* file)
    {
        var request = Begin(native);
        PendingWrite write;
        try
        {
            write = request.Operations.Copy(new ReadOnlySpan<byte>(data, (int)size), request.Token);
        }
        catch (Exception exception)
        {
            request.Fail(exception);
            return;
        }

        request.Run(request.Operations.WriteAsync(request, node, *file, offset, write));
    }

    [UnmanagedCallersOnly]
    private static void Flush(nint native, ulong node, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.FlushAsync(request, file->Handle));
    }

    [UnmanagedCallersOnly]
    private static void Release(nint native, ulong node, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.ReleaseAsync(request, file->Handle));
    }

    [UnmanagedCallersOnly]
    private static void FSync(nint native, ulong node, int dataOnly, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.SyncAsync(request, node));
    }

    [UnmanagedCallersOnly]
    private static void OpenDir(nint native, ulong node, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.OpenDirectoryAsync(request, node, *file));
    }

    [UnmanagedCallersOnly]
    private static void ReadDir(nint native, ulong node, nuint size, long offset, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.ReadDirectoryAsync(request, file->Handle, offset, (int)size));
    }

    [UnmanagedCallersOnly]
    private static void ReadDirPlus(nint native, ulong node, nuint size, long offset, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.ReadDirectoryPlusAsync(request, node, file->Handle, offset, (int)size));
    }

    [UnmanagedCallersOnly]
    private static void ReleaseDir(nint native, ulong node, FuseFileInfo* file)
    {
        var request = Begin(native);
        request.Run(request.Operations.ReleaseDirectoryAsync(request, file->Handle));
    }

    [UnmanagedCallersOnly]
    private static void StatFs(nint native, ulong node)
    {
        var request = Begin(native);
        request.Run(request.Operations.StatFsAsync(request));
    }

    private static void Refuse(nint native, [CallerMemberName] string operation = "")
    {
        // A manifest cannot hold links (spec decision 18).
        var request = Session(native).Begin(native, operation);
        request.ReplyError(Errno.EOPNOTSUPP);
        request.Run(ValueTask.CompletedTask);
    }

    private static FuseSession Session(nint native) => FuseSession.FromUserData(LibFuse.RequestUserData(native));

    private static FuseRequest Begin(nint native, [CallerMemberName] string operation = "") => Session(native).Begin(native, operation);
}
