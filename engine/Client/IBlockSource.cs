using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Client;

/// <summary>Where whole blocks come from below a cache. Safe for concurrent use.</summary>
public interface IBlockSource
{
    /// <summary>
    /// Fills the buffer with one verified block and sets its length. The buffer holds at least the locator's size; its content is
    /// undefined when the call fails.
    /// </summary>
    /// <exception cref="KeepException">No service had a good copy.</exception>
    ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken);

    /// <inheritdoc cref="IBlockStore.WriteAsync"/>
    ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken);
}
