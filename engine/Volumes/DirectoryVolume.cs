using System.Buffers;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// Blocks as files in Arvados's layout (keepstore-http.md 11.1), so that an existing volume is served in place, even while an
/// Arvados keepstore serves it too. Differences, all for safety: a write or touch is durable before it succeeds, a writer takes the
/// flock of the copy that it replaces, and untrashing never replaces a copy.
/// </summary>
public sealed partial class DirectoryVolume : IVolume
{
    private const int PieceBytes = 1 << 20;
    private readonly IDisk _disk;
    private readonly DirectoryLayout _layout;
    private readonly TrashPolicy _trash;
    private readonly FullMarker _full;
    private readonly DiskThreads _threads;

    // One flag per three-digit directory: its own name in the root was synced since this process started. Whoever created it may
    // not have got that far, so existing directories are synced once too.
    private readonly bool[] _durableDirectories = new bool[1 << (4 * DirectoryLayout.DirectoryNameLength)];

    /// <summary>Opens the volume.</summary>
    /// <exception cref="KeepException">The root is not an absolute path of an existing directory.</exception>
    public DirectoryVolume(DirectoryVolumeOptions options, IDisk? disk = null)
    {
        if (!Path.IsPathRooted(options.Root) || (disk is null && !Directory.Exists(options.Root)))
        {
            throw new KeepException(KeepErrorKind.BadRequest, $"Volume root '{options.Root}' must be the absolute path of an existing directory.");
        }

        _disk = disk ?? new PosixDisk();
        _layout = new DirectoryLayout(options.Root);
        _trash = options.Trash;
        _full = new FullMarker(_disk, _layout, options.Trash.Time);
        _threads = new DiskThreads(options.Root, options.Serialize ? Math.Min(1, options.Threads) : options.Threads, options.MaxWaiting);
        DeviceId = DirectoryDeviceId.Find(options.Root);
    }

    /// <inheritdoc/>
    public string DeviceId { get; }

    /// <inheritdoc/>
    public ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken) => RunAsync<long?>(() =>
    {
        using var file = TryOpen(hash, DiskAccess.Read);
        if (file is null)
        {
            return null;
        }

        var length = file.Length;
        if (length <= destination.Length && file.Read(destination.Span[..(int)length], 0) != length)
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"Block {hash} on {DeviceId} became shorter while it was read.");
        }

        return length;
    }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken) => RunAsync(() =>
    {
        using var file = TryOpen(hash, DiskAccess.Read);
        if (file is null)
        {
            return CopyState.Absent;
        }

        if (file.Length > Locator.MaxBlockSizeBytes)
        {
            return CopyState.Corrupt;
        }

        using var comparer = new CopyComparer(hash, expected);
        var piece = ArrayPool<byte>.Shared.Rent(Math.Min(PieceBytes, Math.Max(1, (int)file.Length)));
        try
        {
            int count;
            for (long at = 0; (count = file.Read(piece, at)) > 0; at += count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                comparer.Append(piece.AsSpan(0, count));
            }

            return comparer.Finish();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }, cancellationToken);

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

    /// <inheritdoc/>
    public ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken) =>
        RunAsync(() => _disk.Stat(_layout.Block(hash))?.MtimeNanoseconds, cancellationToken);

    /// <inheritdoc/>
    public VolumeSpace? GetSpace() => _disk.GetSpace(_layout.Root);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _threads.DisposeAsync();

    private void WriteTemporary(string path, ReadOnlySpan<byte> data)
    {
        using var file = _disk.Open(path, DiskAccess.CreateNew);
        file.Write(data, 0);
        _disk.SetTimes(path, _trash.NowNanoseconds);
        file.Sync();
    }

    private IDiskFile? TryOpen(BlockHash hash, DiskAccess access)
    {
        try
        {
            return _disk.Open(_layout.Block(hash), access);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
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

    private async ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await _threads.RunAsync(work, cancellationToken);
        }
        catch (DiskException e)
        {
            throw new KeepException(e.Error == DiskError.NoSpace ? KeepErrorKind.Full : KeepErrorKind.Unavailable, $"Volume {DeviceId}: {e.Message}", e);
        }
    }
}
