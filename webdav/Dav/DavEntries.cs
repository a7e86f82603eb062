using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>The resources that a PROPFIND talks about.</summary>
internal sealed class DavEntries(TreeResolver tree, int maxInfiniteEntries)
{
    /// <summary>The target and, by depth, what is below it. Everything from the catalogue is read before this returns.</summary>
    public async Task<IEnumerable<DavEntry>> ListAsync(WebRequest request, int depth)
    {
        var self = Href.Of(request.Path.Names, request.Place.IsDirectory);
        var name = request.Path.Names.Count > 0 ? request.Path.Names[^1] : "";
        return request.Place switch
        {
            CollectionPlace { File: { } file } place => [EntryOf(place, place.Path, self, name, file)],
            CollectionPlace { Node: ManifestDirectory directory } place => InCollection(place, directory, self, IsServedRoot(place) ? "" : name, depth),
            _ when depth == DepthHeader.Infinity => throw Infinite(),
            _ when depth == 0 => [Self(request.Place, self, name)],
            _ => (await ChildrenAsync(request.Session, request.Place, self, request.Aborted)).Prepend(Self(request.Place, self, name)),
        };
    }

    private static bool IsServedRoot(CollectionPlace place) => place is { IsRoot: true, IsServedRoot: true };

    private static DavEntry Self(Place place, string href, string name) =>
        new(href, name, null, place.ModifiedAt == DateTimeOffset.UnixEpoch ? null : place.ModifiedAt, null, null);

    private static WebException Infinite() => new(StatusCodes.Status403Forbidden, "Ask directory by directory: Depth infinity is only for single collections of bounded size.")
    {
        Precondition = "propfind-finite-depth",
    };

    private async Task<IReadOnlyList<DavEntry>> ChildrenAsync(Session session, Place place, string self, CancellationToken cancellationToken) => place switch
    {
        SitePlace { Kind: SiteKind.Root } => [Named(self, "by_id"), Named(self, "home"), Named(self, "users")],
        SitePlace { Kind: SiteKind.Users } => [.. (await tree.UserNamesAsync(session, cancellationToken)).Select(name => Named(self, name))],
        ProjectPlace project => [.. (await tree.ListAsync(session, project.Uuid, cancellationToken)).Select(entry => Named(self, entry.Key) with
        {
            ModifiedAt = entry.Value.ModifiedAt,
            LockKey = entry.Value.IsCollection ? LockKeys.Of(entry.Value.Uuid, "") : null,
        })],
        _ => [],
    };

    private static DavEntry Named(string parent, string name) => new(parent + Href.Encode(name) + "/", name, null, null, null, null);

    private IEnumerable<DavEntry> InCollection(CollectionPlace place, ManifestDirectory directory, string self, string name, int depth)
    {
        if (depth == DepthHeader.Infinity && Count(directory, maxInfiniteEntries) >= maxInfiniteEntries)
        {
            throw Infinite();
        }

        return Walk(place, directory, place.Path, self, depth).Prepend(EntryOf(place, place.Path, self, name, null));
    }

    private static int Count(ManifestDirectory directory, int most)
    {
        var count = 0;
        foreach (var (name, isDirectory) in directory.Names())
        {
            count += 1 + (isDirectory ? Count((ManifestDirectory)directory.Find(name)!, most - count) : 0);
            if (count >= most)
            {
                break;
            }
        }

        return count;
    }

    private static IEnumerable<DavEntry> Walk(CollectionPlace place, ManifestDirectory directory, string path, string href, int depth)
    {
        if (depth == 0)
        {
            yield break;
        }

        foreach (var (name, isDirectory) in directory.Names())
        {
            var node = directory.Find(name);
            var childPath = path.Length == 0 ? name : $"{path}/{name}";
            var childHref = href + Href.Encode(name) + (isDirectory ? "/" : "");
            yield return EntryOf(place, childPath, childHref, name, node as ManifestFile);
            if (isDirectory && depth == DepthHeader.Infinity)
            {
                foreach (var entry in Walk(place, (ManifestDirectory)node!, childPath, childHref, depth))
                {
                    yield return entry;
                }
            }
        }
    }

    private static DavEntry EntryOf(CollectionPlace place, string path, string href, string name, ManifestFile? file) =>
        new(href, name, file, place.ModifiedAt, place.Collection.Record.CreatedAt, LockKeys.Of(place.Collection.Record.Uuid, path));
}
