namespace KeepFs.Engine.Mounts;

/// <summary>How a <see cref="Scrubber"/> works.</summary>
public sealed record ScrubOptions
{
    /// <summary>Whether it runs by itself; otherwise only when it is told to.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Bytes a second on each mount; 0 = as fast as it can. 20 MiB/s reads a disk of 16 TB in nine days and takes a tenth of what it can do.
    /// </summary>
    public long BytesPerSecond { get; init; } = 20 << 20;

    /// <summary>From the end of a pass to the start of the next: the bound on how long a bad copy stays unseen, with the time of a pass.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromDays(14);

    /// <summary>After the start of the process: a node that has just come back has other things to do.</summary>
    public TimeSpan StartDelay { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often it looks whether the node is idle (again).</summary>
    public TimeSpan IdlePoll { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>On a node that is never idle one block is checked each time this has passed, so that a pass still ends.</summary>
    public TimeSpan BusyPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the position is saved; so much is read again after a crash.</summary>
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What one block costs beyond its bytes, in bytes: a seek and a request.</summary>
    public long BytesPerBlock { get; init; } = 64 << 10;
}
