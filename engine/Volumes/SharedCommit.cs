using System.Diagnostics;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// Makes small writes of one volume durable together. A cycle is one <see cref="IDiskFileSystem.SyncAll"/>: before it, writes have
/// put their bytes into temporary files; it makes these durable, together with the names that the cycle before gave; then the
/// callers of those names are answered and the new files get theirs. So each write takes part in two cycles, and a cycle serves as
/// many as there are. Decision 0013. Safe for concurrent use.
/// </summary>
internal sealed class SharedCommit : IAsyncDisposable
{
    private readonly IDisk _disk;
    private readonly string _root;
    private readonly RootGuard _guard;
    private readonly SyncPace _pace;
    private readonly int _maxWaiting;
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _arrived = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<CommitItem> _waiting = [];
    private List<CommitItem> _named = [];
    private IDiskFileSystem? _fileSystem;
    private int _generation;
    private int _failures;
    private bool _isStopping;

    private SharedCommit(IDisk disk, string root, RootGuard guard, SyncPace pace, int maxWaiting, IDiskFileSystem fileSystem, bool byHand)
    {
        (_disk, _root, _guard, _pace, _maxWaiting, _fileSystem) = (disk, root, guard, pace, maxWaiting, fileSystem);
        _generation = guard.Generation;
        if (byHand)
        {
            _ended.SetResult();
        }
        else
        {
            new Thread(Loop) { IsBackground = true, Name = $"commit {root}" }.Start();
        }
    }

    /// <summary>Null when the file system cannot share. By hand: only <see cref="RunOnce"/> does anything (simulation).</summary>
    public static SharedCommit? TryStart(IDisk disk, string root, RootGuard guard, SyncPace pace, int maxWaiting, bool byHand) =>
        disk.OpenFileSystem(root) is { } fileSystem ? new SharedCommit(disk, root, guard, pace, maxWaiting, fileSystem, byHand) : null;

    /// <summary>
    /// What <see cref="CommitItem.FailuresBefore"/> must be: read it before the item's first byte is written. A sync that failed after
    /// that may have been the one that lost the bytes, and the next one would not tell.
    /// </summary>
    public int Failures => Volatile.Read(ref _failures);

    /// <summary>
    /// Waits for the item's cycles. False: somebody holds the lock of the copy that it replaces; nothing was named, the bytes are
    /// durable, and the caller names the file itself and comes again.
    /// </summary>
    /// <exception cref="DiskException">It is not durable.</exception>
    /// <exception cref="KeepException">Overloaded: too many wait.</exception>
    public Task<bool> AddAsync(CommitItem item)
    {
        lock (_lock)
        {
            if (_waiting.Count >= _maxWaiting)
            {
                throw new KeepException(KeepErrorKind.Overloaded, $"{_maxWaiting} writes already wait for {_root}; try again later.");
            }

            ObjectDisposedException.ThrowIf(_isStopping, this);
            _waiting.Add(item);
            _arrived.Set();
        }

        return item.Done;
    }

    /// <summary>One cycle; false when nothing waited.</summary>
    public bool RunOnce()
    {
        List<CommitItem> fresh;
        lock (_lock)
        {
            (fresh, _waiting) = (_waiting, []);
            _arrived.Reset();
        }

        var named = _named;
        _named = [];
        if (fresh.Count + named.Count == 0)
        {
            return false;
        }

        if (Sync() is { } failure)
        {
            Interlocked.Increment(ref _failures);
            Fail(fresh, failure);
            Fail(named, failure);
            return true;
        }

        foreach (var item in named)
        {
            item.Succeed();
        }

        foreach (var item in fresh)
        {
            Advance(item);
        }

        return true;
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _isStopping = true;
            _arrived.Set();
        }

        await _ended.Task;
        _fileSystem?.Dispose();
        _arrived.Dispose();
    }

    private void Loop()
    {
        while (true)
        {
            if (_named.Count == 0 && !Volatile.Read(ref _isStopping))
            {
                _arrived.Wait();
            }

            if (!RunOnce() && Volatile.Read(ref _isStopping))
            {
                _ended.SetResult();
                return;
            }
        }
    }

    private Exception? Sync()
    {
        try
        {
            if (_fileSystem is null || _generation != _guard.Generation)
            {
                // Mounted again: the old handle is one of the file system as it was mounted before, and what was written there is not here.
                _fileSystem?.Dispose();
                _fileSystem = null;
                _generation = _guard.Generation;
                _fileSystem = _disk.OpenFileSystem(_root);
                return new DiskException(DiskError.Other, $"{_root} was mounted again meanwhile");
            }

            var start = Stopwatch.GetTimestamp();
            _fileSystem.SyncAll();
            _pace.SharedSyncTook(Stopwatch.GetElapsedTime(start));

            // The sync was one of the opened file system; the names must be in the same one.
            _guard.Check(_generation);
            return null;
        }
        catch (Exception e)
        {
            // Whatever it is, it goes to the callers: the thread must survive.
            return e;
        }
    }

    private void Advance(CommitItem item)
    {
        if (item.FailuresBefore != _failures)
        {
            item.Fail(new DiskException(DiskError.Other, $"{_root} failed to sync while this was written"));
            return;
        }

        try
        {
            switch (item.Publish?.Invoke())
            {
                case null:
                    // A name or a time that was set before: this cycle was all it needed.
                    item.Succeed();
                    break;
                case true:
                    _named.Add(item);
                    break;
                default:
                    item.LeaveToCaller();
                    break;
            }
        }
        catch (Exception e)
        {
            item.Fail(e);
        }
    }

    private static void Fail(List<CommitItem> items, Exception failure)
    {
        foreach (var item in items)
        {
            item.Fail(failure);
        }
    }
}
