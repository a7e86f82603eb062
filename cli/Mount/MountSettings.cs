using KeepFs.Engine.FileSystems;
using KeepFs.Fuse;

namespace KeepFs.Cli.Mount;

/// <summary>What a mount command asks for, checked.</summary>
internal sealed record MountSettings
{
    public required FuseMountOptions Fuse { get; init; }

    public SiteOptions Site { get; init; } = new();

    public CollectionOptions Collections { get; init; } = new();

    public BlockCacheSettings Cache { get; init; } = new();

    /// <summary>Where changes are recorded until they are saved; null = the user's own folder for this cluster.</summary>
    public string? JournalFolder { get; init; }

    /// <summary>Tries after the first one, at the catalogue and over all keepstores; null = the program's own numbers.</summary>
    public int? Retries { get; init; }

    /// <summary>Change events are used where the cluster offers them.</summary>
    public bool Listens { get; init; } = true;

    /// <summary>Statistics go to standard error this often; zero = never.</summary>
    public TimeSpan StatisticsInterval { get; init; }

    /// <summary>More is logged.</summary>
    public bool IsVerbose { get; init; }

    /// <summary>Gets each line of the log.</summary>
    public Action<string> Log { get; init; } = static line => Console.Error.WriteLine("keepfs: " + line);
}
