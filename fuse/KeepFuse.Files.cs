using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;
using KeepFs.Fuse.Takeover;

namespace KeepFs.Fuse;

/// <summary>Operations on open files.</summary>
internal sealed partial class KeepFuse
{
    public async ValueTask CreateAsync(FuseRequest request, ulong parentId, string name, int flags)
    {
        var parent = await DirectoryAsync(parentId, request.Token);
        var access = Access(flags);
        var isExclusive = (flags & OpenFlags.Exclusive) != 0 && !request.IsResent;
        var (node, isNew) = await CreateOrFindAsync(parent, name, isExclusive, request.Token);
        var nodeId = inodes.Remember(node, parentId, name);
        var isDelivered = false;
        ulong handle = 0;
        try
        {
            if (await OpenAsync(nodeId, node, access, flags, !isNew && (flags & OpenFlags.Truncate) != 0, request.Token) is not { } open)
            {
                request.ReplyError(Errno.ETXTBSY);
                return;
            }

            handle = open.Handle;
            isDelivered = request.Reply(new CreateOut { Entry = await EntryAsync(parent, node, nodeId, request.Token), Open = open });
        }
        finally
        {
            if (!isDelivered)
            {
                Forget(nodeId, 1);
                await CloseAsync(handle);
            }
        }
    }

    public async ValueTask OpenAsync(FuseRequest request, ulong nodeId, int flags)
    {
        var node = await FileAsync(nodeId, request.Token);
        var access = Access(flags);
        if (await OpenAsync(nodeId, node, access, flags, (flags & OpenFlags.Truncate) != 0, request.Token) is not { } open)
        {
            request.ReplyError(Errno.ETXTBSY);
        }
        else if (!request.Reply(open))
        {
            await CloseAsync(open.Handle);
        }
    }

    public async ValueTask ReadAsync(FuseRequest request, ulong handle, long offset, int length)
    {
        if ((handles.File(handle) ?? await ReopenAsync(handle)) is not { } open)
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
        if ((handles.File(handle) ?? await ReopenAsync(handle)) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        // One that was carried out before has moved the end itself.
        if ((flags & OpenFlags.Append) != 0 && !request.IsResent)
        {
            offset = await EndOfAsync(open.Node, request.NodeId, offset, request.Token);
        }

        Counters.CountWrite(data.Length);
        await open.Handle.WriteAsync(offset, data, request.Token);
        request.Reply(new SizeOut { Size = (uint)data.Length });
    }

    /// <summary>copy_file_range, without moving bytes; where that is not possible the kernel copies (EOPNOTSUPP).</summary>
    public async ValueTask CopyRangeAsync(FuseRequest request, CopyFileRangeIn copy)
    {
        if ((handles.File(copy.Handle) ?? await ReopenAsync(copy.Handle)) is not { } source || (handles.File(copy.TargetHandle) ?? await ReopenAsync(copy.TargetHandle)) is not { } target)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        var length = (long)Math.Min(copy.Length, int.MaxValue);
        request.Reply(new SizeOut { Size = (uint)await target.Handle.ShareFromAsync(source.Handle, copy.Offset, copy.TargetOffset, length, request.Token) });
    }

    public async ValueTask FlushAsync(FuseRequest request, ulong handle)
    {
        if ((handles.File(handle) ?? await ReopenAsync(handle)) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        await open.Handle.FlushAsync(request.Token);
        request.ReplyError(Errno.Ok);
    }

    public async ValueTask ReleaseAsync(FuseRequest request, ulong handle)
    {
        await CloseAsync(handle);
        request.ReplyError(Errno.Ok);
    }

    /// <summary>Opens what a process before this one had open; null when the kernel holds no such handle.</summary>
    public async ValueTask<OpenFile?> ReopenAsync(ulong handle) =>
        handles.AdoptedFile(handle) is { } adopted ? await adopted.ReopenAsync(() => ReopenAsync(handle, adopted.State)) : handles.File(handle);

    private async Task<OpenFile?> ReopenAsync(ulong handle, StateHandle state)
    {
        // For all who wait for it, so nobody's interrupt ends it.
        var node = await FileAsync(state.NodeId, CancellationToken.None);
        var file = new OpenFile(state.NodeId, node, await node.OpenAsync(Access(state.Flags), CancellationToken.None), state.BackingId);
        if (handles.Reopened(handle, file))
        {
            return file;
        }

        await file.Handle.DisposeAsync();
        return null;
    }

    private static FileAccess Access(int flags) =>
        OpenFlags.ToAccess(flags) ?? throw new FsException(FsError.InvalidArgument, "Opened neither for reading nor for writing.");

    private static async ValueTask<(IFileNode Node, bool IsNew)> CreateOrFindAsync(
        IDirectoryNode parent, string name, bool isExclusive, CancellationToken cancellationToken)
    {
        try
        {
            return (await parent.CreateFileAsync(name, cancellationToken), true);
        }
        catch (FsException exception) when (exception.Error == FsError.AlreadyExists && !isExclusive)
        {
            // Somebody else created it after the kernel looked.
            var found = await parent.LookupAsync(name, cancellationToken)
                ?? throw new FsException(FsError.Stale, $"\"{name}\" came and went while it was opened.", exception);
            return (found as IFileNode ?? throw new FsException(FsError.IsADirectory, $"\"{name}\" is a directory."), false);
        }
    }

    /// <summary>Opens and counts the handle; null when the kernel could not keep it apart from those that are open.</summary>
    private async ValueTask<OpenOut?> OpenAsync(
        ulong nodeId, IFileNode node, FileAccess access, int flags, bool truncates, CancellationToken cancellationToken)
    {
        var handle = await node.OpenAsync(access, cancellationToken);
        var isCounted = false;
        try
        {
            if (truncates)
            {
                await node.SetSizeAsync(0, cancellationToken);
            }

            // The size of a generated file is known only after reading, so the kernel must not stop at the size it was told (mount.md 3).
            var attributes = await node.GetAttributesAsync(cancellationToken);
            var answer = new OpenOut { Flags = OpenReplyFlags.DirectIo, BackingId = StateHandle.Uncounted };
            if (attributes.IsCacheable)
            {
                if (passthrough.Opened(nodeId, access, attributes.IsWritable, handle.Backing) is not { } mode)
                {
                    await handle.DisposeAsync();
                    return null;
                }

                isCounted = true;
                (answer.Flags, answer.BackingId) = mode;
            }

            answer.Handle = handles.Add(new OpenFile(nodeId, node, handle, answer.BackingId), flags & ~(OpenFlags.Truncate | OpenFlags.Exclusive));
            answer.BackingId = Math.Max(0, answer.BackingId);
            return answer;
        }
        catch
        {
            if (isCounted)
            {
                passthrough.Closed(nodeId);
            }

            await handle.DisposeAsync();
            throw;
        }
    }

    /// <summary>Nothing to do for a handle that is not there.</summary>
    private async ValueTask CloseAsync(ulong handle)
    {
        var (file, state) = handles.RemoveFile(handle);
        if (state is { BackingId: not StateHandle.Uncounted } counted)
        {
            passthrough.Closed(counted.NodeId);
        }

        if (file is not null)
        {
            await file.Handle.DisposeAsync();
        }
    }

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

        notifier.InvalidateNode(nodeId);
        return attributes.SizeBytes;
    }
}
