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
internal sealed partial class KeepFuse(
    IFileSystem tree, FuseMountOptions options, InodeTable inodes, HandleTable handles, PassthroughTable passthrough, KernelNotifier notifier)
{
    private readonly uint _userId = LibC.GetUserId();
    private readonly uint _groupId = LibC.GetGroupId();

    public FuseCounters Counters => options.Counters;

    public void Forget(ulong nodeId, ulong lookups) => inodes.Forget(nodeId, lookups);

    /// <summary>
    /// The node that the kernel means. One that only a process before this one knew is found by the names that led to it; ESTALE when they
    /// do not any more.
    /// </summary>
    private ValueTask<INode> NodeAsync(ulong nodeId, CancellationToken cancellationToken) =>
        inodes.TryGet(nodeId, out var node) ? new(node) : WakeAsync(nodeId, cancellationToken);

    private async ValueTask<IDirectoryNode> DirectoryAsync(ulong nodeId, CancellationToken cancellationToken) =>
        await NodeAsync(nodeId, cancellationToken) as IDirectoryNode ?? throw new FsException(FsError.NotADirectory, "Not a directory.");

    private async ValueTask<IFileNode> FileAsync(ulong nodeId, CancellationToken cancellationToken) =>
        await NodeAsync(nodeId, cancellationToken) as IFileNode ?? throw new FsException(FsError.IsADirectory, "Is a directory.");

    private async ValueTask<INode> WakeAsync(ulong nodeId, CancellationToken cancellationToken)
    {
        if (inodes.TryGetDormant(nodeId, out var parentId, out var name))
        {
            var parent = await DirectoryAsync(parentId, cancellationToken);
            var found = await parent.LookupAsync(name, cancellationToken)
                ?? throw new FsException(FsError.Stale, $"\"{name}\" is gone since another process served this mount.");
            inodes.Wake(nodeId, found);
        }

        return inodes.TryGetWoken(nodeId, out var node)
            ? node
            : throw new FsException(FsError.Stale, $"The kernel asked for node {nodeId}, which it does not hold or whose name is gone.");
    }
}
