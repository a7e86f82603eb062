using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// <c>by_id/</c>: any collection UUID, portable data hash, project or user UUID can be entered; only what was entered is listed (mount.md section 2).
/// </summary>
internal sealed partial class ByIdDirectory(SiteFileSystem site) : SiteDirectory(site)
{
    private readonly ConcurrentDictionary<string, SiteDirectory> _entered = new(StringComparer.Ordinal);

    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) =>
        new(new NodeAttributes(NodeKind.Directory, 0, Site.StartedAt, IsWritable: false, IsCacheable: false));

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
    {
        if (_entered.TryGetValue(name, out var known))
        {
            return known;
        }

        var found = CollectionId().IsMatch(name) ? await FindCollectionAsync(name, cancellationToken)
            : OwnerId().IsMatch(name) ? await FindOwnerAsync(name, cancellationToken)
            : null;
        if (found is null)
        {
            return null;
        }

        var entered = _entered.GetOrAdd(name, found);
        if (entered == found)
        {
            if (found is CollectionEntry entry)
            {
                Site.Track(entry);
            }

            Site.Announce(new NodeChange(this, null));
        }
        else if (found is CollectionEntry unused)
        {
            await unused.DisposeAsync();
        }

        return entered;
    }

    public override ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken) =>
        new([.. _entered.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => new DirectoryEntry(entry.Key, NodeKind.Directory, entry.Value.Id))]);

    private async Task<SiteDirectory?> FindCollectionAsync(string id, CancellationToken cancellationToken)
    {
        var record = await Site.AskAsync(catalog => catalog.FindCollectionAsync(id, null, cancellationToken));
        if (record is null)
        {
            return null;
        }

        var mayWrite = !Manifests.PortableDataHash.IsPortableDataHash(id) && await Site.MayWriteAsync(record.OwnerUuid, cancellationToken)
            && (record.CurrentVersionUuid is null || record.CurrentVersionUuid == record.Uuid);
        var entry = new CollectionEntry(Site, id, record.ModifiedAt ?? Site.StartedAt, mayWrite);
        entry.Open(record);
        return entry;
    }

    private async Task<SiteDirectory?> FindOwnerAsync(string uuid, CancellationToken cancellationToken)
    {
        if (uuid[6..11] == "tpzed")
        {
            var user = await Site.AskAsync(catalog => catalog.FindUserAsync(uuid, cancellationToken));
            return user is null ? null : new ProjectDirectory(Site, uuid, await Site.MayWriteAsync(uuid, cancellationToken));
        }

        var group = await Site.AskAsync(catalog => catalog.FindGroupAsync(uuid, cancellationToken));
        return group is { GroupClass: "project" or "filter" } ? new ProjectDirectory(Site, uuid, await Site.MayWriteAsync(uuid, cancellationToken)) : null;
    }

    [GeneratedRegex(@"\A([a-z0-9]{5}-4zz18-[a-z0-9]{15}|[0-9a-f]{32}\+[0-9]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex CollectionId();

    [GeneratedRegex(@"\A[a-z0-9]{5}-(j7d0g|tpzed)-[a-z0-9]{15}\z", RegexOptions.CultureInvariant)]
    private static partial Regex OwnerId();
}
