using KeepFs.Engine.Blocks;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A file or directory. The same object stands for the same node for as long as somebody holds it, so object identity is node
/// identity. Every member is safe for concurrent use and throws <see cref="FsException"/> for expected failures.
/// </summary>
public interface INode
{
    /// <summary>Unique in the file system and never reused while the process lives.</summary>
    ulong Id { get; }

    /// <summary>Attributes now; normally without any I/O.</summary>
    ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Returns when everything changed so far in the collection that holds this node is on the wanted number of keepstores and saved in
    /// the catalogue (fsync). Nothing to do for nodes outside collections.
    /// </summary>
    ValueTask SyncAsync(CancellationToken cancellationToken);

    /// <summary>Extended attributes (<c>user.*</c>) with their values in UTF-8; none unless the kind of node has some. Read-only.</summary>
    ValueTask<IReadOnlyDictionary<string, string>> GetExtendedAttributesAsync(CancellationToken cancellationToken) => new(EmptyAttributes);

    /// <summary>No extended attributes.</summary>
    internal static readonly IReadOnlyDictionary<string, string> EmptyAttributes = new Dictionary<string, string>();
}

/// <summary>One name in a directory.</summary>
/// <param name="Name">The name; no slash.</param>
/// <param name="Kind">What it names, known without loading it.</param>
/// <param name="Id">The node's id, or 0 when the node was not loaded yet; <see cref="IDirectoryNode.LookupAsync"/> loads it.</param>
public readonly record struct DirectoryEntry(string Name, NodeKind Kind, ulong Id);

/// <summary>A directory.</summary>
public interface IDirectoryNode : INode
{
    /// <summary>The node with that name, or null when there is none.</summary>
    ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken);

    /// <summary>A snapshot of the entries, sorted by the UTF-8 bytes of their names; later changes do not alter it.</summary>
    ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Creates an empty file; <see cref="FsError.AlreadyExists"/> if the name is taken.</summary>
    ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken);

    /// <summary>Creates an empty directory (in a project: a collection); <see cref="FsError.AlreadyExists"/> if the name is taken.</summary>
    ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a file (<see cref="NodeKind.File"/>, unlink) or an empty directory (<see cref="NodeKind.Directory"/>, rmdir). Handles that are
    /// open on a removed file go on working.
    /// </summary>
    ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken);

    /// <summary>
    /// Renames into <paramref name="target"/>, with POSIX rules for what may replace what; <paramref name="mayReplace"/> false answers
    /// <see cref="FsError.AlreadyExists"/> when the target name is taken.
    /// </summary>
    ValueTask RenameAsync(string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken);
}

/// <summary>A regular file.</summary>
public interface IFileNode : INode
{
    /// <summary>Opens it; access is checked here and not again. With <see cref="FileAccess.Read"/> the handle refuses writes.</summary>
    ValueTask<IFileHandle> OpenAsync(FileAccess access, CancellationToken cancellationToken);

    /// <summary>Truncates or extends with zeros.</summary>
    ValueTask SetSizeAsync(long sizeBytes, CancellationToken cancellationToken);
}

/// <summary>An open file. Calls may overlap; each read and each write is atomic for itself.</summary>
public interface IFileHandle : IAsyncDisposable
{
    /// <summary>
    /// A local file that holds exactly this file's bytes, whole and verified, and does not change while the handle is open; null when there is
    /// none. The front may let the kernel read from it directly. Owned by the handle.
    /// </summary>
    SafeFileHandle? Backing => null;

    /// <summary>
    /// Reads exactly <c>min(length, size - offset)</c> bytes (none at or past the end). The lease keeps them in memory until disposed.
    /// </summary>
    ValueTask<BlockLease> ReadAsync(long offset, int length, CancellationToken cancellationToken);

    /// <summary>Writes all bytes, extending with zeros if the offset lies past the end. Waits when the budget for unsaved data is spent.</summary>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a range of this file show the same stored data as a range of another one, without moving bytes. Returns how many: fewer than asked for at the end of
    /// the source or where its data is not stored yet.
    /// </summary>
    /// <exception cref="FsException"><see cref="FsError.NotSupported"/>: nothing of it can be shared; copy the bytes.</exception>
    ValueTask<long> ShareFromAsync(IFileHandle source, long sourceOffset, long offset, long length, CancellationToken cancellationToken) =>
        throw new FsException(FsError.NotSupported, "Only files of collections can share their data.");

    /// <summary>
    /// Called for each close() of a descriptor. Reports a failure of earlier background work on this file; whether the data is saved when
    /// it returns is the file system's policy (mount.md section 6, spec decision 20).
    /// </summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
