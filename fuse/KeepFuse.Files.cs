using System.Buffers;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>Operations on open files.</summary>
internal sealed partial class KeepFuse
{
    private const int MaxWriteBytes = 1 << 20;

    public async ValueTask CreateAsync(FuseRequest request, ulong parentId, string name, FuseFileInfo info)
    {
        var parent = Directory(parentId);
        var access = Access(info.Flags);
        var (node, isNew) = await CreateOrFindAsync(parent, name, info.Flags, request.Token);
        var nodeId = Inodes.Remember(node, parentId, name);
        var isDelivered = false;
        OpenFile? open = null;
        try
        {
            open = await OpenAsync(node, access, !isNew && (info.Flags & OpenFlags.Truncate) != 0, request.Token);
            var entry = await EntryAsync(parent, node, nodeId, request.Token);
            var attributes = await node.GetAttributesAsync(request.Token);
            isDelivered = request.ReplyCreate(entry, Opened(info, open, attributes));
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

    public async ValueTask OpenAsync(FuseRequest request, ulong nodeId, FuseFileInfo info)
    {
        var node = File(nodeId);
        var open = await OpenAsync(node, Access(info.Flags), (info.Flags & OpenFlags.Truncate) != 0, request.Token);
        var isDelivered = false;
        try
        {
            isDelivered = request.ReplyOpen(Opened(info, open, await node.GetAttributesAsync(request.Token)));
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
        request.ReplyBuffer(lease.Memory);
    }

    /// <summary>
    /// Copies what the kernel wrote, because its buffer is used for the next request as soon as the callback returns. Waits on the calling
    /// thread when <see cref="FuseMountOptions.MaxPendingWriteBytes"/> of copies are under way.
    /// </summary>
    public PendingWrite Copy(ReadOnlySpan<byte> data, CancellationToken cancellationToken)
    {
        _writeSlots.Wait(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(data.Length);
        data.CopyTo(buffer);
        return new PendingWrite(buffer, data.Length);
    }

    public async ValueTask WriteAsync(FuseRequest request, ulong nodeId, FuseFileInfo info, long offset, PendingWrite write)
    {
        try
        {
            if (Handles.File(info.Handle) is not { } open)
            {
                request.ReplyError(Errno.EBADF);
                return;
            }

            if ((info.Flags & OpenFlags.Append) != 0)
            {
                offset = await EndOfAsync(open.Node, nodeId, offset, request.Token);
            }

            await open.Handle.WriteAsync(offset, write.Buffer.AsMemory(0, write.Length), request.Token);
            request.ReplyWritten(write.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(write.Buffer);
            _writeSlots.Release();
        }
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

    private FuseFileInfo Opened(FuseFileInfo info, OpenFile open, in NodeAttributes attributes)
    {
        info.Handle = Handles.Add(open);

        // The size of a generated file is known only after reading, so the kernel must not stop at the size it was told (mount.md 3).
        info.Bits = attributes.IsCacheable ? FuseFileInfo.KeepCache : FuseFileInfo.DirectIo;
        return info;
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

        _notifier.InvalidateNode(nodeId);
        return attributes.SizeBytes;
    }
}

/// <summary>Written bytes in a rented buffer, which <see cref="KeepFuse.WriteAsync"/> gives back.</summary>
internal readonly record struct PendingWrite(byte[] Buffer, int Length);
