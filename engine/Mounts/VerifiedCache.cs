using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Mounts;

/// <summary>What a keepstore has verified lately: blocks in memory, and files that have not changed since. Safe for concurrent use.</summary>
public sealed class VerifiedCache(BlockBufferPool pool, VerifiedBlocksOptions options, TimeProvider time) : IDisposable
{
    /// <summary>Blocks in memory.</summary>
    public VerifiedBlocks Blocks { get; } = new(pool, options, time);

    internal VerifiedFiles Files { get; } = new(options.MaxFiles, time);

    /// <inheritdoc/>
    public void Dispose() => Blocks.Dispose();
}
