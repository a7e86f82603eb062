using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>Attributes (mount.md section 4), totals, fsync.</summary>
internal sealed partial class KeepFuse
{
    // mount.md section 4.
    private const uint BlockSizeBytes = 512;
    private const uint TotalsBlockBytes = 131072;
    private const uint MaxNameBytes = 255;
    private const uint AnyoneMayRead = 0b100_100_100;
    private const uint AnyoneMayExecute = 0b001_001_001;
    private const uint AnyoneMayWrite = 0b010_010_010;

    public async ValueTask GetAttributesAsync(FuseRequest request, ulong nodeId)
    {
        var node = await NodeAsync(nodeId, request.Token);
        ReplyAttributes(request, nodeId, await node.GetAttributesAsync(request.Token));
    }

    /// <summary>Only the size is honoured; modes, owners and times are accepted without effect, because a manifest cannot hold them.</summary>
    public async ValueTask SetAttributesAsync(FuseRequest request, ulong nodeId, long? sizeBytes)
    {
        var node = await NodeAsync(nodeId, request.Token);
        if (sizeBytes is { } size)
        {
            await (await FileAsync(nodeId, request.Token)).SetSizeAsync(size, request.Token);
        }

        ReplyAttributes(request, nodeId, await node.GetAttributesAsync(request.Token));
    }

    public async ValueTask SyncAsync(FuseRequest request, ulong nodeId)
    {
        await (await NodeAsync(nodeId, request.Token)).SyncAsync(request.Token);
        request.ReplyError(Errno.Ok);
    }

    public async ValueTask StatFsAsync(FuseRequest request)
    {
        var totals = await tree.GetTotalsAsync(request.Token);
        var free = (ulong)Math.Max(0, totals.FreeBytes) / TotalsBlockBytes;
        request.Reply(new TotalsOut
        {
            BlockSize = TotalsBlockBytes,
            FragmentSize = TotalsBlockBytes,
            Blocks = (ulong)Math.Max(0, totals.TotalBytes) / TotalsBlockBytes,
            BlocksFree = free,
            BlocksAvailable = free,
            NameMax = MaxNameBytes,
        });
    }

    private void ReplyAttributes(FuseRequest request, ulong nodeId, in NodeAttributes attributes)
    {
        var (seconds, nanoseconds) = Validity(attributes);
        request.Reply(new AttributesOut { ValidSeconds = seconds, ValidNanoseconds = nanoseconds, Attributes = ToAttributes(nodeId, attributes) });
    }

    /// <summary>How long the kernel may keep the attributes of a node.</summary>
    private (ulong Seconds, uint Nanoseconds) Validity(in NodeAttributes attributes) =>
        Split(attributes.IsCacheable ? options.CacheTimeout : TimeSpan.Zero);

    /// <summary>How long it may believe a name that it found in a directory.</summary>
    private (ulong Seconds, uint Nanoseconds) EntryValidity(in NodeAttributes directory) =>
        Split(directory.IsCacheable ? options.CacheTimeout : options.UncachedEntryTimeout);

    private static (ulong Seconds, uint Nanoseconds) Split(TimeSpan timeout) =>
        ((ulong)timeout.Ticks / TimeSpan.TicksPerSecond, (uint)(timeout.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick));

    private Attributes ToAttributes(ulong nodeId, in NodeAttributes attributes)
    {
        var sinceEpoch = attributes.ModifiedAt.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        var seconds = Math.DivRem(sinceEpoch, TimeSpan.TicksPerSecond, out var ticks);
        if (ticks < 0)
        {
            (seconds, ticks) = (seconds - 1, ticks + TimeSpan.TicksPerSecond);
        }

        var nanoseconds = (uint)(ticks * TimeSpan.NanosecondsPerTick);
        return new Attributes
        {
            Inode = nodeId,
            LinkCount = 1,
            Mode = Mode(attributes),
            UserId = _userId,
            GroupId = _groupId,
            Size = (ulong)attributes.SizeBytes,
            BlockSize = BlockSizeBytes,
            Blocks = ((ulong)attributes.SizeBytes / BlockSizeBytes) + 1,
            AccessSeconds = (ulong)seconds,
            AccessNanoseconds = nanoseconds,
            ModifySeconds = (ulong)seconds,
            ModifyNanoseconds = nanoseconds,
            ChangeSeconds = (ulong)seconds,
            ChangeNanoseconds = nanoseconds,
        };
    }

    private static uint Mode(in NodeAttributes attributes)
    {
        // What is generated on reading is nothing to execute; files of collections may be.
        var isGenerated = attributes is { Kind: NodeKind.File, IsCacheable: false, IsWritable: false };
        return TypeBits(attributes.Kind)
            | AnyoneMayRead
            | (isGenerated ? 0 : AnyoneMayExecute)
            | (attributes.IsWritable ? AnyoneMayWrite : 0);
    }

    private static uint TypeBits(NodeKind kind) => kind == NodeKind.Directory ? OpenFlags.ModeDirectory : OpenFlags.ModeRegular;
}
