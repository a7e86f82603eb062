using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>
/// The operations: each turns numbers of the kernel into nodes and handles, asks the tree and answers the request. Errors are thrown
/// and become an errno in <see cref="FuseRequest.Run(ValueTask)"/>.
/// </summary>
/// <remarks>
/// An answer that names a node is given in the order remember, read attributes, answer: a change that is announced in between then finds
/// the node in the table, and <see cref="KernelNotifier"/> repeats itself until the kernel knows the node or never will.
/// </remarks>
internal sealed partial class KeepFuse
{
    private readonly IFileSystem _tree;
    private readonly FuseMountOptions _options;
    private readonly KernelNotifier _notifier;
    private readonly uint _userId = LibC.GetUserId();
    private readonly uint _groupId = LibC.GetGroupId();

    public KeepFuse(IFileSystem tree, FuseMountOptions options, InodeTable inodes, HandleTable handles, KernelNotifier notifier)
    {
        (_tree, _options, Inodes, Handles, _notifier) = (tree, options, inodes, handles, notifier);
    }

    public InodeTable Inodes { get; }

    public HandleTable Handles { get; }

    public FuseCounters Counters => _options.Counters;

    public void Forget(ulong nodeId, ulong lookups) => Inodes.Forget(nodeId, lookups);

    private INode Node(ulong nodeId) =>
        Inodes.TryGet(nodeId, out var node)
            ? node
            : throw new FsException(FsError.NotFound, $"The kernel asked for node {nodeId}, which it does not hold.");

    private IDirectoryNode Directory(ulong nodeId) =>
        Node(nodeId) as IDirectoryNode ?? throw new FsException(FsError.NotADirectory, "Not a directory.");

    private IFileNode File(ulong nodeId) =>
        Node(nodeId) as IFileNode ?? throw new FsException(FsError.IsADirectory, "Is a directory.");
}
