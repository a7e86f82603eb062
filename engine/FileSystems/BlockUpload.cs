using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// Turns one stream of bytes into blocks: fills a 64 MiB buffer from the pool, stores it while the next one fills, with at most two
/// blocks under way. For a PUT body or a local file; small files are better packed together (<see cref="BlockPacker"/>).
/// </summary>
public static class BlockUpload
{
    private const int ReadBytes = 1 << 20;

    /// <summary>Stores everything until the end of the stream; returns when all blocks are on stable storage.</summary>
    /// <param name="source">Read sequentially to its end; not disposed.</param>
    /// <param name="expectedBytes">Length if known (sizes the buffer), else -1; a stream of another length is no error here.</param>
    /// <param name="store">Where the blocks go.</param>
    /// <param name="pool">Lends the buffers.</param>
    /// <param name="options">Replicas and classes.</param>
    /// <param name="cancellationToken">Ends the upload; what was stored stays as unreferenced blocks.</param>
    public static async Task<ManifestSegment[]> StoreAsync(
        Stream source, long expectedBytes, IBlockStore store, BlockBufferPool pool, BlockWriteOptions options, CancellationToken cancellationToken)
    {
        var segments = new List<ManifestSegment>();
        Task<ManifestSegment>? writing = null;
        try
        {
            for (var left = expectedBytes; ;)
            {
                var buffer = await pool.RentAsync(left is >= 0 and < Locator.MaxBlockSizeBytes ? (int)left + 1 : Locator.MaxBlockSizeBytes, cancellationToken);
                var owned = true;
                try
                {
                    buffer.Length = await FillAsync(source, buffer.Capacity, cancellationToken);
                    left -= buffer.Length;
                    if (writing is not null)
                    {
                        segments.Add(await writing);
                        writing = null;
                    }

                    if (buffer.Length == 0)
                    {
                        return [.. segments];
                    }

                    writing = WriteAsync(buffer, store, options, cancellationToken);
                    owned = false;
                }
                finally
                {
                    if (owned)
                    {
                        buffer.Release();
                    }
                }
            }
        }
        catch when (writing is not null)
        {
            // The memory belongs to the pool again only after the request has let go of it.
            await writing.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private static async Task<int> FillAsync(Stream source, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = await source.ReadAsync(buffer.Slice(filled, Math.Min(ReadBytes, buffer.Length - filled)), cancellationToken);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }

    private static async Task<ManifestSegment> WriteAsync(BlockBuffer buffer, IBlockStore store, BlockWriteOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var written = await store.WriteAsync(buffer.Memory, options, cancellationToken);
            return new ManifestSegment(written.Locator, 0, buffer.Length);
        }
        finally
        {
            buffer.Release();
        }
    }
}
