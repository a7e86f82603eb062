using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>What a mount shows and how stale it may be.</summary>
public sealed record SiteOptions
{
    /// <summary>What stands at the root.</summary>
    public SiteRoot Root { get; init; } = SiteRoot.AllWithUsers;

    /// <summary>Nothing can be changed, except in temporary collections.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Listings and collections are asked for again after this time (arv-mount's <c>--refresh-time</c>).</summary>
    public TimeSpan RefreshTime { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>While change events arrive, collections are still compared with the catalogue after this many refresh times, in case one was lost.</summary>
    public int RefreshesWithEvents { get; init; } = 20;

    /// <summary>Only what passes is listed (arv-mount's <c>--filters</c>).</summary>
    public CatalogFilters Filters { get; init; } = CatalogFilters.None;

    /// <summary>Storage classes of collections that are created here; empty = the site's defaults.</summary>
    public IReadOnlyList<string> StorageClasses { get; init; } = [];

    /// <summary>
    /// Memory for the metadata of collections that were looked into, by the estimate of mount.md section 7; the least recently used ones that
    /// nobody refers to are closed when it is spent.
    /// </summary>
    public long MetadataBytes { get; init; } = 128L << 20;

    /// <summary>Totals for statfs; the Keep protocols do not tell them, and programs refuse to write where nothing seems free.</summary>
    public FileSystemTotals Totals { get; init; } = new(1L << 50, 1L << 49);
}
