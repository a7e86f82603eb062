namespace KeepFs.Engine.FileSystems;

/// <summary>What a mount shows and how stale it may be.</summary>
public sealed record SiteOptions
{
    /// <summary>Nothing can be changed.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Listings and collections are asked for again after this time (arv-mount's <c>--refresh-time</c>).</summary>
    public TimeSpan RefreshTime { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Totals for statfs; the Keep protocols do not tell them, and programs refuse to write where nothing seems free.</summary>
    public FileSystemTotals Totals { get; init; } = new(1L << 50, 1L << 49);
}
