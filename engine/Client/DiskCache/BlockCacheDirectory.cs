using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>
/// Verified blocks and whole files on a local disk, shared by the processes of one user and kept over restarts (client-cli.md section 1.1, mount.md
/// section 1). A name appears only when its bytes were verified and written; within one boot of the machine it is trusted, after a boot it is
/// verified once more, because a crash may have lost bytes that were never synced. Nothing here ever fails a reader: what cannot be had or
/// kept is fetched again. Safe for concurrent use.
/// </summary>
public sealed class BlockCacheDirectory : IDisposable
{
    private readonly DiskCacheOptions _options;
    private readonly BlockCacheLayout _layout;
    private readonly TimeProvider _time;
    private readonly Action<string> _log;
    private readonly OpenBlocks _open;
    private readonly CacheEviction _eviction;
    private long _pausedUntil = long.MinValue;
    private long _temporaryNumber;

    /// <summary>Opens or creates the directory.</summary>
    /// <param name="options">Where and how much.</param>
    /// <param name="time">Clock.</param>
    /// <param name="log">Told when the disk makes trouble.</param>
    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public BlockCacheDirectory(DiskCacheOptions options, TimeProvider time, Action<string> log)
    {
        (_options, _time, _log) = (options, time, log);
        _layout = new BlockCacheLayout(options.Path, options.BootId);
        _open = new OpenBlocks(options.MaxOpenFiles, options.TouchInterval, time);
        foreach (var directory in new[] { options.Path, _layout.Blocks, _layout.Files, _layout.Temporary })
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
            }
            else
            {
                Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        _eviction = new CacheEviction(_layout, options, time);
    }

    /// <summary>What it keeps at most now; follows the free space unless it was set.</summary>
    public long CapacityBytes => _eviction.CapacityBytes;

    internal DiskCacheOptions Options => _options;

    /// <summary>Reads part of a cached block; false when it is not cached.</summary>
    internal bool TryRead(Locator block, int offset, Span<byte> destination)
    {
        // A descriptor can be closed by others between finding and using it.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            if ((_open.Find(block.Hash) ?? Open(block)) is not { } file)
            {
                return false;
            }

            try
            {
                return ReadAll(file, offset, destination);
            }
            catch (ObjectDisposedException)
            {
            }
            catch (IOException e)
            {
                Remove(block.Hash, _layout.Block(block.Hash), e.Message);
                return false;
            }
        }

