using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// <c>by_id/</c>: any collection UUID, portable data hash, project, filter group or user UUID can be entered; only what was entered is listed
/// (mount.md section 2). A name that is none of them is missing without asking anybody.
/// </summary>
internal sealed partial class ByIdDirectory(SiteFileSystem site, bool pdhOnly, IReadOnlyDictionary<string, INode> always) : SiteDirectory(site)
{
    private readonly ConcurrentDictionary<string, SiteDirectory> _entered = new(StringComparer.Ordinal);

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
    {
        if (always.TryGetValue(name, out var fixedEntry))
        {
            return fixedEntry;
        }

        if (_entered.TryGetValue(name, out var known))
        {
            return known;
        }

        var found = PortableDataHash().IsMatch(name) || (!pdhOnly && CollectionUuid().IsMatch(name)) ? await FindCollectionAsync(Site, name, this, cancellationToken)
            : !pdhOnly && OwnerUuid().IsMatch(name) ? await FindOwnerAsync(name, cancellationToken)
            : null;
        if (found is null)
        {
            return null;
        }

        var entered = _entered.GetOrAdd(name, found);
        if (entered == found)
        {
            Site.Announce(new NodeChange(this, null));
        }
        else if (found is CollectionEntry unused)
        {
            await Site.UntrackAsync(unused);
        }

        return entered;
    }

    public override ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) =>
        new(Sorted(always.Concat(_entered.Select(entry => KeyValuePair.Create(entry.Key, (INode)entry.Value)))));

    public override void Vanished(CollectionEntry entry)
    {
        if (_entered.TryRemove(KeyValuePair.Create(entry.CollectionId, (SiteDirectory)entry)))
        {
            Site.Announce(new NodeChange(this, entry.CollectionId));
        }
    }

    /// <summary>Loads a collection by UUID or portable data hash; null when there is none or the filters hide it.</summary>
    public static async Task<CollectionEntry?> FindCollectionAsync(SiteFileSystem site, string id, SiteDirectory? parent, CancellationToken cancellationToken)
    {
        if (!await IsShownAsync(site, id, cancellationToken))
        {
            return null;
        }

        var record = await site.AskAsync(catalog => catalog.FindCollectionAsync(id, null, cancellationToken));
        if (record is null)
        {
            return null;
        }

        var entry = Manifests.PortableDataHash.IsPortableDataHash(id) ? CollectionEntry.OfContent(site, id, record.ModifiedAt ?? site.StartedAt)
            : record.CurrentVersionUuid is { } current && current != id ? CollectionEntry.OfVersion(site, id, record.ModifiedAt ?? site.StartedAt)
            : CollectionEntry.OfUuid(site, id, record.ModifiedAt ?? site.StartedAt, ownerMayWrite: false);
        (entry.Parent, entry.Name) = (parent, id);
        site.Track(entry);
        try
        {
            await entry.OpenAsync(record, cancellationToken);
            return entry;
        }
        catch
        {
            await site.UntrackAsync(entry);
            throw;
        }
    }

    private async Task<SiteDirectory?> FindOwnerAsync(string uuid, CancellationToken cancellationToken) =>
        uuid[6..11] == "j7d0g" && !await IsShownAsync(Site, uuid, cancellationToken) ? null : await SiteLayout.FindProjectAsync(Site, uuid, cancellationToken);

    private static async Task<bool> IsShownAsync(SiteFileSystem site, string id, CancellationToken cancellationToken) =>
        site.Options.Filters.IsEmpty || await site.AskAsync(catalog => catalog.IsShownAsync(id, site.Options.Filters, cancellationToken));

    [GeneratedRegex(@"\A[a-z0-9]{5}-4zz18-[a-z0-9]{15}\z", RegexOptions.CultureInvariant)]
    private static partial Regex CollectionUuid();

    [GeneratedRegex(@"\A[0-9a-f]{32}\+[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex PortableDataHash();

    [GeneratedRegex(@"\A[a-z0-9]{5}-(j7d0g|tpzed)-[a-z0-9]{15}\z", RegexOptions.CultureInvariant)]
    private static partial Regex OwnerUuid();
}
