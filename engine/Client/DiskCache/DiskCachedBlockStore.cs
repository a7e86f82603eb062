using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>
/// Blocks in memory, then on the local disk, then from the keepstores. What is on disk is read piece by piece from there, so a small read costs a small
/// read; what was fetched goes to disk behind the reader's back. Safe for concurrent use.
/// </summary>
public sealed class DiskCachedBlockStore : IBlockStore, IWholeFiles, IAsyncDisposable
{
    private const int MaxPreparations = 16;
    private readonly CachedBlockStore _memory;

    /// <summary>
    /// Pieces that are read from disk, on their way to the reader. Apart from the memory of whole blocks: where small and large buffers share a budget, each
    /// small one costs a large one its pages.
    /// </summary>
    private readonly BlockBufferPool _pieces = new(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
    private readonly BlockCacheDirectory _disk;
    private readonly BackgroundThread<(BlockHash Hash, BlockBuffer Buffer)> _writes;
    private readonly BackgroundThread<IReadOnlyList<BlockRange>> _preparations;
    private long _hits;

    /// <summary>Wraps a source of blocks.</summary>
    /// <param name="source">The keepstores.</param>
    /// <param name="pool">Memory for reading; given to the memory cache.</param>
    /// <param name="options">Limits of the memory cache.</param>
    /// <param name="disk">The directory; stays the caller's.</param>
    /// <param name="hashing">Verifies what an earlier boot left; null: on the reading thread.</param>
    public DiskCachedBlockStore(IBlockSource source, BlockBufferPool pool, BlockCacheOptions options, BlockCacheDirectory disk, HashService? hashing)
    {
        _disk = disk;
        _writes = new(disk.Options.MaxQueuedWrites, Write);
        _preparations = new(MaxPreparations, pieces => _disk.StoreWhole(pieces, SizeOf(pieces) ?? 0));
        _memory = new CachedBlockStore(new Spilling(source, this, hashing), pool, options);
    }

    /// <summary>The cache in memory.</summary>
    public CachedBlockStore InMemory => _memory;

    /// <summary>Reads answered from the disk.</summary>
    public long DiskHits => Interlocked.Read(ref _hits);

    /// <inheritdoc/>
    public ValueTask<BlockLease> ReadAsync(Locator locator, int offset, int length, CancellationToken cancellationToken) =>
        _memory.TryRead(locator, offset, length) is { } lease ? new(lease)
            : TryReadDisk(locator, offset, length) is { } read ? new(read)
            : _memory.ReadAsync(locator, offset, length, cancellationToken);

    /// <inheritdoc/>
    public void Prefetch(IReadOnlyList<Locator> next) => _memory.Prefetch([.. next.Where(locator => !_disk.Has(locator))]);

    /// <inheritdoc/>
    public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions options, CancellationToken cancellationToken) =>
        _memory.WriteAsync(data, options, cancellationToken);

    /// <inheritdoc/>
    public long MinWholeBytes => _disk.Options.MinWholeFileBytes;

    /// <inheritdoc/>
    public SafeFileHandle? TryOpenWhole(IReadOnlyList<BlockRange> pieces) =>
        SizeOf(pieces) is { } size ? _disk.TryOpenWhole(pieces, size) : null;

    /// <inheritdoc/>
    public void PrepareWhole(IReadOnlyList<BlockRange> pieces)
    {
        if (SizeOf(pieces) is not null && !_disk.HasWhole(pieces))
        {
            _preparations.TryAdd(pieces);
        }
    }

    /// <summary>Writes what was fetched and gives all memory back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _memory.DisposeAsync();
        await _writes.DisposeAsync();
        await _preparations.DisposeAsync();
    }

    /// <summary>The size when the file is one that is worth a descriptor of its own.</summary>
    private long? SizeOf(IReadOnlyList<BlockRange> pieces)
    {
        if (pieces.Count > _disk.Options.MaxWholeFilePieces)
        {
            return null;
        }

        var size = pieces.Sum(piece => (long)piece.Length);
        return size >= _disk.Options.MinWholeFileBytes ? size : null;
    }

    private BlockLease? TryReadDisk(Locator locator, int offset, int length)
    {
        if (!_disk.Has(locator) || _pieces.TryRent(length) is not { } buffer)
        {
            // Without memory to spare the reader waits in line for it, in the memory cache.
            return null;
        }

        if (!_disk.TryRead(locator, offset, buffer.Capacity.Span[..length]))
        {
            buffer.Release();
            return null;
        }

        Interlocked.Increment(ref _hits);
        return new BlockLease(buffer, 0, length);
    }

    private void Write((BlockHash Hash, BlockBuffer Buffer) block)
    {
        try
        {
            _disk.Store(block.Hash, block.Buffer);
        }
        finally
        {
            block.Buffer.Release();
        }
    }

    /// <summary>The keepstores below the memory cache: what they send is offered to the disk, what the disk kept over a boot is tried first.</summary>
    private sealed class Spilling(IBlockSource source, DiskCachedBlockStore store, HashService? hashing) : IBlockSource
    {
        public async ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
        {
            if (await store._disk.TryAdoptAsync(locator, destination, hashing))
            {
                return;
            }

            await source.FetchAsync(locator, destination, cancellationToken);
            destination.AddReference();
            if (!store._writes.TryAdd((locator.Hash, destination)))
            {
                destination.Release();
            }
        }

        public ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken) =>
            source.WriteAsync(data, wish, cancellationToken);
    }
}
