using System.Buffers;
using System.IO.Pipelines;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Bodies;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.Downloads;

/// <summary>
/// Sends parts of a file from verified blocks. While a client keeps up, a block stays leased until it is sent; a client that does not take
/// its bytes gives the block back, so that slow ones hold a piece each and not 64 MiB.
/// </summary>
internal sealed class FileBody(SegmentReader reader, IBlockStore blocks, TimeProvider time)
{
    private const int PieceBytes = 256 << 10;

    /// <summary>Blocks announced ahead of the one that is being sent.</summary>
    private const int PrefetchedBlocks = 2;

    /// <summary>
    /// A piece that takes longer marks a client as slow (5 MB/s). Short, for as long as it lasts the client keeps a block from others that want memory;
    /// a block that nobody wants to replace is found again in the cache.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private bool _isSlow;

    /// <summary>Reads the first block, so that a failure can still become a status; when its signature is refused, once more with fresh ones.</summary>
    /// <param name="session">Whose token reads.</param>
    /// <param name="place">Where the file was found.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where reading starts.</param>
    /// <param name="time">Finds out who is slow.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<FileBody> OpenAsync(Session session, CollectionPlace place, ManifestFile file, long offset, TimeProvider time, CancellationToken cancellationToken)
    {
        var body = new FileBody(new SegmentReader(file.Segments), session.Blocks, time);
        try
        {
            await body.CheckAsync(offset, cancellationToken);
            return body;
        }
        catch (KeepException e) when (e.Kind == KeepErrorKind.PermissionDenied)
        {
            if ((await session.ReopenAsync(place.Collection.Id, cancellationToken))?.Tree.Find(place.Path) is not ManifestFile again || !again.HasSameContentAs(file))
            {
                throw;
            }

            body = new FileBody(new SegmentReader(again.Segments), session.Blocks, time);
            await body.CheckAsync(offset, cancellationToken);
            return body;
        }
    }

    /// <summary>Fetches the block of a position, so that a failure shows before a status is sent.</summary>
    public async ValueTask CheckAsync(long offset, CancellationToken cancellationToken)
    {
        using var first = await reader.ReadRunAsync(blocks, offset, 1, cancellationToken);
    }

    /// <summary>Writes the range.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="range">Inside the file.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="check">Sees the bytes as they pass, or null.</param>
    public async Task SendAsync(PipeWriter output, ByteRange range, CancellationToken cancellationToken, Crc? check = null)
    {
        var (offset, end) = (range.Offset, range.Offset + range.Length);
        while (offset < end)
        {
            var lease = await reader.ReadRunAsync(blocks, offset, (int)Math.Min(end - offset, Locator.MaxBlockSizeBytes), cancellationToken);

            // What a slow client wants next would be gone from memory before it comes to it.
            if (end > offset + lease.Memory.Length && !_isSlow)
            {
                reader.Prefetch(blocks, offset, PrefetchedBlocks);
            }

            offset += await SendRunAsync(output, lease, check, cancellationToken);
        }
    }

    /// <summary>Sends what the lease holds, or the part that a slow client took before it; disposes the lease.</summary>
    private async Task<int> SendRunAsync(PipeWriter output, BlockLease lease, Crc? check, CancellationToken cancellationToken)
    {
        var (sent, slow) = (0, (Task?)null);
        try
        {
            while (sent < lease.Memory.Length && slow is null)
            {
                var piece = lease.Memory.Slice(sent, Math.Min(PieceBytes, lease.Memory.Length - sent));
                output.Write(piece.Span);
                check?.Append(piece.Span);
                sent += piece.Length;
                var flush = output.FlushAsync(cancellationToken);
                if (flush.IsCompleted)
                {
                    await flush;
                }
                else if (flush.AsTask() is var pending && !await IsQuickAsync(pending, cancellationToken))
                {
                    slow = pending;
                }
            }
        }
        finally
        {
            lease.Dispose();
        }

        _isSlow = slow is not null;
        if (slow is not null)
        {
            await slow;
        }

        return sent;
    }

    private async Task<bool> IsQuickAsync(Task flush, CancellationToken cancellationToken)
    {
        try
        {
            await flush.WaitAsync(Patience, time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
