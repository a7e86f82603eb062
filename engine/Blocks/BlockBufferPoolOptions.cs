namespace KeepFs.Engine.Blocks;

/// <summary>Limits of a <see cref="BlockBufferPool"/>.</summary>
public sealed record BlockBufferPoolOptions
{
    /// <summary>
    /// Bytes that may be out at any time. At least two of the largest blocks, or one reader and one writer could wait for each
    /// other; 512 MiB lets a 2-core machine keep reading, hashing and sending at once.
    /// </summary>
    public long BudgetBytes { get; init; } = 512L << 20;

    /// <summary>Renters that may wait in line; the next is refused, so that overload shows as an answer and not as a hang.</summary>
    public int MaxWaiting { get; init; } = 1024;
}
