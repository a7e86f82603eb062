namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>Limits of a <see cref="StagingJournal"/>.</summary>
public sealed record JournalOptions
{
    /// <summary>How often the logs are synced, which hold names and small writes: what a failure of the machine may lose of them.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Age at which data files are synced: as old as the kernel's own journal lets data become. Large files are usually uploaded before, and then their bytes
    /// never cost the disk anything.
    /// </summary>
    public TimeSpan DataSyncDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Bytes of all journal files together; writers wait beyond it while everything is saved. Only what keepstores or catalogue do not take grows it:
    /// 4 GiB hold a working day of edits without a catalogue.
    /// </summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>How long a writer waits for room before it gets ENOSPC.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Data up to this size goes into the log itself; more goes to data files, which vanish as soon as keepstores have the bytes.</summary>
    public int MaxInlineBytes { get; init; } = 16 << 10;

    /// <summary>A log or data file is followed by a new one at this size: small enough that space comes back while a large file is being written.</summary>
    public int FileBytes { get; init; } = 32 << 20;
}
