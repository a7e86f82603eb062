using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>
/// What <see cref="FileSystemContract"/> does to a file system, whatever lies between: the tree itself, or a path and the kernel. Paths
/// are relative to the root with "/" between names; failures are <see cref="FsException"/> with the error that the seam documents.
/// </summary>
public interface IFileOps
{
    /// <summary>Creates an empty file that must not exist.</summary>
    Task CreateFileAsync(string path);

    /// <summary>Creates an empty directory that must not exist.</summary>
    Task CreateDirectoryAsync(string path);

    /// <summary>Opens an existing file.</summary>
    Task<IOpenFile> OpenAsync(string path, FileAccess access);

    /// <summary>Truncates or extends.</summary>
    Task SetSizeAsync(string path, long sizeBytes);

    /// <summary>Kind, size and time, or null if there is nothing of that name.</summary>
    Task<FileStat?> StatAsync(string path);

    /// <summary>Names in a directory without "." and "..", in any order.</summary>
    Task<IReadOnlyList<string>> ListAsync(string path);

    /// <summary>unlink or rmdir.</summary>
    Task RemoveAsync(string path, NodeKind kind);

    /// <summary>Renames.</summary>
    Task RenameAsync(string from, string to, bool mayReplace = true);
}

/// <summary>An open file; calls may overlap.</summary>
public interface IOpenFile : IAsyncDisposable
{
    /// <summary>Reads until the length or the end of the file is reached.</summary>
    Task<byte[]> ReadAsync(long offset, int length);

    /// <summary>Writes all.</summary>
    Task WriteAsync(long offset, ReadOnlyMemory<byte> data);

    /// <summary>fsync.</summary>
    Task SyncAsync();
}

/// <summary>What the contract compares.</summary>
/// <param name="Kind">File or directory.</param>
/// <param name="SizeBytes">Size; 0 for directories.</param>
/// <param name="ModifiedAt">Last change.</param>
public sealed record FileStat(NodeKind Kind, long SizeBytes, DateTimeOffset ModifiedAt);
