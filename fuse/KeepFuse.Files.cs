using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>Operations on open files.</summary>
internal sealed partial class KeepFuse
{
    public async ValueTask CreateAsync(FuseRequest request, ulong parentId, string name, int flags)
    {
        var parent = Directory(parentId);
        var access = Access(flags);
        var (node, isNew) = await CreateOrFindAsync(parent, name, flags, request.Token);
        var nodeId = Inodes.Remember(node, parentId, name);
        var isDelivered = false;
        OpenFile? open = null;
        try
        {
            open = await OpenAsync(node, access, !isNew && (flags & OpenFlags.Truncate) != 0, request.Token);
            var entry = await EntryAsync(parent, node, nodeId, request.Token);
            var attributes = await node.GetAttributesAsync(request.Token);
            isDelivered = request.Reply(new CreateOut { Entry = entry, Open = Opened(open, attributes) });
        }
        finally
        {
            if (!isDelivered)
            {
                Forget(nodeId, 1);
                await CloseAsync(open);
            }
        }
    }

    public async ValueTask OpenAsync(FuseRequest request, ulong nodeId, int flags)
    {
        var node = File(nodeId);
        var open = await OpenAsync(node, Access(flags), (flags & OpenFlags.Truncate) != 0, request.Token);
        var isDelivered = false;
        try
        {
            isDelivered = request.Reply(Opened(open, await node.GetAttributesAsync(request.Token)));
        }
        finally
        {
            if (!isDelivered)
            {
                await CloseAsync(open);
            }
        }
    }

    public async ValueTask ReadAsync(FuseRequest request, ulong handle, long offset, int length)
    {
        if (Handles.File(handle) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        // The kernel copies straight from the leased block.
        using var lease = await open.Handle.ReadAsync(offset, length, request.Token);
        Counters.CountRead(lease.Memory.Length);
        request.ReplyBuffer(lease.Memory);
    }

    /// <summary>The data is the kernel's buffer, which is this request's until it is finished.</summary>
    public async ValueTask WriteAsync(FuseRequest request, ulong handle, int flags, long offset, ReadOnlyMemory<byte> data)
    {
        if (Handles.File(handle) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        if ((flags & OpenFlags.Append) != 0)
        {
            offset = await EndOfAsync(open.Node, request.NodeId, offset, request.Token);
        }

        Counters.CountWrite(data.Length);
        await open.Handle.WriteAsync(offset, data, request.Token);
        request.Reply(new SizeOut { Size = (uint)data.Length });
    }

    public async ValueTask FlushAsync(FuseRequest request, ulong handle)
    {
        if (Handles.File(handle) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        await open.Handle.FlushAsync(request.Token);
        request.ReplyError(Errno.Ok);
    }

    public async ValueTask ReleaseAsync(FuseRequest request, ulong handle)
    {
        await CloseAsync(Handles.RemoveFile(handle));
        request.ReplyError(Errno.Ok);
    }

    private static FileAccess Access(int flags) =>
        OpenFlags.ToAccess(flags) ?? throw new FsException(FsError.InvalidArgument, "Opened neither for reading nor for writing.");

    private static async ValueTask<(IFileNode Node, bool IsNew)> CreateOrFindAsync(
        IDirectoryNode parent, string name, int flags, CancellationToken cancellationToken)
    {
        try
        {
            return (await parent.CreateFileAsync(name, cancellationToken), true);
        }
        catch (FsException exception) when (exception.Error == FsError.AlreadyExists && (flags & OpenFlags.Exclusive) == 0)
        {
            // Somebody else created it after the kernel looked.
            var found = await parent.LookupAsync(name, cancellationToken)
                ?? throw new FsException(FsError.Stale, $"\"{name}\" came and went while it was opened.", exception);
            return (found as IFileNode ?? throw new FsException(FsError.IsADirectory, $"\"{name}\" is a directory."), false);
        }
    }

    private static async ValueTask<OpenFile> OpenAsync(IFileNode node, FileAccess access, bool truncates, CancellationToken cancellationToken)
    {
        var handle = await node.OpenAsync(access, cancellationToken);
        var open = new OpenFile(node, handle);
        if (truncates)
        {
            try
            {
                await node.SetSizeAsync(0, cancellationToken);
            }
            catch
            {
                await CloseAsync(open);
                throw;
            }
        }

        return open;
    }

    private static async ValueTask CloseAsync(OpenFile? open)
    {
        if (open is not null)
        {
            await open.Handle.DisposeAsync();
        }
    }

    private OpenOut Opened(OpenFile open, in NodeAttributes attributes) => new()
    {
        Handle = Handles.Add(open),

        // The size of a generated file is known only after reading, so the kernel must not stop at the size it was told (mount.md 3).
        Flags = attributes.IsCacheable ? OpenReplyFlags.KeepCache : OpenReplyFlags.DirectIo,
    };

    /// <summary>
    /// Where to append. The kernel asks for the end that it knows; when another front has moved it, that would overwrite, so the real end
    /// is taken and the kernel told to look again.
    /// </summary>
    private async ValueTask<long> EndOfAsync(IFileNode node, ulong nodeId, long offset, CancellationToken cancellationToken)
    {
        var attributes = await node.GetAttributesAsync(cancellationToken);
        if (attributes.SizeBytes == offset)
        {
            return offset;
        }

        _notifier.InvalidateNode(nodeId);
        return attributes.SizeBytes;
    }
}
