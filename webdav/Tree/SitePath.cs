using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Requests;

namespace KeepFs.WebDav.Tree;

/// <summary>A URL path sorted by its form (keep-web.md 2.2), before anything is looked up.</summary>
/// <param name="Form">Which form.</param>
/// <param name="Id">UUID or portable data hash of the forms that have one; user name for <see cref="SiteForm.User"/>.</param>
/// <param name="PathToken">The token of a sharing link, or null.</param>
/// <param name="Rest">What follows, to be looked up from there.</param>
internal sealed record SitePath(SiteForm Form, string Id, string? PathToken, IReadOnlyList<string> Rest)
{
    private const int UuidLength = 27;

    /// <summary>How many components of <see cref="Rest"/> no URL shows (<see cref="ProxyView"/>).</summary>
    public int HiddenDepth { get; init; }

    /// <summary>Sorts a path.</summary>
    /// <param name="path">The path.</param>
    /// <param name="hostId">What the host name says that all paths are in, or null.</param>
    /// <exception cref="FsException">A component behind the id can be no name: ".", "..", a slash, longer than 255 bytes.</exception>
    public static SitePath Of(RequestPath path, string? hostId = null)
    {
        var names = path.Names;
        if (hostId is not null)
        {
            return Inside(SiteForm.Host, hostId, names, 0);
        }

        return names switch
        {
            [] => new SitePath(SiteForm.Root, "", null, []),
            ["by_id"] => new SitePath(SiteForm.ById, "", null, []),
            ["by_id", var id, ..] => new SitePath(SiteForm.Object, IdOf(id), null, After(names, 2)),
            ["users"] => new SitePath(SiteForm.Users, "", null, []),
            ["users", var name, ..] => new SitePath(SiteForm.User, name, null, After(names, 2)),
            ["home", ..] => new SitePath(SiteForm.Home, "", null, After(names, 1)),
            ["collections", "download", var id, var token, ..] => new SitePath(SiteForm.Shared, IdOf(id), token, After(names, 4)),
            ["collections", var id, ..] => new SitePath(SiteForm.Anonymous, IdOf(id), null, After(names, 2)),
            [var first, ..] when first.StartsWith("c=", StringComparison.Ordinal) => Inside(SiteForm.Collection, IdOf(first[2..]), names, 1),
            _ => new SitePath(SiteForm.None, "", null, []),
        };
    }

    /// <summary>The id names a collection by UUID or content.</summary>
    public static bool IsCollectionId(string id) => PortableDataHash.IsPortableDataHash(id) || (id.Length == UuidLength && id.AsSpan(5, 7) is "-4zz18-");

    public static bool IsGroupId(string id) => id.Length == UuidLength && id.AsSpan(5, 7) is "-j7d0g-";

    public static bool IsUserId(string id) => id.Length == UuidLength && id.AsSpan(5, 7) is "-tpzed-";

    private static SitePath Inside(SiteForm form, string id, IReadOnlyList<string> names, int skip)
    {
        string? token = null;
        if (names.Count > skip && names[skip].StartsWith("t=", StringComparison.Ordinal))
        {
            token = names[skip++][2..];
        }

        // "_" lets a file be called "t=..." (keep-web.md 2.2).
        if (names.Count > skip && names[skip] == "_")
        {
            skip++;
        }

        return new SitePath(form, id, token, After(names, skip));
    }

    /// <summary>A portable data hash may be written with "-" or a space for its plus sign.</summary>
    public static string IdOf(string text) => text.Length > 33 && text[32] is ' ' or '-' && PortableDataHash.IsPortableDataHash(text[..32] + "+" + text[33..])
        ? text[..32] + "+" + text[33..] : text;

    private static string[] After(IReadOnlyList<string> names, int from)
    {
        var rest = names.Skip(from).ToArray();
        Array.ForEach(rest, NodeName.Check);
        return rest;
    }
}

/// <summary>The URL forms.</summary>
internal enum SiteForm
{
    None,
    Root,
    ById,
    Users,
    Object,
    User,
    Home,
    Collection,
    Shared,
    Anonymous,
    Host,
}
