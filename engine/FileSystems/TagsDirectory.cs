using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.FileSystems;

/// <summary><c>by_tag/</c>: the names of readable tags; others that exist can be entered and are listed then (mount.md section 2).</summary>
internal sealed class TagsDirectory(SiteFileSystem site) : NamedDirectory(site)
{
    private const int MaxListed = 1000;

    /// <summary>Tags change rarely and have no events of their own: mount.md says 60 s, or the refresh time if that is longer.</summary>
    protected override TimeSpan Lifetime => Site.Options.RefreshTime > TimeSpan.FromSeconds(60) ? Site.Options.RefreshTime : TimeSpan.FromSeconds(60);

    public override async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
    {
        if (await base.LookupAsync(name, cancellationToken) is { } listed)
        {
            return listed;
        }

        foreach (var tag in NodeName.RecordNamesOf(name, Site.Config.ForwardSlashNameSubstitution))
        {
            if (await Site.AskAsync(catalog => catalog.HasTagAsync(tag, cancellationToken)))
            {
                return Add(name, tag, () => new TagDirectory(Site, tag));
            }
        }

        return null;
    }

    protected override async Task<IReadOnlyList<(string Name, string Key, Func<SiteDirectory> Make)>> LoadAsync(CancellationToken cancellationToken)
    {
        var tags = await Site.AskAsync(catalog => catalog.ListTagsAsync(MaxListed, cancellationToken));
        return NodeName.Distinct(tags, tag => tag, Site.Config.ForwardSlashNameSubstitution)
            .Select(entry => (entry.Name, entry.Item, (Func<SiteDirectory>)(() => new TagDirectory(Site, entry.Item)))).ToList();
    }

    /// <summary>The collections that carry one tag, by UUID.</summary>
    private sealed class TagDirectory(SiteFileSystem site, string tag) : NamedDirectory(site)
    {
        protected override async Task<IReadOnlyList<(string Name, string Key, Func<SiteDirectory> Make)>> LoadAsync(CancellationToken cancellationToken)
        {
            var collections = await Site.AskAsync(catalog => catalog.ListTaggedAsync(tag, Site.Options.Filters, cancellationToken));
            return [.. collections.Select(found => (found.Uuid, found.Uuid, (Func<SiteDirectory>)(() => MakeEntry(found))))];
        }

        private CollectionEntry MakeEntry(Collection found)
        {
            var entry = CollectionEntry.OfUuid(Site, found.Uuid, found.ModifiedAt ?? Site.StartedAt, ownerMayWrite: false);
            (entry.Parent, entry.Name) = (this, found.Uuid);
            return Site.Track(entry);
        }
    }
}
