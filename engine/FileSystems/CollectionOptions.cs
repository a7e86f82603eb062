using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.FileSystems;

/// <summary>How collections are written and refreshed.</summary>
public sealed record CollectionOptions
{
    /// <summary>
    /// Time after a close or a change of names until the background save starts: long enough that a thousand closes become a few saves, short
    /// enough that nobody waits for another user's file.
    /// </summary>
    public TimeSpan SaveDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A file that stays open for writing is saved in the background once its oldest unsaved change is this old.</summary>
    public TimeSpan MaxDirtyAge { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Wait after a failed background save; doubles up to <see cref="MaxRetryDelay"/>.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait between background saves that fail.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Background saves that fail in a row before programs are told by EIO: a keepstore that restarts is no failure, one that is gone for longer than a few
    /// seconds is.
    /// </summary>
    public int FailuresBeforeReport { get; init; } = 3;

    /// <summary>
    /// How long a write waits for memory when it is spent and neither keepstores nor the journal's disk take what it holds, before it gets EIO: longer than a
    /// keepstore takes to restart, and the same as the journal's own patience.
    /// </summary>
    public TimeSpan MaxMemoryWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>close() returns only when the file's collection is saved (mount.md section 6).</summary>
    public bool SyncOnClose { get; init; }

    /// <summary>Blocks stored at once: hashing is by far the slowest part, and several at once are hashed together in the time of one.</summary>
    public int MaxUploads { get; init; } = 4;

    /// <summary>Blocks fetched ahead of a sequential reader once it has proved to be one.</summary>
    public int MaxReadAhead { get; init; } = 7;

    /// <summary>Saves that are tried while others keep changing the collection, before giving up until the next save.</summary>
    public int MaxMergeAttempts { get; init; } = 10;

    /// <summary>Replicas and classes of new blocks.</summary>
    public BlockWriteOptions Write { get; init; } = BlockWriteOptions.Default;
}
