using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// <c>@versions/</c> in a collection: every version that the catalogue keeps, by its number, read-only; its time is the directory's. The current one is
/// shown by its content, so that it does not change under a reader (docs/decisions/0020).
/// </summary>
internal sealed class VersionsDirectory(SiteFileSystem site, string uuid) : NamedDirectory(site)
{
    public const string EntryName = "@versions";

    /// <summary>A save a moment ago may have made a version, or changed the current one.</summary>
    protected override TimeSpan Lifetime => TimeSpan.FromSeconds(1);

    protected override async Task<IReadOnlyList<(string Name, string Key, Func<SiteDirectory> Make)>> LoadAsync(CancellationToken cancellationToken)
    {
        var versions = await Site.AskAsync(catalog => catalog.ListVersionsAsync(uuid, cancellationToken));
        return [.. versions.Select(version =>
        {
            var name = version.Version.ToString(System.Globalization.CultureInfo.InvariantCulture);
            return (name, $"{name} {version.PortableDataHash}", (Func<SiteDirectory>)(() => Entry(Site, this, name, version)));
        })];
    }

    /// <summary>One version as a directory.</summary>
    public static CollectionEntry Entry(SiteFileSystem site, SiteDirectory parent, string name, Collection version)
    {
        var isCurrent = version.Uuid == version.CurrentVersionUuid;
        var entry = isCurrent
            ? CollectionEntry.OfContent(site, version.PortableDataHash, version.ModifiedAt ?? site.StartedAt)
            : CollectionEntry.OfVersion(site, version.Uuid, version.ModifiedAt ?? site.StartedAt);
        (entry.Parent, entry.Name) = (parent, name);
        return site.Track(entry);
    }
}
