using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// Turns one stream of bytes into blocks: fills a 64 MiB buffer from the pool and stores it while the next ones fill, as far as there is
/// memory to spare. For a PUT body or a local file; small files are better packed together (<see cref="BlockPacker"/>).
/// </summary>
public static class BlockUpload
{
    private const int ReadBytes = 1 << 20;

    /// <summary>
    /// Blocks of one stream under way, while there is memory to spare: some are hashed, some sent and synced while the next arrives. As many as fill the lanes in which
    /// blocks are hashed together: with three, hashing took half of all processor time of a PUT of 1 GiB, with six a third less.
    /// </summary>
    private const int MaxWrites = 6;

    /// <summary>What a stream takes that sends next to nothing, and by how much that grows when it was filled: a whole block is copied for a quarter.</summary>
    private const int FirstBytes = 64 << 10, Growth = 16;

    /// <summary>Stores everything until the end of the stream; returns when all blocks are on stable storage.</summary>
    /// <param name="source">Read sequentially to its end; not disposed.</param>
    /// <param name="expectedBytes">Length if known (sizes the buffer), else -1; a stream of another length is no error here.</param>
    /// <param name="store">Where the blocks go.</param>
    /// <param name="pool">Lends the buffers.</param>
    /// <param name="options">Replicas and classes.</param>
    /// <param name="grows">
    /// Memory is taken as bytes arrive, for a stream that may be slow; when there is none to spare, a block ends early. False: 64 MiB at once.
    /// </param>
    /// <param name="cancellationToken">Ends the upload; what was stored stays as unreferenced blocks.</param>
    public static async Task<ManifestSegment[]> StoreAsync(
        Stream source, long expectedBytes, IBlockStore store, BlockBufferPool pool, BlockWriteOptions options, bool grows, CancellationToken cancellationToken)
    {
        var segments = new List<ManifestSegment>();
        var writing = new Queue<Task<ManifestSegment>>();
        try
        {
            for (var left = expectedBytes; ;)
            {
                var size = left is >= 0 and < Locator.MaxBlockSizeBytes ? (int)left + 1 : Locator.MaxBlockSizeBytes;
                var start = grows ? Math.Min(size, FirstBytes) : size;
                BlockBuffer? buffer = null;
                while (writing.Count > 0 && (writing.Count >= MaxWrites || (buffer = pool.TryRent(start)) is null))
                {
                    segments.Add(await writing.Peek());
                    _ = writing.Dequeue();
                }

                buffer ??= await pool.RentAsync(start, cancellationToken);
                var owned = true;
                try
                {
                    buffer.Length = await FillAsync(source, buffer.Capacity, cancellationToken);
                    while (buffer.Length == buffer.CapacityBytes && buffer.Length < size && pool.TryRent(Math.Min(size, buffer.Length * Growth)) is { } larger)
                    {
                        buffer.Memory.CopyTo(larger.Capacity);
                        larger.Length = buffer.Length;
                        buffer.Release();
                        buffer = larger;
                        buffer.Length += await FillAsync(source, buffer.Capacity[buffer.Length..], cancellationToken);
                    }

                    if (buffer.Length == 0)
                    {
                        break;
                    }

                    left -= buffer.Length;
                    writing.Enqueue(WriteAsync(buffer, store, options, cancellationToken));
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

            for (; writing.Count > 0; _ = writing.Dequeue())
            {
                segments.Add(await writing.Peek());
            }

            return [.. segments];
        }
        catch when (writing.Count > 0)
        {
            // The memory belongs to the pool again only after the requests have let go of it.
            await Task.WhenAll(writing).ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
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
