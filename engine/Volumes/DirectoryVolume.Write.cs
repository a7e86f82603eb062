using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

public sealed partial class DirectoryVolume
{
    // One flag per three-digit directory: its own name in the root was synced since this process started. Whoever created it may
    // not have got that far, so existing directories are synced once too.
    private readonly bool[] _durableDirectories = new bool[1 << (4 * DirectoryLayout.DirectoryNameLength)];

    /// <inheritdoc/>
    public async ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => await RunAsync(() =>
    {
        if (_full.IsFull())
        {
            throw new KeepException(KeepErrorKind.Full, $"Volume {DeviceId} is full.");
        }

        _disk.CreateDirectory(_layout.DirectoryOf(hash));
        var temporary = _layout.NewTemporary(hash);
        try
        {
            WriteTemporary(temporary, data.Span);
            cancellationToken.ThrowIfCancellationRequested();

            // Trash that already decided about the old copy must not carry off the new one: it holds the old one's lock until it
            // has moved the name, and whoever gets that lock later looks at the name again.
            using var replaced = LockCopy(hash);
            _disk.Rename(temporary, _layout.Block(hash));
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }

        MakeNameDurable(hash);
        return true;
    }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken) => RunAsync(() =>
    {
        using var file = TryOpen(hash, DiskAccess.Append);
        if (file is null)
        {
            return false;
        }

        file.Lock();
        try
        {
            // By path, not by handle: trash may have moved the file while we waited for the lock, and this step must then fail.
            _disk.SetTimes(_layout.Block(hash), _trash.NowNanoseconds);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return false;
        }

        // A touch answers a PUT, so it promises what a write promises, also for a copy that another process has just put there.
        file.Sync();
        MakeNameDurable(hash);
        return true;
    }, cancellationToken);

    private void WriteTemporary(string path, ReadOnlySpan<byte> data)
    {
        using var file = _disk.Open(path, DiskAccess.CreateNew);
        file.Write(data, 0);
        _disk.SetTimes(path, _trash.NowNanoseconds);
        file.Sync();
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

    private void MakeNameDurable(BlockHash hash)
    {
        _disk.SyncDirectory(_layout.DirectoryOf(hash));
        var number = Convert.ToInt32(hash.ToString()[..DirectoryLayout.DirectoryNameLength], 16);
        if (!Volatile.Read(ref _durableDirectories[number]))
        {
            _disk.SyncDirectory(_layout.Root);
            Volatile.Write(ref _durableDirectories[number], true);
        }
    }

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
}
