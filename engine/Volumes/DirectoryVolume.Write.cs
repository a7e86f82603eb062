using System.Diagnostics;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

public sealed partial class DirectoryVolume
{
    // For each three-digit directory, one more than the generation of the root in which its own name was synced: 0 = not since this
    // process started. Whoever created it may not have got that far, so existing directories are synced once too.
    private readonly int[] _durableDirectories = new int[1 << (4 * DirectoryLayout.DirectoryNameLength)];

    /// <inheritdoc/>
    public async ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var isLarge = data.Length > _shareUpToBytes;
        _pace.Enter(isLarge);
        try
        {
            if (await RunAsync(() => Write(hash, data.Span, isLarge, cancellationToken), cancellationToken) is { } shared)
            {
                await FinishAsync(hash, shared, cancellationToken);
            }
        }
        finally
        {
            _pace.Leave(isLarge);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        _pace.Enter(isLarge: false);
        try
        {
            var (found, shared) = await RunAsync(() => Touch(hash), cancellationToken);
            if (shared is not null)
            {
                await WaitAsync(shared);
            }

            return found;
        }
        finally
        {
            _pace.Leave(isLarge: false);
        }
    }

    /// <summary>Does everything, or all up to the bytes of what then shares its syncs.</summary>
    private SharedWrite? Write(BlockHash hash, ReadOnlySpan<byte> data, bool isLarge, CancellationToken cancellationToken)
    {
        var generation = _root.Check();
        if (_full.IsFull())
        {
            throw new KeepException(KeepErrorKind.Full, $"Volume {DeviceId} is full.");
        }

        var temporary = _layout.NewTemporary(hash);
        var failures = _commit?.Failures ?? 0;
        try
        {
            var shares = WriteTemporary(temporary, hash, data, isLarge);
            cancellationToken.ThrowIfCancellationRequested();
            if (shares)
            {
                return new SharedWrite(temporary, generation, failures, ShareAsync(failures, () => TryPublish(temporary, hash)));
            }

            Publish(temporary, hash);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }

        MakeNameDurable(hash, generation);
        return null;
    }

    /// <summary>Waits for a shared write. When its old copy is locked, the name is given on a thread that may wait for the lock.</summary>
    private async Task FinishAsync(BlockHash hash, SharedWrite write, CancellationToken cancellationToken)
    {
        var isNamed = false;
        try
        {
            if (!await WaitAsync(write.Item))
            {
                await RunAsync(() => Publish(write.Temporary, hash), cancellationToken);
                isNamed = true;
                await WaitAsync(ShareAsync(write.Failures, publish: null));
            }
        }
        catch when (!isNamed)
        {
            // It may have its name already; then this deletes nothing.
            await RunAsync(() => TryDelete(write.Temporary), CancellationToken.None);
            throw;
        }

        Volatile.Write(ref _durableDirectories[NumberOf(hash)], write.Generation + 1);
    }

    private Task<bool> ShareAsync(int failuresBefore, Func<bool>? publish) => _commit!.AddAsync(new CommitItem(failuresBefore, publish, _isSimulation));

    /// <summary>True when the bytes are left to a shared sync.</summary>
    private bool WriteTemporary(string path, BlockHash hash, ReadOnlySpan<byte> data, bool isLarge)
    {
        using var file = CreateTemporary(path, hash);
        if (isLarge && _writesDirectly)
        {
            file.WriteDirect(data);
        }
        else
        {
            file.Write(data, 0);
        }

        _disk.SetTimes(path, _trash.NowNanoseconds);
        if (!isLarge && _commit is not null && _pace.ShouldShare())
        {
            return true;
        }

        var start = Stopwatch.GetTimestamp();
        file.Sync();
        if (!isLarge)
        {
            _pace.OwnSyncTook(Stopwatch.GetElapsedTime(start));
        }

        return false;
    }

