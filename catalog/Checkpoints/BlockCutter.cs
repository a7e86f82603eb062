using KeepFs.Hosting.Http;

namespace KeepFs.Catalog.Checkpoints;

/// <summary>Cuts what is written into blocks. Call <see cref="FinishAsync"/> at the end. For one thread at a time.</summary>
/// <param name="store">Stores one block and returns its locator; the memory is used again afterwards.</param>
internal sealed class BlockCutter(Func<ReadOnlyMemory<byte>, CancellationToken, Task<string>> store) : ForwardStream
{
    /// <summary>A quarter of the largest block: the memory of a checkpoint stays small, and so does the number of blocks.</summary>
    private const int BlockBytes = 16 << 20;

    private readonly MemoryStream _block = new();

    /// <summary>Locators of the blocks so far.</summary>
    public List<string> Stored { get; } = [];

    public override bool CanWrite => true;

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

    /// <summary>Stores what is left.</summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        if (_block.Length > 0)
        {
            Stored.Add(await store(_block.GetBuffer().AsMemory(0, (int)_block.Length), ct));
            _block.SetLength(0);
        }
    }

    protected override void Dispose(bool disposing)
    {
        _block.Dispose();
        base.Dispose(disposing);
    }
}
