using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Sessions;

namespace KeepFs.WebDav.Tree;

/// <summary>Looks up what a path names for one token, and lists projects. Safe for concurrent use.</summary>
/// <param name="slashSubstitution">ForwardSlashNameSubstitution: "" hides records whose names hold a slash.</param>
internal sealed class TreeResolver(string slashSubstitution)
{
    private bool Substitutes => slashSubstitution is not ("" or "/");

    public async ValueTask<Place> ResolveAsync(Session session, SitePath path, CancellationToken cancellationToken)
    {
        switch (path.Form)
        {
            case SiteForm.Root:
                await session.GetUserAsync(cancellationToken);
                return new SitePlace(SiteKind.Root);
            case SiteForm.ById:
                await session.GetUserAsync(cancellationToken);
                return new SitePlace(SiteKind.ById);
            case SiteForm.Users:
                await session.GetUserAsync(cancellationToken);
                return new SitePlace(SiteKind.Users);
            case SiteForm.Home:
                return await WalkAsync(session, new ProjectPlace((await session.GetUserAsync(cancellationToken)).Uuid, null), path.Rest, cancellationToken);
            case SiteForm.User:
                return await session.Catalog.FindUserByNameAsync(path.Id, cancellationToken) is { } user
                    ? await WalkAsync(session, new ProjectPlace(user.Uuid, null), path.Rest, cancellationToken)
                    : new NoPlace(IsRootFound: false);
            case SiteForm.None:
                return new NoPlace(IsRootFound: false);
            default:
                return await FromIdAsync(session, path, cancellationToken);
        }
    }

    /// <summary>Where a path inside a collection leads by what is known; null when not enough is.</summary>
    public PresumedPlace? Presume(Session session, SitePath path)
    {
        var uuid = path.Form switch
        {
            SiteForm.Home => session.KnownUser?.Uuid,
            SiteForm.Object or SiteForm.Collection or SiteForm.Host or SiteForm.Shared => path.Id,
            _ => null,
        };
        var expects = new List<DavExpectation>();
        var used = 0;
        for (; uuid is not null && !SitePath.IsCollectionId(uuid); used++)
        {
            // What shows under another name than its own is looked up.
            if (used == path.Rest.Count || RecordName(path.Rest[used]) != path.Rest[used] || session.Known.Find(uuid, path.Rest[used]) is not { } next)
            {
                return null;
            }

            expects.Add(new DavExpectation(next, uuid, path.Rest[used]));
            uuid = next;
        }

        return uuid is null || used == path.Rest.Count || session.Known.FindOptions(uuid) is not { } options
            ? null : new PresumedPlace(uuid, string.Join('/', path.Rest.Skip(used)), options, expects);
    }

    /// <summary>Entries of a project or home by the name under which they show; where two would show alike the project wins.</summary>
    public async Task<SortedDictionary<string, ProjectItem>> ListAsync(Session session, string ownerUuid, CancellationToken cancellationToken)
    {
        var entries = new SortedDictionary<string, ProjectItem>(Engine.Manifests.Utf8Order.Instance);
        await foreach (var item in session.Catalog.ListContentsAsync(ownerUuid, cancellationToken))
        {
            if (ShownName(item.Name) is { } name)
            {
                entries.TryAdd(name, item);
            }
        }

        return entries;
    }

    /// <summary>Names of the users that the token can see, sorted.</summary>
    public async Task<IReadOnlyList<string>> UserNamesAsync(Session session, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var user in session.Catalog.ListUsersAsync(cancellationToken))
        {
            if (ShownName(user.Username) is { } name)
            {
                names.Add(name);
            }
        }

        names.Sort(Engine.Manifests.Utf8Order.Instance);
        return names;
    }

    /// <summary>The name that a record gets for a name in a URL.</summary>
    public string RecordName(string name) => Substitutes ? name.Replace(slashSubstitution, "/", StringComparison.Ordinal) : name;

    private string? ShownName(string? name) => name switch
    {
        null or "" or "." or ".." => null,
        _ when !name.Contains('/', StringComparison.Ordinal) => name,
        _ => Substitutes ? name.Replace("/", slashSubstitution, StringComparison.Ordinal) : null,
    };

    private async ValueTask<Place> FromIdAsync(Session session, SitePath path, CancellationToken cancellationToken)
    {
        if (SitePath.IsCollectionId(path.Id))
        {
            var collection = await session.OpenAsync(path.Id, cancellationToken);
            return collection is null ? new NoPlace(IsRootFound: false) : Inside(collection, path.Rest, isServedRoot: path.Form != SiteForm.Object);
        }

        if (SitePath.IsGroupId(path.Id))
        {
            return await session.Catalog.FindGroupAsync(path.Id, cancellationToken) is { GroupClass: "project" or "filter" } group
                ? await WalkAsync(session, new ProjectPlace(group.Uuid, null), path.Rest, cancellationToken)
                : new NoPlace(IsRootFound: false);
        }

        return SitePath.IsUserId(path.Id) && await session.Catalog.FindUserAsync(path.Id, cancellationToken) is { } user
            ? await WalkAsync(session, new ProjectPlace(user.Uuid, null), path.Rest, cancellationToken)
            : new NoPlace(IsRootFound: false);
    }

    private async ValueTask<Place> WalkAsync(Session session, ProjectPlace project, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (await ReopenAsync(session, project.Uuid, names[i], cancellationToken) is { } known)
            {
                return Inside(known, names.Skip(i + 1), isServedRoot: false);
            }

            if (await FindAsync(session, project.Uuid, names[i], cancellationToken) is not { } item)
            {
                return i == names.Count - 1 ? new FreeName(project, names[i]) : new NoPlace(IsRootFound: true);
            }

            session.Known.Remember(project.Uuid, names[i], item.Uuid);
            if (item.IsCollection)
            {
                // Removed between the two requests: the name is free now.
                return await session.OpenAsync(item.Uuid, cancellationToken) is { } collection
                    ? Inside(collection, names.Skip(i + 1), isServedRoot: false)
                    : i == names.Count - 1 ? new FreeName(project, names[i]) : new NoPlace(IsRootFound: true);
            }

            project = new ProjectPlace(item.Uuid, item);
        }

        return project;
    }

    /// <summary>The collection that had the name last time, if it has it still: one request to the catalogue instead of three.</summary>
    private async ValueTask<OpenCollection?> ReopenAsync(Session session, string owner, string name, CancellationToken cancellationToken) =>
        session.Known.Find(owner, name) is { } uuid && SitePath.IsCollectionId(uuid) && await session.OpenAsync(uuid, cancellationToken) is { } known && known.Record.OwnerUuid == owner
        && (known.Record.Name == name || known.Record.Name == RecordName(name)) ? known : null;

    /// <summary>The exact name first, then with the substitution turned back (keep-web.md 2.3).</summary>
    private async ValueTask<ProjectItem?> FindAsync(Session session, string owner, string name, CancellationToken cancellationToken)
    {
        var item = await session.Catalog.FindByNameAsync(owner, name, cancellationToken);
        return item is null && Substitutes && RecordName(name) is var original && original != name
            ? await session.Catalog.FindByNameAsync(owner, original, cancellationToken)
            : item;
    }

    private static CollectionPlace Inside(OpenCollection collection, IEnumerable<string> names, bool isServedRoot)
    {
        var path = string.Join('/', names);
        return new CollectionPlace(collection, path, collection.Tree.Find(path), isServedRoot);
    }
}
