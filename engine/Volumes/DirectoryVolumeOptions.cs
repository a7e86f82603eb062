namespace KeepFs.Engine.Volumes;

/// <summary>Settings of a <see cref="DirectoryVolume"/>.</summary>
public sealed record DirectoryVolumeOptions
{
    /// <summary>What <see cref="ShareSyncsFrom"/> is unless somebody says otherwise.</summary>
    public const int UsualShareSyncsFrom = 4;

    /// <summary>Absolute path of an existing directory.</summary>
    public required string Root { get; init; }

    /// <summary>Minimum age and lifetime of trash, and the clock.</summary>
    public required TrashPolicy Trash { get; init; }

    /// <summary>One disk operation at a time (DriverParameters.Serialize).</summary>
    public bool Serialize { get; init; }

    /// <summary>
    /// Operations at the disk at once. 16 keeps a solid-state disk busy and lets fsyncs share a journal commit, without asking a
    /// spinning disk to seek for too many readers. 0 runs everything on the caller's thread.
    /// </summary>
    public int Threads { get; init; } = 16;

    /// <summary>Operations that may wait for a thread; the next is refused.</summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>
    /// From how many small writes and touches at once they share syncs (decision 0013); 0 = never. Fewer are quicker with their own:
    /// a shared write waits for two syncs of the file system, which cost about as much as the two of its own.
    /// </summary>
    public int ShareSyncsFrom { get; init; } = UsualShareSyncsFrom;

    /// <summary>Large blocks go past the system's page cache (decision 0042). False keeps what was just written in memory for whoever reads it at once.</summary>
    public bool WritesDirectly { get; init; } = true;

    /// <summary>Larger writes never share: their own bytes take longer than a sync, and small ones should not wait for them.</summary>
    public int ShareSyncsUpToBytes { get; init; } = 1 << 20;
}
