namespace KeepFs.Engine.FileSystems;

/// <summary>
/// <c>shared/</c>: the owners of projects that others share with the user, by name; a project whose owner may not be read stands here itself
/// (mount.md section 2). An owner's directory holds what is readable of it.
/// </summary>
internal sealed class SharedDirectory(SiteFileSystem site) : NamedDirectory(site)
{
    protected override async Task<IReadOnlyList<(string Name, string Key, Func<SiteDirectory> Make)>> LoadAsync(CancellationToken cancellationToken)
    {
        var shared = await Site.AskAsync(catalog => catalog.ListSharedAsync(Site.Options.Filters, cancellationToken));
        var owners = shared.Owners.ToDictionary(owner => owner.Uuid, StringComparer.Ordinal);
        var places = new List<(string? Name, string Uuid, bool IsFilter, bool MayWrite)>();
        foreach (var project in shared.Projects)
        {
            places.Add(project.OwnerUuid is { } owner && owners.GetValueOrDefault(owner) is { DisplayName.Length: > 0 } known
                ? (known.DisplayName, known.Uuid, false, known.CanWrite == true)
                : (project.Name, project.Uuid, project.GroupClass == "filter", project.CanWrite == true));
        }

        // In a fixed order, so that of two people with one name the same one is shown each time; the other is found by its UUID.
        var distinct = places.DistinctBy(place => place.Uuid).OrderBy(place => place.Uuid, StringComparer.Ordinal);
        return NodeName.Distinct(distinct, place => place.Name, Site.Config.ForwardSlashNameSubstitution)
            .Select(entry => (entry.Name, entry.Item.Uuid, (Func<SiteDirectory>)(() => new ProjectDirectory(
                Site, entry.Item.Uuid, entry.Item.IsFilter, entry.Item is { IsFilter: false, MayWrite: true } && !Site.Options.IsReadOnly)))).ToList();
    }
}
