namespace KeepFs.Cli.Bench.Mounts;

/// <summary>What <c>keepfs bench mount</c> is asked to do.</summary>
internal sealed record MountBenchOptions
{
    /// <summary>A folder on a disk, for everything.</summary>
    public required string Folder { get; init; }

    /// <summary>How often each load runs on each mount.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Size of the file that is read and written in sequence.</summary>
    public long FileBytes { get; init; } = 1L << 30;

    /// <summary>Small files that are created, listed and looked at.</summary>
    public int Files { get; init; } = 10_000;

    /// <summary>How long random reading lasts.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Only loads whose name contains this.</summary>
    public string Only { get; init; } = "";

    /// <summary>Only these peers, besides our own.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [PassthroughPeer.Title, RclonePeer.Title, LocalPeer.Title];

    /// <summary>One JSON object for each row instead of a table.</summary>
    public bool Json { get; init; }
}