        return false;
    }

    internal bool Has(Locator block) => (_open.Find(block.Hash) ?? Open(block)) is not null;

    /// <summary>Fills the buffer with a block that was cached before the machine was started, if it still has its hash, and keeps it.</summary>
    internal async ValueTask<bool> TryAdoptAsync(Locator block, BlockBuffer destination, HashService? hashing)
    {
        foreach (var directory in _layout.OlderBlocks())
        {
            var path = BlockCacheLayout.OlderBlock(directory, block.Hash);
            try
            {
                using var file = OpenIfThere(path);
                if (file is null)
                {
                    continue;
                }

                if (RandomAccess.GetLength(file) == block.SizeBytes && ReadAll(file, 0, destination.Capacity.Span[..block.SizeBytes])
                    && await HashJob.ComputeAsync(destination.Capacity[..block.SizeBytes], hashing) == block.Hash)
                {
                    Publish(path, _layout.Block(block.Hash));
                    destination.Length = block.SizeBytes;
                    return true;
                }

                Remove(block.Hash, path, "it has other bytes than when it was written");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _log($"block cache: {path} could not be taken over: {e.Message}");
            }
        }

        return false;
    }

    /// <summary>Keeps a verified block.</summary>
    internal void Store(BlockHash hash, BlockBuffer block)
    {
        if (block.Length > 0 && !IsPaused && !File.Exists(_layout.Block(hash)) && MakeRoom(block.Length) && TryWrite(_layout.Block(hash), temporary => Write(temporary, block)))
        {
            _eviction.Added(block.Length);
        }
    }

    /// <summary>A descriptor of a whole file, if it is cached.</summary>
    internal SafeFileHandle? TryOpenWhole(IReadOnlyList<BlockRange> pieces, long sizeBytes)
    {
        var path = AsBlock(pieces) is { } block ? _layout.Block(block.Hash) : _layout.File(BlockCacheLayout.KeyOf(pieces));
        return OpenVerified(path, sizeBytes);
    }

    internal bool HasWhole(IReadOnlyList<BlockRange> pieces) =>
        AsBlock(pieces) is { } block ? Has(block) : File.Exists(_layout.File(BlockCacheLayout.KeyOf(pieces)));

    /// <summary>Copies cached blocks into one file; false when one of them is not cached or the disk does not take it.</summary>
    internal bool StoreWhole(IReadOnlyList<BlockRange> pieces, long sizeBytes)
    {
        if (IsPaused || AsBlock(pieces) is not null || sizeBytes > CapacityBytes / 4 || !pieces.All(piece => Has(piece.Block)) || !MakeRoom(sizeBytes))
        {
            return false;
        }

        var isWritten = TryWrite(_layout.File(BlockCacheLayout.KeyOf(pieces)), temporary =>
        {
            using var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite);
            new WholeFileCopy(this, pieces).WriteTo(file);
        });
        if (isWritten)
        {
            _eviction.Added(sizeBytes);
        }

        return isWritten;
    }

    /// <inheritdoc/>
    public void Dispose() => _open.Dispose();

    private bool IsPaused => _time.GetTimestamp() < Volatile.Read(ref _pausedUntil);

    /// <summary>The block that the file is, when it is a whole block.</summary>
    private static Locator? AsBlock(IReadOnlyList<BlockRange> pieces) =>
        pieces is [{ Offset: 0 } only] && only.Length == only.Block.SizeBytes ? only.Block : null;

    private SafeFileHandle? Open(Locator block) =>
        OpenVerified(_layout.Block(block.Hash), block.SizeBytes) is { } file ? _open.Add(block.Hash, file) : null;

    /// <summary>Opens a file of this boot, which is whole unless somebody else cut it.</summary>
    private SafeFileHandle? OpenVerified(string path, long sizeBytes)
    {
        try
        {
            var file = OpenIfThere(path);
            if (file is not null && RandomAccess.GetLength(file) != sizeBytes)
            {
                file.Dispose();
                Remove(default, path, "it has another size than it should");
                return null;
            }

            if (file is not null && _time.GetUtcNow() - File.GetLastWriteTimeUtc(file) > _options.TouchInterval)
            {
                File.SetLastWriteTimeUtc(file, _time.GetUtcNow().UtcDateTime);
            }

            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Pause($"{path} cannot be opened: {e.Message}");
            return null;
        }
    }

    private static SafeFileHandle? OpenIfThere(string path)
    {
        try
        {
            return File.Exists(path) ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete) : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static bool ReadAll(SafeFileHandle file, long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            var count = RandomAccess.Read(file, destination, offset);
            if (count <= 0)
            {
                return false;
            }

            offset += count;
            destination = destination[count..];
        }

        return true;
    }

    private bool MakeRoom(long bytes)
    {
        try
        {
            return _eviction.MakeRoom(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Pause($"nothing can be removed from it: {e.Message}");
            return false;
        }
    }

    private bool TryWrite(string path, Action<string> write)
    {
        var temporary = Path.Combine(_layout.Temporary, $"{Environment.ProcessId}-{Interlocked.Increment(ref _temporaryNumber)}");
        try
        {
            write(temporary);
            File.SetLastWriteTimeUtc(temporary, _time.GetUtcNow().UtcDateTime);
            Publish(temporary, path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Delete(temporary);
            Pause($"{path} could not be written: {e.Message}");
            return false;
        }
    }

    private static void Write(string path, BlockBuffer block)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        DirectWrite.Write(file, block.Memory.Span);
    }

    private static void Publish(string temporary, string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Move(temporary, path, overwrite: true);
    }

    private void Remove(BlockHash hash, string path, string why)
    {
        _log($"block cache: {path} is removed, because {why}");
        _open.Drop(hash);
        Delete(path);
    }

    private void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The whole directory is gone, or the disk is read-only: there is nothing of it to use either.
            _log($"block cache: {path} cannot be removed: {e.Message}");
        }
    }

    private void Pause(string why)
    {
        _log($"block cache: {why}; nothing is cached for {_options.PauseAfterFailure.TotalSeconds:0} s");
        Volatile.Write(ref _pausedUntil, _time.GetTimestamp() + (long)(_options.PauseAfterFailure.TotalSeconds * _time.TimestampFrequency));
    }
}
