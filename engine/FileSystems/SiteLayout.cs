namespace KeepFs.Engine.FileSystems;

/// <summary>Builds the root of a mount from what was asked for.</summary>
internal static class SiteLayout
{
    private static readonly byte[] Readme =
        """
        This is a mount of a Keep cluster. Not every directory is here:

        by_id/    enter any collection UUID, portable data hash, project UUID or user UUID; what you entered is listed afterwards
        by_tag/   collections by their tags
        home/     your own project; a directory made here is a new collection
        shared/   projects that others share with you
        users/    home projects by user name

        In every collection: .arvados#collection is its record, @versions/ and @at/2026-11-01T12:00/ are what it was before.

        """u8.ToArray();

    /// <exception cref="FsException">What should be mounted does not exist or may not be read.</exception>
    public static async Task<IDirectoryNode> BuildAsync(SiteFileSystem site, SiteRoot root, CancellationToken cancellationToken)
    {
        switch (root)
        {
            case SiteRoot.Only(SitePlace.ById or SitePlace.ByPdh) single:
                return new ByIdDirectory(site, single.Place == SitePlace.ByPdh, new Dictionary<string, INode>
                {
                    // A second node for the same thing: one directory cannot be its own child.
                    ["by_id"] = Make(site, single.Place),
                    ["README"] = ReadmeOf(site),
                });
            case SiteRoot.Only single:
                return (IDirectoryNode)Make(site, single.Place);
            case SiteRoot.Project project:
                return await FindProjectAsync(site, project.Uuid, cancellationToken)
                    ?? throw new FsException(FsError.NotFound, $"There is no project {project.Uuid}, or it may not be read with this token.");
            case SiteRoot.Collection collection:
                return await ByIdDirectory.FindCollectionAsync(site, collection.Id, parent: null, cancellationToken)
                    ?? throw new FsException(FsError.NotFound, $"There is no collection {collection.Id}, or it may not be read with this token.");
            case SiteRoot.Custom custom:
                var entries = custom.Places.ToDictionary(place => place.Name, place => Make(site, place.Place), StringComparer.Ordinal);
                if (entries.Values.OfType<ByIdDirectory>().Any())
                {
                    entries.TryAdd("README", ReadmeOf(site));
                }

                return new VirtualDirectory(site, entries);
            default:
                throw new ArgumentOutOfRangeException(nameof(root), root, "Not a kind of root.");
        }
    }

    public static async Task<ProjectDirectory?> FindProjectAsync(SiteFileSystem site, string uuid, CancellationToken cancellationToken)
    {
        if (uuid.Length == 27 && uuid[6..11] == "tpzed")
        {
            var user = await site.AskAsync(catalog => catalog.FindUserAsync(uuid, cancellationToken));
            return user is null ? null : new ProjectDirectory(site, uuid, isFilter: false, await site.MayWriteAsync(uuid, cancellationToken));
        }

        var group = await site.AskAsync(catalog => catalog.FindGroupAsync(uuid, cancellationToken));
        return group is { GroupClass: "project" or "filter" }
            ? new ProjectDirectory(site, uuid, group.GroupClass == "filter", await site.MayWriteAsync(uuid, cancellationToken))
            : null;
    }

    private static GeneratedFile ReadmeOf(SiteFileSystem site) => GeneratedFile.OfText(site, Readme);

    private static INode Make(SiteFileSystem site, SitePlace place) => place switch
    {
        SitePlace.ById => new ByIdDirectory(site, pdhOnly: false, new Dictionary<string, INode> { ["README"] = ReadmeOf(site) }),
        SitePlace.ByPdh => new ByIdDirectory(site, pdhOnly: true, new Dictionary<string, INode> { ["README"] = ReadmeOf(site) }),
        SitePlace.ByTag => new TagsDirectory(site),
        SitePlace.Home => new ProjectDirectory(site, site.User.Uuid, isFilter: false, !site.Options.IsReadOnly),
        SitePlace.Shared => new SharedDirectory(site),
        SitePlace.Users => new UsersDirectory(site),
        _ => CollectionEntry.Temporary(site),
    };
}
