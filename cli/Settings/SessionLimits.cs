using KeepFs.Engine.Client.DiskCache;

namespace KeepFs.Cli.Settings;

/// <summary>What a command's connection to a cluster may take.</summary>
/// <param name="CacheBytes">Memory for blocks that are read.</param>
/// <param name="WriteBytes">Memory for data that is not stored yet.</param>
/// <param name="Attempts">Passes over the keepstores before a block has failed.</param>
internal sealed record SessionLimits(long CacheBytes, long WriteBytes, int Attempts)
{
    /// <summary>A block cache on disk; null: only in memory.</summary>
    public DiskCacheOptions? Disk { get; init; }

    /// <summary>Tries of a request to the catalogue that can be repeated.</summary>
    public int CatalogAttempts { get; init; } = 4;

    /// <summary>Told when the disk cache has trouble.</summary>
    public Action<string> Log { get; init; } = line => Console.Error.WriteLine("keepfs: " + line);

    /// <summary>The disk cache of this user: <c>keep</c> below the Arvados cache directory (client-cli.md section 1.1).</summary>
    public static DiskCacheOptions UserDisk(string? directory, long bytes) => new()
    {
        Path = directory ?? Path.Combine(CacheRoot(), "keep"),
        CapacityBytes = bytes,
        BootId = DiskCacheOptions.CurrentBootId(),
    };

    private static string CacheRoot()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Environment.GetEnvironmentVariable("CACHE_DIRECTORY")?.Split(':', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault()
            ?? Path.Combine(Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(home, ".cache"), "arvados");
    }
}
