using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// Packs small pieces of data into shared blocks of up to 64 MiB (client-cli.md section 5). Pieces are added one after the other; a full
/// block is stored in the background while the next fills, at most <c>maxWrites</c> at once. Not for concurrent use.
/// </summary>
public sealed class BlockPacker(IBlockStore store, BlockBufferPool pool, BlockWriteOptions options, int maxWrites) : IAsyncDisposable
{
    private readonly Queue<Task> _writing = new();
    private readonly List<PackedPiece> _open = [];
    private BlockBuffer? _buffer;

    /// <summary>Pieces of at most this size are worth packing; larger ones become blocks of their own.</summary>
    public const int MaxPieceBytes = Locator.MaxBlockSizeBytes / 2;

    /// <summary>Adds a piece: <paramref name="fill"/> is called once, at once, with exactly its bytes to fill.</summary>
    public async ValueTask<PackedPiece> AddAsync(int length, Func<Memory<byte>, CancellationToken, ValueTask> fill, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Locator.MaxBlockSizeBytes);
        if (_buffer is not null && _buffer.Length + length > _buffer.CapacityBytes)
        {
            await StartWriteAsync(cancellationToken);
        }

        if (_buffer is null)
        {
            _buffer = await pool.RentAsync(Locator.MaxBlockSizeBytes, cancellationToken);
            _buffer.Length = 0;
        }

        await fill(_buffer.Capacity.Slice(_buffer.Length, length), cancellationToken);
        var piece = new PackedPiece(_buffer.Length, length);
        _open.Add(piece);
        _buffer.Length += length;
        return piece;
    }

    /// <summary>Stores what is left and waits for everything; afterwards every piece has its segment.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_open.Count > 0)
        {
            await StartWriteAsync(cancellationToken);
        }

        while (_writing.TryDequeue(out var write))
        {
            await write;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        while (_writing.TryDequeue(out var write))
        {
            await write.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        _buffer?.Release();
        _buffer = null;
    }

    private async ValueTask StartWriteAsync(CancellationToken cancellationToken)
    {
        while (_writing.Count >= maxWrites)
        {
            await _writing.Dequeue();
        }

        _writing.Enqueue(WriteAsync(_buffer!, [.. _open], cancellationToken));
        _buffer = null;
        _open.Clear();
    }

    private async Task WriteAsync(BlockBuffer buffer, PackedPiece[] pieces, CancellationToken cancellationToken)
    {
        try
        {
            var written = await store.WriteAsync(buffer.Memory, options, cancellationToken);
            foreach (var piece in pieces)
            {
                piece.Segment = new ManifestSegment(written.Locator, piece.Offset, piece.Length);
            }
        }
        finally
        {
            buffer.Release();
        }
    }
}

/// <summary>A piece that was given to a <see cref="BlockPacker"/>.</summary>
public sealed class PackedPiece
{
    internal PackedPiece(int offset, int length) => (Offset, Length) = (offset, length);

    internal int Offset { get; }

    internal int Length { get; }

    /// <summary>Where the piece is stored; set when its block is on stable storage.</summary>
    public ManifestSegment? Segment { get; internal set; }
}
