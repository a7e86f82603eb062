using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary><see cref="IFileOps"/> on the nodes themselves.</summary>
public sealed class NodeFileOps(IFileSystem tree) : IFileOps
{
    /// <summary>The last name of a path.</summary>
    public static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    /// <summary>The directory that holds the last name of a path.</summary>
    public async Task<IDirectoryNode> ParentOfAsync(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash < 0 ? tree.Root : await DirectoryAsync(path[..slash]);
    }

    /// <summary>The node at a path; "" is the root.</summary>
    public async Task<INode> NodeAsync(string path)
    {
        INode node = tree.Root;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var directory = node as IDirectoryNode ?? throw new FsException(FsError.NotADirectory, $"{path}: not a directory on the way.");
            node = await directory.LookupAsync(name, CancellationToken.None) ?? throw new FsException(FsError.NotFound, $"{path} does not exist.");
        }

        return node;
    }

    /// <inheritdoc/>
    public async Task CreateFileAsync(string path) =>
        await (await ParentOfAsync(path)).CreateFileAsync(NameOf(path), CancellationToken.None);

    /// <inheritdoc/>
    public async Task CreateDirectoryAsync(string path) =>
        await (await ParentOfAsync(path)).CreateDirectoryAsync(NameOf(path), CancellationToken.None);

    /// <inheritdoc/>
    public async Task<IOpenFile> OpenAsync(string path, FileAccess access)
    {
        var node = await FileAsync(path);
        return new OpenNode(node, await node.OpenAsync(access, CancellationToken.None));
    }

    /// <inheritdoc/>
    public async Task SetSizeAsync(string path, long sizeBytes) =>
        await (await FileAsync(path)).SetSizeAsync(sizeBytes, CancellationToken.None);

    /// <inheritdoc/>
    public async Task<FileStat?> StatAsync(string path)
    {
        try
        {
            var attributes = await (await NodeAsync(path)).GetAttributesAsync(CancellationToken.None);
            return new FileStat(attributes.Kind, attributes.SizeBytes, attributes.ModifiedAt);
        }
        catch (FsException exception) when (exception.Error == FsError.NotFound)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListAsync(string path) =>
        [.. (await (await DirectoryAsync(path)).ListAsync(CancellationToken.None)).Select(entry => entry.Name)];

    /// <inheritdoc/>
    public async Task RemoveAsync(string path, NodeKind kind) =>
        await (await ParentOfAsync(path)).RemoveAsync(NameOf(path), kind, CancellationToken.None);

    /// <inheritdoc/>
    public async Task RenameAsync(string from, string to, bool mayReplace = true) =>
        await (await ParentOfAsync(from)).RenameAsync(NameOf(from), await ParentOfAsync(to), NameOf(to), mayReplace, CancellationToken.None);

    private async Task<IDirectoryNode> DirectoryAsync(string path) =>
        await NodeAsync(path) as IDirectoryNode ?? throw new FsException(FsError.NotADirectory, $"{path} is a file.");

    private async Task<IFileNode> FileAsync(string path) =>
        await NodeAsync(path) as IFileNode ?? throw new FsException(FsError.IsADirectory, $"{path} is a directory.");

    private sealed class OpenNode(IFileNode node, IFileHandle handle) : IOpenFile
    {
        public async Task<byte[]> ReadAsync(long offset, int length)
        {
            using var lease = await handle.ReadAsync(offset, length, CancellationToken.None);
            return lease.Memory.ToArray();
        }

        public async Task WriteAsync(long offset, ReadOnlyMemory<byte> data) => await handle.WriteAsync(offset, data, CancellationToken.None);

        public async Task SyncAsync() => await node.SyncAsync(CancellationToken.None);

        public async ValueTask DisposeAsync()
        {
            await handle.FlushAsync(CancellationToken.None);
            await handle.DisposeAsync();
        }
    }
}
