using System.Collections.Concurrent;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Takeover;

namespace KeepFs.Fuse.Inodes;

/// <summary>What an open file or directory of the kernel means, by the number that open answered. Safe for concurrent use.</summary>
internal sealed class HandleTable
{
    private readonly ConcurrentDictionary<ulong, OpenFile> _files = new();
    private readonly ConcurrentDictionary<ulong, OpenDirectory> _directories = new();
    private readonly ConcurrentDictionary<ulong, AdoptedFile> _adopted = new();
    private readonly IStateLog _log;
    private ulong _last;

    public HandleTable()
        : this(MountState.Fresh, NoStateLog.Instance)
    {
    }

    /// <summary>The table of a process that takes over, or that may be taken over from.</summary>
    public HandleTable(MountState state, IStateLog log)
    {
        (_last, _log) = (state.FirstNumber, log);
        foreach (var (handle, open) in state.Handles)
        {
            if (open.IsDirectory)
            {
                _directories[handle] = new OpenDirectory(open.NodeId);
            }
            else
            {
                _adopted[handle] = new AdoptedFile(open);
            }
        }
    }

    public int Count => _files.Count + _directories.Count + _adopted.Count;

    /// <summary>Handles of processes before this one that were not opened again yet.</summary>
    public IReadOnlyList<ulong> Adopted => [.. _adopted.Keys];

    public ulong Add(OpenFile file, int flags)
    {
        var handle = Interlocked.Increment(ref _last);
        _files[handle] = file;
        _log.Opened(handle, new StateHandle(file.NodeId, flags, file.BackingId));
        return handle;
    }

    public ulong Add(OpenDirectory directory)
    {
        var handle = Interlocked.Increment(ref _last);
        _directories[handle] = directory;
        _log.Opened(handle, new StateHandle(directory.NodeId, StateHandle.DirectoryFlags, 0));
        return handle;
    }

    public OpenFile? File(ulong handle) => _files.GetValueOrDefault(handle);

    /// <summary>A handle to be opened again before it is used.</summary>
    public AdoptedFile? AdoptedFile(ulong handle) => _adopted.GetValueOrDefault(handle);

    /// <summary>It was opened again; false when it was closed in the meantime.</summary>
    public bool Reopened(ulong handle, OpenFile file)
    {
        _files[handle] = file;
        if (_adopted.TryRemove(handle, out _))
        {
            return true;
        }

        _files.TryRemove(handle, out _);
        return false;
    }

    public OpenDirectory? Directory(ulong handle) => _directories.GetValueOrDefault(handle);

    /// <summary>Takes it out; what is to be closed, if it was opened in this process, and how the kernel has it.</summary>
    public (OpenFile? File, StateHandle? State) RemoveFile(ulong handle)
    {
        var isAdopted = _adopted.TryRemove(handle, out var adopted);
        if (_files.TryRemove(handle, out var file) || isAdopted)
        {
            _log.Closed(handle);
        }

        return (file, file is not null ? new StateHandle(file.NodeId, 0, file.BackingId) : adopted?.State);
    }

    public void RemoveDirectory(ulong handle)
    {
        if (_directories.TryRemove(handle, out _))
        {
            _log.Closed(handle);
        }
    }

    /// <summary>Takes every open file out, for closing what the kernel cannot release any more; nothing is logged, as another process may go on.</summary>
    public IReadOnlyList<OpenFile> RemoveAllFiles() =>
        [.. _files.Keys.Select(handle => _files.TryRemove(handle, out var file) ? file : null).OfType<OpenFile>()];
}

/// <summary>An open file.</summary>
/// <param name="NodeId">Its number at the kernel.</param>
/// <param name="Node">Its node.</param>
/// <param name="Handle">The open handle of the tree.</param>
/// <param name="BackingId">As in <see cref="StateHandle"/>.</param>
internal sealed record OpenFile(ulong NodeId, IFileNode Node, IFileHandle Handle, int BackingId);

/// <summary>A file that a process before this one opened; opened again once, by whoever needs it first.</summary>
internal sealed class AdoptedFile(StateHandle state)
{
    private readonly Lock _lock = new();
    private Task<OpenFile?>? _reopening;

    public StateHandle State { get; } = state;

    /// <summary>One attempt at a time; a failed one is followed by another when somebody asks again.</summary>
    public Task<OpenFile?> ReopenAsync(Func<Task<OpenFile?>> reopen)
    {
        lock (_lock)
        {
            return _reopening is { IsFaulted: false, IsCanceled: false } ? _reopening : _reopening = reopen();
        }
    }
}

/// <summary>An open directory; the snapshot is taken by the read at offset 0, so rewinddir(3) sees changes and paging does not.</summary>
internal sealed class OpenDirectory(ulong nodeId)
{
    private volatile IReadOnlyList<DirectoryEntry>? _snapshot;

    public ulong NodeId { get; } = nodeId;

    public IReadOnlyList<DirectoryEntry>? Snapshot
    {
        get => _snapshot;
        set => _snapshot = value;
    }
}
