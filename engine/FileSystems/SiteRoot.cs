namespace KeepFs.Engine.FileSystems;

/// <summary>A kind of directory that can stand at the root of a mount or, with <see cref="SiteRoot.Custom"/>, anywhere in it.</summary>
public enum SitePlace
{
    /// <summary>Any collection, project or user by its id.</summary>
    ById,

    /// <summary>Any content by its portable data hash.</summary>
    ByPdh,

    /// <summary>Collections by their tags.</summary>
    ByTag,

    /// <summary>The user's home project.</summary>
    Home,

    /// <summary>What others share with the user.</summary>
    Shared,

    /// <summary>The home projects of all users that can be seen, by user name.</summary>
    Users,

    /// <summary>A collection that is never saved.</summary>
    Tmp,
}

/// <summary>What stands at the root of a mount (mount.md section 1).</summary>
public abstract record SiteRoot
{
    private SiteRoot()
    {
    }

    /// <summary>Several places by name.</summary>
    /// <param name="Places">Name and place; names are single path components.</param>
    public sealed record Custom(IReadOnlyList<(string Name, SitePlace Place)> Places) : SiteRoot;

    /// <summary>One place is the root itself.</summary>
    public sealed record Only(SitePlace Place) : SiteRoot;

    /// <summary>A project, filter group or home.</summary>
    public sealed record Project(string Uuid) : SiteRoot;

    /// <summary>A collection by UUID or portable data hash.</summary>
    public sealed record Collection(string Id) : SiteRoot;

    /// <summary>What <c>arv-mount --all</c> shows.</summary>
    public static SiteRoot All { get; } = new Custom([("by_id", SitePlace.ById), ("by_tag", SitePlace.ByTag), ("home", SitePlace.Home), ("shared", SitePlace.Shared)]);

    /// <summary>What <c>keepfs mount</c> shows unless told otherwise.</summary>
    public static SiteRoot AllWithUsers { get; } = new Custom([.. ((Custom)All).Places, ("users", SitePlace.Users)]);

    /// <summary>Something in it can be written to even if the mount is read-only.</summary>
    public bool HasTmp => this is Custom { Places: var places } && places.Any(place => place.Place == SitePlace.Tmp);
}
