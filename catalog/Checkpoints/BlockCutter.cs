namespace KeepFs.Catalog.Checkpoints;

/// <summary>Cuts what is written into blocks. Call <see cref="FinishAsync"/> at the end. For one thread at a time.</summary>
/// <param name="store">Stores one block and returns its locator; the memory is used again afterwards.</param>
internal sealed class BlockCutter(Func<ReadOnlyMemory<byte>, CancellationToken, Task<string>> store) : Stream
{
    /// <summary>A quarter of the largest block: the memory of a checkpoint stays small, and so does the number of blocks.</summary>
    private const int BlockBytes = 16 << 20;

    private readonly MemoryStream _block = new();

    /// <summary>Locators of the blocks so far.</summary>
    public List<string> Stored { get; } = [];

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var length = (int)Math.Min(buffer.Length, BlockBytes - _block.Length);
            _block.Write(buffer.Span[..length]);
            buffer = buffer[length..];
            if (_block.Length == BlockBytes)
            {
                await FinishAsync(cancellationToken);
            }
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Stores what is left.</summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        if (_block.Length > 0)
        {
            Stored.Add(await store(_block.GetBuffer().AsMemory(0, (int)_block.Length), ct));
            _block.SetLength(0);
        }
    }

    public override void Flush()
    {
        // A block is stored when it is full, or at the end.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Blocks are stored asynchronously.");

    protected override void Dispose(bool disposing)
    {
        _block.Dispose();
        base.Dispose(disposing);
    }
}