    private IDiskFile CreateTemporary(string path, BlockHash hash)
    {
        if (IsDurable(hash))
        {
            try
            {
                return _disk.Open(path, DiskAccess.CreateNew);
            }
            catch (DiskException e) when (e.Error == DiskError.NotFound)
            {
                // Somebody has removed the directory.
                Volatile.Write(ref _durableDirectories[NumberOf(hash)], 0);
            }
        }

        _disk.CreateDirectory(_layout.DirectoryOf(hash));
        return _disk.Open(path, DiskAccess.CreateNew);
    }

    private (bool Found, Task<bool>? Shared) Touch(BlockHash hash)
    {
        var failures = _commit?.Failures ?? 0;
        using var file = TryOpen(hash, DiskAccess.Append);
        if (file is null)
        {
            return (false, null);
        }

        var generation = _root.Check();
        file.Lock();
        try
        {
            // By path, not by handle: trash may have moved the file while we waited for the lock, and this step must then fail.
            _disk.SetTimes(_layout.Block(hash), _trash.NowNanoseconds);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return (false, null);
        }

        // A touch answers a PUT, so it promises what a write promises, also for a copy that another process has just put there.
        // The lock need not be held meanwhile: from here on trash sees the new time.
        if (_commit is not null && _pace.ShouldShare())
        {
            return (true, ShareAsync(failures, publish: null));
        }

        file.Sync();
        MakeNameDurable(hash, generation);
        return (true, null);
    }

    /// <summary>
    /// Gives a durable file its name. Trash that already decided about the old copy must not carry off the new one: it holds the old
    /// one's lock until it has moved the name, and whoever gets that lock later looks at the name again.
    /// </summary>
    private void Publish(string temporary, BlockHash hash)
    {
        if (!TryPublishNew(temporary, hash))
        {
            using var replaced = LockCopy(hash);
            _disk.Rename(temporary, _layout.Block(hash));
        }
    }

    /// <summary>The same for a thread that must not wait; false when the copy to replace is locked.</summary>
    private bool TryPublish(string temporary, BlockHash hash)
    {
        if (TryPublishNew(temporary, hash))
        {
            return true;
        }

        using var replaced = TryOpen(hash, DiskAccess.Read);
        if (replaced is not null && !replaced.TryLock())
        {
            return false;
        }

        _disk.Rename(temporary, _layout.Block(hash));
        return true;
    }

    /// <summary>Most blocks are new; then there is no copy whose lock anybody could hold.</summary>
    private bool TryPublishNew(string temporary, BlockHash hash)
    {
        try
        {
            _disk.RenameToNew(temporary, _layout.Block(hash));
            return true;
        }
        catch (DiskException e) when (e.Error == DiskError.Exists)
        {
            return false;
        }
    }

    private IDiskFile? LockCopy(BlockHash hash)
    {
        var file = TryOpen(hash, DiskAccess.Read);
        try
        {
            file?.Lock();
            return file;
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    private void MakeNameDurable(BlockHash hash, int generation)
    {
        _disk.SyncDirectory(_layout.DirectoryOf(hash));
        var mustSyncRoot = !IsDurable(hash);
        if (mustSyncRoot)
        {
            _disk.SyncDirectory(_layout.Root);
        }

        // Nothing may be promised that went into another file system, uncovered or mounted meanwhile.
        _root.Check(generation);
        if (mustSyncRoot)
        {
            Volatile.Write(ref _durableDirectories[NumberOf(hash)], generation + 1);
        }
    }

    private bool IsDurable(BlockHash hash) => Volatile.Read(ref _durableDirectories[NumberOf(hash)]) == _root.Generation + 1;

    private void TryDelete(string path)
    {
        try
        {
            _disk.Delete(path);
        }
        catch (DiskException)
        {
            // Never created, or left for the emptier; the first failure is the one to report.
        }
    }

    private static int NumberOf(BlockHash hash) => Convert.ToInt32(hash.ToString()[..DirectoryLayout.DirectoryNameLength], 16);

    private readonly record struct SharedWrite(string Temporary, int Generation, int Failures, Task<bool> Item);
}
