namespace KeepFs.Cli.Bench;

/// <summary>One row of the keepstore benchmark.</summary>
/// <param name="Method">GET, HEAD, PUT; or MIX, which stores and reads blocks of all sizes at once.</param>
/// <param name="SizeBytes">Of each block; of the largest of a mix.</param>
/// <param name="Connections">Busy at once.</param>
/// <param name="OnDisk">On the disk's volume, else on the one in memory.</param>
internal sealed record KeepstoreLoad(string Method, int SizeBytes, int Connections, bool OnDisk)
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;

    /// <summary>What is measured unless the command line says otherwise.</summary>
    public static readonly IReadOnlyList<KeepstoreLoad> Usual =
    [
        new("PUT", 64 * MiB, 1, false),
        new("PUT", 64 * MiB, 8, false),
        new("PUT", 64 * MiB, 8, true),
        new("GET", 64 * MiB, 1, false),
        new("GET", 64 * MiB, 8, false),
        new("PUT", MiB, 8, false),
        new("GET", MiB, 64, false),
        new("PUT", 4 * KiB, 64, false),
        new("PUT", 4 * KiB, 64, true),
        new("GET", 4 * KiB, 64, false),
        new("HEAD", 4 * KiB, 64, false),
        new("MIX", 64 * MiB, 32, false),
    ];

    /// <summary>What a mix is made of: many small ones, some large, so that buffers of every size are wanted all the time.</summary>
    public static readonly IReadOnlyList<(int SizeBytes, int Count)> Mix =
        [(4 * KiB, 4000), (64 * KiB, 500), (MiB, 100), (3 * MiB, 40), (20 * MiB, 8), (64 * MiB, 6)];

    /// <summary>Every method, size and number of connections, in memory.</summary>
    public static readonly IReadOnlyList<KeepstoreLoad> All =
    [
        .. from size in (int[])[4 * KiB, MiB, 64 * MiB]
           from connections in (int[])[1, 8, 64]
           from method in (string[])["PUT", "GET", "HEAD"]
           select new KeepstoreLoad(method, size, connections, false),
    ];

    public bool Stores => Method == "PUT";

    /// <summary>
    /// Whether a round's blocks are taken away before the next. Small ones on a disk stay: ext4 avoids inodes that were deleted in the last seconds,
    /// and looking for others would be most of what is measured.
    /// </summary>
    public bool IsCleaned => !OnDisk || SizeBytes >= MiB;

    /// <summary>Whether the row is about durable small writes, to be compared with one fsync for each.</summary>
    public bool IsAboutSyncs => Stores && OnDisk && SizeBytes < MiB;

    public bool Mixes => Method == "MIX";

    /// <summary>Blocks stored in a round: different ones, enough to be long and few enough for a volume in memory.</summary>
    public int StoredPerRound => SizeBytes switch
    {
        >= 64 * MiB => 3 * Math.Max(8, Connections),
        >= MiB => 1024,
        _ => OnDisk ? 8_192 : 40_000,
    };

    /// <summary>Different blocks that are read over and over: a hot set.</summary>
    public int ReadSet => SizeBytes switch
    {
        >= 64 * MiB => 8,
        >= MiB => 256,
        _ => 4096,
    };

    public override string ToString() => $"{Method} {Output.Readable.Bytes(SizeBytes).Replace(".0", "", StringComparison.Ordinal)}, {Connections} clients, {(OnDisk ? "disk" : "memory")}";
}
