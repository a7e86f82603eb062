namespace KeepFs.Engine.FileSystems;

/// <summary><c>users/</c>: home projects by user name, of the users that the token can see (mount.md section 9).</summary>
internal sealed class UsersDirectory(SiteFileSystem site) : NamedDirectory(site)
{
    protected override async Task<IReadOnlyList<(string Name, string Key, Func<SiteDirectory> Make)>> LoadAsync(CancellationToken cancellationToken)
    {
        var users = await Site.AskAsync(catalog => catalog.ListUsersAsync(cancellationToken).ToListAsync(cancellationToken).AsTask());
        return NodeName.Distinct(users, user => user.Username, Site.Config.ForwardSlashNameSubstitution)
            .Select(entry => (entry.Name, entry.Item.Uuid, (Func<SiteDirectory>)(() => new ProjectDirectory(
                Site, entry.Item.Uuid, isFilter: false, Site.OwnsHome(entry.Item.Uuid))))).ToList();
    }
}
