using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// A copy of a block as an open file, for a reader who verifies what arrives (decision 0043): nobody here has looked at its bytes. It goes on denoting the same
/// bytes when the block is trashed or replaced. One step at a time; dispose it when the last one is complete.
/// </summary>
public sealed class BlockFile : IDisposable
{
    /// <summary>What is moved at once, and asked of the disk while the part before it is moved: enough to keep it busy, little for whom the reader leaves behind.</summary>
    private const int PieceBytes = 8 << 20;

    private readonly IDiskFile _file;
    private readonly SafeFileHandle _handle;
    private readonly DiskThreads _threads;
    private long _announced;

    internal BlockFile(IDiskFile file, SafeFileHandle handle, long sizeBytes, DiskThreads threads)
    {
        (_file, _handle, SizeBytes, _threads) = (file, handle, sizeBytes, threads);
    }

    /// <summary>Size in bytes when it was opened.</summary>
    public long SizeBytes { get; }

    /// <summary>Moves bytes with calls of the kernel that may wait for the disk, on a thread of the volume, until all are moved or a call has moved fewer than it was given.</summary>
    /// <param name="offset">Where they begin.</param>
    /// <param name="length">How many at most.</param>
    /// <param name="move">Given the file, offset and length; returns how many it has moved. Anything but a positive number is passed on as it is, if it comes first.</param>
    /// <param name="cancellationToken">Gives up while it has not begun.</param>
    /// <exception cref="Blocks.KeepException">Overloaded: too much waits for the volume.</exception>
    public ValueTask<int?> MoveAsync(long offset, int length, Func<SafeFileHandle, long, int, int?> move, CancellationToken cancellationToken) => _threads.RunAsync(
        () =>
        {
            var total = 0;
            while (total < length)
            {
                var piece = Math.Min(PieceBytes, length - total);
                Announce(offset + total + piece + PieceBytes);
                var moved = move(_handle, offset + total, piece);
                if (moved is not > 0)
                {
                    return total > 0 ? total : moved;
                }

                _file.WasRead(moved.Value);
                total += moved.Value;
                if (moved < piece)
                {
                    break;
                }
            }

            return total;
        },
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Announce(long until)
    {
        until = Math.Min(until, SizeBytes);
        if (until - _announced >= PieceBytes || (until == SizeBytes && _announced < until))
        {
            _file.WillRead(_announced, until - _announced);
            _announced = until;
        }
    }
}
