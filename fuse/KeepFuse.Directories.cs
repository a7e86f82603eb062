using System.Buffers;
using System.Text;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>Listing directories. Offsets count entries: 0 is ".", 1 is "..", 2 the first of the snapshot; each entry carries the next one.</summary>
internal sealed partial class KeepFuse
{
    private const int DotEntries = 2;

    // The kernel fails a whole listing over a longer name (FUSE_NAME_MAX).
    private const int MaxListedNameBytes = 1024;

    // d_ino of a node that nobody has loaded; 0 would make the C library skip the entry.
    private const ulong UnknownInode = 0xFFFFFFFF;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public async ValueTask OpenDirectoryAsync(FuseRequest request, ulong nodeId, FuseFileInfo info)
    {
        var node = Directory(nodeId);
        var attributes = await node.GetAttributesAsync(request.Token);
        info.Handle = Handles.Add(new OpenDirectory(node));
        if (attributes.IsCacheable)
        {
            // What the kernel kept is only good if nothing was announced since it was listed.
            info.Bits = FuseFileInfo.CacheReaddir | (Inodes.IsListingCurrent(nodeId) ? FuseFileInfo.KeepCache : 0);
        }

        if (!request.ReplyOpen(info))
        {
            Handles.RemoveDirectory(info.Handle);
        }
    }

    public ValueTask ReleaseDirectoryAsync(FuseRequest request, ulong handle)
    {
        Handles.RemoveDirectory(handle);
        request.ReplyError(Errno.Ok);
        return ValueTask.CompletedTask;
    }

    public async ValueTask ReadDirectoryAsync(FuseRequest request, ulong handle, long offset, int size)
    {
        if (Handles.Directory(handle) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        var entries = await SnapshotAsync(open, offset, request.Token);
        var page = new Page(size);
        try
        {
            for (var position = offset; position < entries.Count + DotEntries; position++)
            {
                var added = position < DotEntries
                    ? page.AddDot(request, position)
                    : page.Add(request, ToStat(entries[(int)position - DotEntries]), entries[(int)position - DotEntries].Name, position + 1);
                if (added == Added.Full)
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
        if (Handles.Directory(handle) is not { } open)
        {
            request.ReplyError(Errno.EBADF);
            return;
        }

        var entries = await SnapshotAsync(open, offset, request.Token);
        var entryTimeoutSeconds = TimeoutSeconds(await open.Node.GetAttributesAsync(request.Token));
        var page = new Page(size);
        var named = new List<ulong>();
        var isDelivered = false;
        try
        {
            for (var position = offset; position < entries.Count + DotEntries; position++)
            {
                if (position < DotEntries)
                {
                    if (page.AddDotPlus(request, position) == Added.Full)
                    {
                        break;
                    }

                    continue;
                }

                var entry = entries[(int)position - DotEntries];
                if (await ListedAsync(request, open.Node, nodeId, entry, entryTimeoutSeconds) is not { } param)
                {
                    continue;
                }

                var added = page.AddPlus(request, entry.Name, param, position + 1);
                if (param.NodeId != 0)
                {
                    if (added == Added.Yes)
                    {
                        named.Add(param.NodeId);
                    }
                    else
                    {
                        Forget(param.NodeId, 1);
                    }
                }

                if (added == Added.Full)
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
    /// An entry with attributes if its node is loaded, without (node id 0) if not or if it has a problem, null when it is gone. Listing a
    /// project must not load each of its collections.
    /// </summary>
    private async ValueTask<FuseEntryParam?> ListedAsync(
        FuseRequest request, IDirectoryNode parent, ulong parentId, DirectoryEntry entry, double entryTimeoutSeconds)
    {
        var unknown = new FuseEntryParam { Attributes = ToStat(entry) };
        if (entry.Id == 0)
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

            remembered = Inodes.Remember(node, parentId, entry.Name);
            return Entry(remembered, await node.GetAttributesAsync(request.Token), entryTimeoutSeconds);
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

    private async ValueTask<IReadOnlyList<DirectoryEntry>> SnapshotAsync(OpenDirectory open, long offset, CancellationToken cancellationToken)
    {
        if (offset != 0 && open.Snapshot is { } taken)
        {
            return taken;
        }

        var nodeId = Inodes.NodeIdOf(open.Node);
        var changes = Inodes.Changes(nodeId);
        var entries = await open.Node.ListAsync(cancellationToken);
        Inodes.Listed(nodeId, changes);
        open.Snapshot = entries;
        return entries;
    }

    private NativeStat ToStat(in DirectoryEntry entry) => new()
    {
        Inode = entry.Id == 0 ? UnknownInode : Inodes.NodeIdOf(entry.Id),
        Mode = TypeBits(entry.Kind),
    };

    /// <summary>What became of an entry: in the page, left out because the kernel cannot be told its name, or for the next page.</summary>
    private enum Added
    {
        Yes,
        Skipped,
        Full,
    }

    /// <summary>One answer to readdir in the making, in a rented buffer.</summary>
    private sealed class Page(int size)
    {
        private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(size);
        private int _used;

        public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _used);

        private Span<byte> Rest => _buffer.AsSpan(_used, size - _used);

        public Added AddDot(FuseRequest request, long position) =>
            Take(request.AddEntry(Rest, Dots(position), Dot.Attributes, position + 1));

        public Added AddDotPlus(FuseRequest request, long position) =>
            Take(request.AddEntryPlus(Rest, Dots(position), Dot, position + 1));

        public Added Add(FuseRequest request, in NativeStat attributes, string text, long nextOffset)
        {
            Span<byte> name = stackalloc byte[MaxListedNameBytes + 1];
            return TryEncode(text, name, out var length)
                ? Take(request.AddEntry(Rest, name[..length], attributes, nextOffset))
                : Added.Skipped;
        }

        public Added AddPlus(FuseRequest request, string text, in FuseEntryParam entry, long nextOffset)
        {
            Span<byte> name = stackalloc byte[MaxListedNameBytes + 1];
            return TryEncode(text, name, out var length)
                ? Take(request.AddEntryPlus(Rest, name[..length], entry, nextOffset))
                : Added.Skipped;
        }

        public void Return() => ArrayPool<byte>.Shared.Return(_buffer);

        private static FuseEntryParam Dot => new() { Attributes = { Inode = UnknownInode, Mode = OpenFlags.ModeDirectory } };

        private static ReadOnlySpan<byte> Dots(long position) => position == 0 ? ".\0"u8 : "..\0"u8;

        private Added Take(int needed)
        {
            if (needed > size - _used)
            {
                return Added.Full;
            }

            _used += needed;
            return Added.Yes;
        }

        /// <summary>False for a name that the kernel cannot be told: too long, or half of a surrogate pair.</summary>
        private static bool TryEncode(string name, Span<byte> destination, out int lengthWithNul)
        {
            lengthWithNul = 0;
            if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
            {
                return false;
            }

            try
            {
                if (!StrictUtf8.TryGetBytes(name, destination[..^1], out var written))
                {
                    return false;
                }

                destination[written] = 0;
                lengthWithNul = written + 1;
                return true;
            }
            catch (EncoderFallbackException)
            {
                return false;
            }
        }
    }
}
