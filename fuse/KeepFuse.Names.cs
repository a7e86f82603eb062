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
        var parent = Directory(parentId);
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

        var parent = Directory(parentId);
        var file = await parent.CreateFileAsync(name, request.Token);
        await ReplyEntryAsync(request, parent, parentId, name, file);
    }

    public async ValueTask MakeDirectoryAsync(FuseRequest request, ulong parentId, string name)
    {
        var parent = Directory(parentId);
        var directory = await parent.CreateDirectoryAsync(name, request.Token);
        await ReplyEntryAsync(request, parent, parentId, name, directory);
    }

    public async ValueTask UnlinkAsync(FuseRequest request, ulong parentId, string name)
    {
        await Directory(parentId).RemoveAsync(name, NodeKind.File, request.Token);
        request.ReplyError(Errno.Ok);
    }

    public async ValueTask RemoveDirectoryAsync(FuseRequest request, ulong parentId, string name)
    {
        await Directory(parentId).RemoveAsync(name, NodeKind.Directory, request.Token);
        request.ReplyError(Errno.Ok);
    }

    public async ValueTask RenameAsync(FuseRequest request, ulong parentId, string name, ulong newParentId, string newName, uint flags)
    {
        if ((flags & ~OpenFlags.RenameNoReplace) != 0)
        {
            // Exchange and whiteout.
            request.ReplyError(Errno.EINVAL);
            return;
        }

        var mayReplace = (flags & OpenFlags.RenameNoReplace) == 0;
        await Directory(parentId).RenameAsync(name, Directory(newParentId), newName, mayReplace, request.Token);
        request.ReplyError(Errno.Ok);
    }

    private async ValueTask ReplyEntryAsync(FuseRequest request, IDirectoryNode parent, ulong parentId, string name, INode node)
    {
        var nodeId = Inodes.Remember(node, parentId, name);
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
        return Entry(nodeId, await node.GetAttributesAsync(cancellationToken), Validity(directory));
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
