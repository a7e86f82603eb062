using System.Collections.Concurrent;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Fuse.Inodes;

/// <summary>What an open file or directory of the kernel means, by the number that open answered. Safe for concurrent use.</summary>
internal sealed class HandleTable
{
    private readonly ConcurrentDictionary<ulong, OpenFile> _files = new();
    private readonly ConcurrentDictionary<ulong, OpenDirectory> _directories = new();
    private ulong _last;

    public int Count => _files.Count + _directories.Count;

    public ulong Add(OpenFile file)
    {
        var handle = Interlocked.Increment(ref _last);
        _files[handle] = file;
        return handle;
    }

    public ulong Add(OpenDirectory directory)
    {
        var handle = Interlocked.Increment(ref _last);
        _directories[handle] = directory;
        return handle;
    }

    public OpenFile? File(ulong handle) => _files.GetValueOrDefault(handle);

    public OpenDirectory? Directory(ulong handle) => _directories.GetValueOrDefault(handle);

    public OpenFile? RemoveFile(ulong handle) => _files.TryRemove(handle, out var file) ? file : null;

    public void RemoveDirectory(ulong handle) => _directories.TryRemove(handle, out _);

    /// <summary>Takes every open file out, for closing what the kernel cannot release any more after it was cut off.</summary>
    public IReadOnlyList<OpenFile> RemoveAllFiles() => [.. _files.Keys.Select(RemoveFile).OfType<OpenFile>()];
}

/// <summary>An open file.</summary>
internal sealed record OpenFile(IFileNode Node, IFileHandle Handle);

/// <summary>An open directory; the snapshot is taken by the read at offset 0, so rewinddir(3) sees changes and paging does not.</summary>
internal sealed class OpenDirectory(IDirectoryNode node)
{
    private volatile IReadOnlyList<DirectoryEntry>? _snapshot;

    public IDirectoryNode Node { get; } = node;

    public IReadOnlyList<DirectoryEntry>? Snapshot
    {
        get => _snapshot;
        set => _snapshot = value;
    }
}
