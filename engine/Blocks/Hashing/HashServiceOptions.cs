namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>Limits of a <see cref="HashService"/>.</summary>
public sealed record HashServiceOptions
{
    /// <summary>
    /// Threads that hash, 1 or 2. One hashes 16 blocks as fast as a dozen cores would one each, so a small machine has the others for
    /// receiving; a larger one may have more than 16 blocks under way.
    /// </summary>
    public int Threads { get; init; } = Environment.ProcessorCount > 4 ? 2 : 1;

    /// <summary>Blocks up to this size are hashed by their own caller when they are complete: a third of a millisecond at most, not worth a thread's wake-up.</summary>
    public int InlineBytes { get; init; } = 256 << 10;

    /// <summary>Bytes that must wait for a block to get a lane, unless it is complete: 2 to 4 percent of a round is spent on gathering lanes of this size.</summary>
    public int ReadyBytes { get; init; } = 64 << 10;

    /// <summary>
    /// While blocks are still arriving, the thread waits for all of them to be ready, because full lanes cost the least; but no
    /// block gets more than this behind. It is what must still be hashed after a block's last byte: two milliseconds at most.
    /// </summary>
    public int MaxBacklogBytes { get; init; } = 1 << 20;
}
