namespace KeepFs.Cli.Bench.Web;

/// <summary>What <c>keepfs bench web</c> is asked to do.</summary>
internal sealed record WebBenchOptions
{
    /// <summary>A folder on a disk, for everything.</summary>
    public required string Folder { get; init; }

    /// <summary>How often each load runs on each server.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Size of the file that is read and written in one piece.</summary>
    public int FileBytes { get; init; } = 512 << 20;

    /// <summary>Small files that are put and got in one round.</summary>
    public int Files { get; init; } = 1000;

    /// <summary>Files in the folders that are listed, one load each.</summary>
    public IReadOnlyList<int> Listed { get; init; } = [10_000, 100_000];

    /// <summary>How long a reading load lasts.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Only loads whose name contains this.</summary>
    public string Only { get; init; } = "";

    /// <summary>Only these peers, besides our own.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [RclonePeer.Title, NginxPeer.Title, ApachePeer.Title];

    /// <summary>One JSON object for each row instead of a table.</summary>
    public bool Json { get; init; }
}
