using System.Collections.Concurrent;
using KeepFs.Engine.Blocks;

namespace KeepFs.Testing.Blocks;

/// <summary>Blocks in memory, unsigned, that can be told to fail.</summary>
public sealed class MemoryBlockStore : IBlockStore
{
    private readonly ConcurrentDictionary<BlockHash, byte[]> _blocks = new();

    /// <summary>Set: the next writes fail with it.</summary>
    public KeepException? WriteFailure { get; set; }

    /// <summary>Awaited before each write.</summary>
    public Func<Task> BeforeWrite { get; set; } = () => Task.CompletedTask;

    /// <summary>Stored blocks.</summary>
    public IReadOnlyDictionary<BlockHash, byte[]> Blocks => _blocks;

    public ValueTask<BlockLease> ReadAsync(Locator locator, int offset, int length, CancellationToken cancellationToken) =>
        _blocks.TryGetValue(locator.Hash, out var data)
            ? new(BlockLease.Unowned(data.AsMemory(offset, length)))
            : throw new KeepException(KeepErrorKind.NotFound, $"Block {locator.Hash} is not there.");

    public void Prefetch(IReadOnlyList<Locator> next)
    {
    }

    public async ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions options, CancellationToken cancellationToken)
    {
        await BeforeWrite();
        if (WriteFailure is { } failure)
        {
            throw failure;
        }

        var hash = BlockHash.Compute(data.Span);
        _blocks[hash] = data.ToArray();
        return new WrittenBlock(new Locator(hash, data.Length), 2);
    }
}
