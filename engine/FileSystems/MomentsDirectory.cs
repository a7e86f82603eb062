namespace KeepFs.Engine.FileSystems;

/// <summary>
/// <c>@at/</c> in a collection: <c>@at/2026-11-01T12:00/</c> is what the collection was then, read-only. Lists nothing: every moment is there.
/// </summary>
internal sealed class MomentsDirectory(SiteFileSystem site, string uuid) : SiteDirectory(site)
{
    public const string EntryName = "@at";

    /// <summary>Moments that are remembered so that their directories stay the same; more than a person or a script compares at once.</summary>
    private const int MaxRemembered = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Version, CollectionEntry Entry)> _moments = new(StringComparer.Ordinal);

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
    {
        if (!VersionTime.TryParse(name, Site.Services.Time.LocalTimeZone, out var time))
        {
            return null;
        }

        var versions = await Site.AskAsync(catalog => catalog.ListVersionsAsync(uuid, cancellationToken));
        if (VersionTime.At(versions, time) is not { } version)
        {
            return null;
        }

        List<CollectionEntry> forgotten = [];
        CollectionEntry entry;
        lock (_lock)
        {
            var key = $"{version.Version} {version.PortableDataHash}";
            if (_moments.TryGetValue(name, out var known) && known.Version == key)
            {
                return known.Entry;
            }

            if (_moments.Count >= MaxRemembered)
            {
                foreach (var (old, moment) in _moments.Where(moment => !moment.Value.Entry.IsHeld).ToArray())
                {
                    _moments.Remove(old);
                    forgotten.Add(moment.Entry);
                }
            }

            entry = VersionsDirectory.Entry(Site, this, name, version);
            _moments[name] = (key, entry);
        }

        foreach (var old in forgotten)
        {
            await Site.UntrackAsync(old);
        }

        return entry;
    }

    public override ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) => new([]);
}
