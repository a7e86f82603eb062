using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>Listing directories. Offsets count entries: 0 is ".", 1 is "..", 2 the first of the snapshot; each entry carries the next one.</summary>
internal sealed partial class KeepFuse
{
    private const int DotEntries = 2;

    public async ValueTask OpenDirectoryAsync(FuseRequest request, ulong nodeId)
    {
        var node = await DirectoryAsync(nodeId, request.Token);
        var attributes = await node.GetAttributesAsync(request.Token);
        var answer = new OpenOut { Handle = handles.Add(new OpenDirectory(nodeId)) };
        if (attributes.IsCacheable)
        {
            // What the kernel kept is only good if nothing was announced since it was listed.
            answer.Flags = OpenReplyFlags.CacheDirectory | (inodes.IsListingCurrent(nodeId) ? OpenReplyFlags.KeepCache : 0);
        }

        if (!request.Reply(answer))
        {
            handles.RemoveDirectory(answer.Handle);
        }
    }

    public ValueTask ReleaseDirectoryAsync(FuseRequest request, ulong handle)
    {
        handles.RemoveDirectory(handle);
        request.ReplyError(Errno.Ok);
        return ValueTask.CompletedTask;
    }

    public async ValueTask ReadDirectoryAsync(FuseRequest request, ulong handle, long offset, int size)
    {
        if (handles.Directory(handle) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        var (_, entries) = await SnapshotAsync(open, offset, request.Token);
        var page = new DirectoryPage(size);
        try
        {
            for (var position = offset; position < entries.Count + DotEntries; position++)
            {
                var added = position < DotEntries
                    ? page.AddDot(position)
                    : page.Add(ToAttributes(entries[(int)position - DotEntries]), entries[(int)position - DotEntries].Name, position + 1);
                if (added == DirectoryPage.Added.Full)
                {
                    break;
                }
            }

            request.ReplyBuffer(page.Bytes);
        }
        finally
        {
            page.Return();
        }
    }

    public async ValueTask ReadDirectoryPlusAsync(FuseRequest request, ulong nodeId, ulong handle, long offset, int size)
    {
        if (handles.Directory(handle) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        var (directory, entries) = await SnapshotAsync(open, offset, request.Token);
        var attributes = await directory.GetAttributesAsync(request.Token);
        var entryValidity = EntryValidity(attributes);
        var loads = attributes.IsCacheable && inodes.Count < options.EagerNodes;
        var page = new DirectoryPage(size);
        var named = new List<ulong>();
        var isDelivered = false;
        try
        {
            for (var position = offset; position < entries.Count + DotEntries; position++)
            {
                if (position < DotEntries)
                {
                    if (page.AddDotPlus(position) == DirectoryPage.Added.Full)
                    {
                        break;
                    }

                    continue;
                }

                var entry = entries[(int)position - DotEntries];
                if (await ListedAsync(request, directory, nodeId, entry, loads, entryValidity) is not { } param)
                {
                    continue;
                }

                var added = page.AddPlus(entry.Name, param, position + 1);
                if (param.NodeId != 0)
                {
                    if (added == DirectoryPage.Added.Yes)
                    {
                        named.Add(param.NodeId);
                    }
                    else
                    {
                        Forget(param.NodeId, 1);
                    }
                }

                if (added == DirectoryPage.Added.Full)
                {
                    break;
                }
            }

            isDelivered = request.ReplyBuffer(page.Bytes);
        }
        finally
        {
            page.Return();
            if (!isDelivered)
            {
                named.ForEach(node => Forget(node, 1));
            }
        }
    }

    /// <summary>
    /// An entry with attributes if its node is loaded or may be loaded, without (node id 0) if not or if it has a problem, null when it is gone.
    /// Listing a project must not load each of its collections.
    /// </summary>
    private async ValueTask<EntryOut?> ListedAsync(
        FuseRequest request, IDirectoryNode parent, ulong parentId, DirectoryEntry entry, bool loads, (ulong Seconds, uint Nanoseconds) entryValidity)
    {
        var unknown = new EntryOut { Attributes = ToAttributes(entry) };
        if (entry.Id == 0 && !loads)
        {
            return unknown;
        }

        ulong remembered = 0;
        try
        {
            if (await parent.LookupAsync(entry.Name, request.Token) is not { } node)
            {
                return null;
            }

            remembered = inodes.Remember(node, parentId, entry.Name);
            return Entry(remembered, await node.GetAttributesAsync(request.Token), entryValidity);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Its own lookup will tell; the rest of the directory is still worth listing.
            if (remembered != 0)
            {
                Forget(remembered, 1);
            }

            return unknown;
        }
    }

    private async ValueTask<(IDirectoryNode Node, IReadOnlyList<DirectoryEntry> Entries)> SnapshotAsync(
        OpenDirectory open, long offset, CancellationToken cancellationToken)
    {
        var node = await DirectoryAsync(open.NodeId, cancellationToken);
        if (offset != 0 && open.Snapshot is { } taken)
        {
            return (node, taken);
        }

        var changes = inodes.Changes(open.NodeId);
        var entries = await node.ListAsync(cancellationToken);
        inodes.Listed(open.NodeId, changes);
        open.Snapshot = entries;
        return (node, entries);
    }

    private Attributes ToAttributes(in DirectoryEntry entry) => new()
    {
        Inode = entry.Id == 0 ? DirectoryPage.UnknownInode : inodes.NodeIdOf(entry.Id),
        Mode = TypeBits(entry.Kind),
    };
}
