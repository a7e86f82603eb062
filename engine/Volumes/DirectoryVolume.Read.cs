using System.Buffers;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

public sealed partial class DirectoryVolume
{
    private const int PieceBytes = 1 << 20;

    /// <inheritdoc/>
    public ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken) =>
        RunAsync(() => Read(hash, destination.Span), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<FileIdentity?> IdentifyAsync(BlockHash hash, CancellationToken cancellationToken) => RunAsync(() => Identify(hash), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<(long SizeBytes, FileIdentity Identity)?> ReadIdentifiedAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken) =>
        RunAsync<(long, FileIdentity)?>(() => Identify(hash) is { } identity && Read(hash, destination.Span) is { } size ? (size, identity) : null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockFile?> OpenAsync(BlockHash hash, CancellationToken cancellationToken) => RunAsync(
        () =>
        {
            var file = TryOpen(hash, DiskAccess.Read);
            try
            {
                if (file?.Handle is { } handle)
                {
                    var opened = new BlockFile(file, handle, file.Length, _threads);
                    file = null;
                    return opened;
                }

                return null;
            }
            finally
            {
                file?.Dispose();
            }
        },
        cancellationToken);

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
    public ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken) =>
        RunAsync(() => StatCopy(hash)?.MtimeNanoseconds, cancellationToken);

    private FileIdentity? Identify(BlockHash hash) =>
        StatCopy(hash) is { } stat ? new FileIdentity(stat.Device, stat.Inode, stat.SizeBytes, stat.MtimeNanoseconds, stat.CtimeNanoseconds) : null;

    private long? Read(BlockHash hash, Span<byte> destination, bool fromMedium = false)
    {
        using var file = TryOpen(hash, DiskAccess.Read);
        if (file is null)
        {
            return null;
        }

        if (fromMedium)
        {
            file.DropCache();
        }

        var length = file.Length;
        if (length <= destination.Length && file.Read(destination[..(int)length], 0) != length)
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"Block {hash} on {DeviceId} became shorter while it was read.");
        }

        if (fromMedium)
        {
            file.DropCache();
        }

        return length;
    }

    private IDiskFile? TryOpen(BlockHash hash, DiskAccess access)
    {
        var file = _disk.TryOpen(_layout.Block(hash), access);
        if (file is null)
        {
            // Missing, unless the whole disk is.
            _root.Check();
        }

        return file;
    }

    private DiskStat? StatCopy(BlockHash hash)
    {
        var stat = _disk.Stat(_layout.Block(hash));
        if (stat is null)
        {
            _root.Check();
        }

        return stat;
    }
}
