using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>Operations on names in directories.</summary>
internal sealed partial class KeepFuse
{
    public async ValueTask LookupAsync(FuseRequest request, ulong parentId, string name)
    {
        var parent = await DirectoryAsync(parentId, request.Token);
        var node = await parent.LookupAsync(name, request.Token);
        if (node is null)
        {
            request.ReplyError(Errno.ENOENT);
            return;
        }

        await ReplyEntryAsync(request, parent, parentId, name, node);
    }

    public async ValueTask MakeNodeAsync(FuseRequest request, ulong parentId, string name, uint mode)
    {
        if ((mode & OpenFlags.ModeTypeMask) is not (OpenFlags.ModeRegular or 0))
        {
            // Devices, pipes and sockets (spec decision 18).
            request.ReplyError(Errno.EOPNOTSUPP);
            return;
        }

        var parent = await DirectoryAsync(parentId, request.Token);
        var file = await OnceAsync(
            request, async () => await parent.CreateFileAsync(name, request.Token), FsError.AlreadyExists, () => parent.LookupAsync(name, request.Token));
        await ReplyEntryAsync(request, parent, parentId, name, file);
    }

    public async ValueTask MakeDirectoryAsync(FuseRequest request, ulong parentId, string name)
    {
        var parent = await DirectoryAsync(parentId, request.Token);
        var directory = await OnceAsync(
            request, async () => await parent.CreateDirectoryAsync(name, request.Token), FsError.AlreadyExists, () => parent.LookupAsync(name, request.Token));
        await ReplyEntryAsync(request, parent, parentId, name, directory);
    }

    public ValueTask UnlinkAsync(FuseRequest request, ulong parentId, string name) => RemoveAsync(request, parentId, name, NodeKind.File);

    public ValueTask RemoveDirectoryAsync(FuseRequest request, ulong parentId, string name) => RemoveAsync(request, parentId, name, NodeKind.Directory);

    public async ValueTask RenameAsync(FuseRequest request, ulong parentId, string name, ulong newParentId, string newName, uint flags)
    {
        if ((flags & ~OpenFlags.RenameNoReplace) != 0)
        {
            // Exchange and whiteout.
            request.ReplyError(Errno.EINVAL);
            return;
        }

        var mayReplace = (flags & OpenFlags.RenameNoReplace) == 0;
        var parent = await DirectoryAsync(parentId, request.Token);
        var newParent = await DirectoryAsync(newParentId, request.Token);
        _ = await OnceAsync(
            request,
            async () =>
            {
                await parent.RenameAsync(name, newParent, newName, mayReplace, request.Token);
                return newParent;
            },
            FsError.NotFound,
            () => newParent.LookupAsync(newName, request.Token));
        inodes.Renamed(parentId, name, newParentId, newName);
        request.ReplyError(Errno.Ok);
    }

    private async ValueTask RemoveAsync(FuseRequest request, ulong parentId, string name, NodeKind kind)
    {
        var parent = await DirectoryAsync(parentId, request.Token);
        _ = await OnceAsync(
            request,
            async () =>
            {
                await parent.RemoveAsync(name, kind, request.Token);
                return parent;
            },
            FsError.NotFound,
            () => new(parent));
        inodes.Removed(parentId, name);
        request.ReplyError(Errno.Ok);
    }

    /// <summary>
    /// Carries out what cannot be repeated. A request that was handed out before, to a process that died, may have been carried out already:
    /// then the error that shows it is no error, if what it would have led to is there.
    /// </summary>
    private static async ValueTask<INode> OnceAsync(FuseRequest request, Func<ValueTask<INode>> work, FsError alreadyDone, Func<ValueTask<INode?>> outcome)
    {
        try
        {
            return await work();
        }
        catch (FsException exception) when (request.IsResent && exception.Error == alreadyDone)
        {
            if (await outcome() is { } node)
            {
                return node;
            }

            throw;
        }
    }

    private async ValueTask ReplyEntryAsync(FuseRequest request, IDirectoryNode parent, ulong parentId, string name, INode node)
    {
        var nodeId = inodes.Remember(node, parentId, name);
        var isDelivered = false;
        try
        {
            isDelivered = request.Reply(await EntryAsync(parent, node, nodeId, request.Token));
        }
        finally
        {
            if (!isDelivered)
            {
                Forget(nodeId, 1);
            }
        }
    }

    private async ValueTask<EntryOut> EntryAsync(IDirectoryNode parent, INode node, ulong nodeId, CancellationToken cancellationToken)
    {
        var directory = await parent.GetAttributesAsync(cancellationToken);
        return Entry(nodeId, await node.GetAttributesAsync(cancellationToken), EntryValidity(directory));
    }

    private EntryOut Entry(ulong nodeId, in NodeAttributes attributes, (ulong Seconds, uint Nanoseconds) entryValidity)
    {
        var (seconds, nanoseconds) = Validity(attributes);
        return new EntryOut
        {
            NodeId = nodeId,
            Attributes = ToAttributes(nodeId, attributes),
            AttributesValidSeconds = seconds,
            AttributesValidNanoseconds = nanoseconds,
            EntryValidSeconds = entryValidity.Seconds,
            EntryValidNanoseconds = entryValidity.Nanoseconds,
        };
    }
}
