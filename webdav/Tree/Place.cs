using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Sessions;

namespace KeepFs.WebDav.Tree;

/// <summary>What a URL names. Closed: the kinds below are all there are.</summary>
internal abstract record Place
{
    /// <summary>Names something that can be listed.</summary>
    public virtual bool IsDirectory => true;

    /// <summary>Names something at all.</summary>
    public virtual bool Exists => true;

    /// <summary>Time of the last change as far as it is known.</summary>
    public virtual DateTimeOffset ModifiedAt => DateTimeOffset.UnixEpoch;
}

/// <summary>The root, <c>/by_id</c> and <c>/users</c>: made up by this server, never writable.</summary>
internal sealed record SitePlace(SiteKind Kind) : Place;

/// <summary>Which made-up directory.</summary>
internal enum SiteKind
{
    Root,
    ById,
    Users,
}

/// <summary>A project, filter group, or a user's home.</summary>
/// <param name="Uuid">Of the group or user.</param>
/// <param name="Item">The record when it was found in its owner; null for a home or the root of the served tree.</param>
internal sealed record ProjectPlace(string Uuid, ProjectItem? Item) : Place
{
    public override DateTimeOffset ModifiedAt => Item?.ModifiedAt ?? DateTimeOffset.UnixEpoch;
}

/// <summary>A path inside a collection.</summary>
/// <param name="Collection">The collection as it is now.</param>
/// <param name="Path">Without leading slash; empty for the root.</param>
/// <param name="Node">Null when there is nothing at the path.</param>
/// <param name="IsServedRoot">The collection is what the URL is about (<c>/c=ID</c>), not an entry of a project: it cannot be moved or removed.</param>
internal sealed record CollectionPlace(OpenCollection Collection, string Path, ManifestNode? Node, bool IsServedRoot) : Place
{
    public override bool IsDirectory => Node is ManifestDirectory;

    public override bool Exists => Node is not null;

    public override DateTimeOffset ModifiedAt => Collection.ModifiedAt;

    public bool IsRoot => Path.Length == 0;

    public ManifestFile? File => Node as ManifestFile;

    /// <summary>The directory that holds, or would hold, the node.</summary>
    public ManifestNode? Parent => Path.LastIndexOf('/') is >= 0 and var slash ? Collection.Tree.Find(Path[..slash]) : Collection.Tree.Root;

    /// <summary>The last component.</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];
}

/// <summary>A name that nothing has in an existing project.</summary>
internal sealed record FreeName(ProjectPlace Parent, string Name) : Place
{
    public override bool IsDirectory => false;

    public override bool Exists => false;
}

/// <summary>
/// A path in a collection that nobody looked at, because the catalogue checks what is presumed when it saves. Only a small PUT that depends on nothing else
/// gets one; when it is refused, the path is looked up.
/// </summary>
/// <param name="Uuid">The collection.</param>
/// <param name="Path">Without leading slash; never empty.</param>
/// <param name="WriteOptions">How its new blocks are to be stored.</param>
/// <param name="Expects">The names by which the collection was found.</param>
internal sealed record PresumedPlace(string Uuid, string Path, BlockWriteOptions WriteOptions, IReadOnlyList<DavExpectation> Expects) : Place
{
    public override bool IsDirectory => false;
}

/// <summary>A path whose parent does not exist, or that this token may not see.</summary>
/// <param name="IsRootFound">What the URL starts from (collection, project, user) exists for this token.</param>
internal sealed record NoPlace(bool IsRootFound) : Place
{
    public override bool IsDirectory => false;

    public override bool Exists => false;
}
