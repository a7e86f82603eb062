using System.ComponentModel;
using System.Runtime.InteropServices;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>
/// <see cref="IFileOps"/> by system calls on a path, so by the kernel on whatever is mounted there. The file system must live in another
/// process: calls block. The errno of a failure becomes the error that it stands for.
/// </summary>
public sealed unsafe partial class PathFileOps(string root) : IFileOps
{
    private const string Library = "libc";
    private const int ReadOnly = 0;
    private const int WriteOnly = 1;
    private const int ReadWrite = 2;
    private const int CreateNew = 0x40 | 0x80;
    private const int CloseOnExec = 0x80000;
    private const int AtCurrentDirectory = -100;
    private const uint NoReplace = 1;

    /// <inheritdoc/>
    public Task CreateFileAsync(string path)
    {
        _ = Close(Check(Open(Full(path), WriteOnly | CreateNew | CloseOnExec, 0x1B6), path));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CreateDirectoryAsync(string path)
    {
        Check(MkDir(Full(path), 0x1FF), path);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<IOpenFile> OpenAsync(string path, FileAccess access)
    {
        var flags = access switch { FileAccess.Read => ReadOnly, FileAccess.Write => WriteOnly, _ => ReadWrite };
        return Task.FromResult<IOpenFile>(new Descriptor(Check(Open(Full(path), flags | CloseOnExec, 0), path)));
    }

    /// <inheritdoc/>
    public Task SetSizeAsync(string path, long sizeBytes)
    {
        Check(Truncate(Full(path), sizeBytes), path);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<FileStat?> StatAsync(string path)
    {
        var full = Full(path);
        FileStat? stat = File.Exists(full) ? new FileStat(NodeKind.File, new FileInfo(full).Length, File.GetLastWriteTimeUtc(full))
            : Directory.Exists(full) ? new FileStat(NodeKind.Directory, 0, Directory.GetLastWriteTimeUtc(full))
            : null;
        return Task.FromResult(stat);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> ListAsync(string path)
    {
        // Opened first for the errno, which .NET would hide.
        _ = Close(Check(Open(Full(path), 0x10000 | CloseOnExec, 0), path));
        return Task.FromResult<IReadOnlyList<string>>([.. Directory.EnumerateFileSystemEntries(Full(path)).Select(entry => Path.GetFileName(entry))]);
    }

    /// <inheritdoc/>
    public Task RemoveAsync(string path, NodeKind kind)
    {
        Check(kind == NodeKind.File ? Unlink(Full(path)) : RmDir(Full(path)), path);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task RenameAsync(string from, string to, bool mayReplace = true)
    {
        Check(RenameAt2(AtCurrentDirectory, Full(from), AtCurrentDirectory, Full(to), mayReplace ? 0 : NoReplace), from);
        return Task.CompletedTask;
    }

    /// <summary>The path as the kernel knows it.</summary>
    public string Full(string path) => path.Length == 0 ? root : $"{root}/{path}";

    private static int Check(int result, string path)
    {
        if (result >= 0)
        {
            return result;
        }

        var errno = Marshal.GetLastPInvokeError();
        throw new FsException(ErrorOf(errno), $"{path}: {Marshal.GetPInvokeErrorMessage(errno)}", new Win32Exception(errno));
    }

    private static FsError ErrorOf(int errno) => errno switch
    {
        1 => FsError.NotPermitted,
        2 => FsError.NotFound,
        13 => FsError.Unauthorized,
        17 => FsError.AlreadyExists,
        18 => FsError.CrossDevice,
        20 => FsError.NotADirectory,
        21 => FsError.IsADirectory,
        22 => FsError.InvalidArgument,
        27 => FsError.TooLarge,
        28 => FsError.NoSpace,
        30 => FsError.ReadOnly,
        36 => FsError.NameTooLong,
        39 => FsError.NotEmpty,
        95 => FsError.NotSupported,
        116 => FsError.Stale,
        _ => FsError.InputOutput,
    };

    [LibraryImport(Library, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "mkdir", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int MkDir(string path, uint mode);

    [LibraryImport(Library, EntryPoint = "rmdir", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int RmDir(string path);

    [LibraryImport(Library, EntryPoint = "unlink", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Unlink(string path);

    [LibraryImport(Library, EntryPoint = "truncate", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Truncate(string path, long size);

    [LibraryImport(Library, EntryPoint = "renameat2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int RenameAt2(int fromDirectory, string from, int toDirectory, string to, uint flags);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    private static partial nint PRead(int descriptor, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    private static partial nint PWrite(int descriptor, byte* buffer, nuint count, long offset);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    private sealed class Descriptor(int descriptor) : IOpenFile
    {
        public Task<byte[]> ReadAsync(long offset, int length)
        {
            var buffer = new byte[length];
            var total = 0;
            fixed (byte* pointer = buffer)
            {
                while (total < length)
                {
                    var count = Check((int)PRead(descriptor, pointer + total, (nuint)(length - total), offset + total), "read");
                    if (count == 0)
                    {
                        break;
                    }

                    total += count;
                }
            }

            return Task.FromResult(buffer[..total]);
        }

        public Task WriteAsync(long offset, ReadOnlyMemory<byte> data)
        {
            using var pin = data.Pin();
            for (var total = 0; total < data.Length;)
            {
                total += Check((int)PWrite(descriptor, (byte*)pin.Pointer + total, (nuint)(data.Length - total), offset + total), "write");
            }

            return Task.CompletedTask;
        }

        public Task SyncAsync()
        {
            Check(FSync(descriptor), "fsync");
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            Check(Close(descriptor), "close");
            return ValueTask.CompletedTask;
        }
    }
}
