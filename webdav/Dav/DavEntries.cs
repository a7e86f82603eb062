using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>The resources that a PROPFIND talks about.</summary>
internal sealed class DavEntries(TreeResolver tree, LockStore locks, int maxInfiniteEntries)
{
    /// <summary>The target and, by depth, what is below it.</summary>
    public async Task<DavListing> ListAsync(WebRequest request, int depth, PropfindWish wish)
    {
        var self = Href.Of(request.Path.Names, request.Place.IsDirectory);
        var name = request.Path.Names.Count > 0 ? request.Path.Names[^1] : "";
        var usage = wish.WantsQuota && OwnerOf(request.Place) is { } holder ? await request.Session.Dav.FindUsageAsync(holder, request.Aborted) : null;
        var listing = await ListAsync(request, depth, wish, self, name, usage);
        return listing with { AvailableBytes = usage?.AvailableBytes };
    }

    private async Task<DavListing> ListAsync(WebRequest request, int depth, PropfindWish wish, string self, string name, OwnerUsage? usage)
    {
        switch (request.Place)
        {
            case CollectionPlace place:
                var entries = place.File is { } file ? [EntryOf(place, place.Path, self, name, file)]
                    : InCollection(place, (ManifestDirectory)place.Node!, self, IsServedRoot(place) ? "" : name, depth);
                return new DavListing(
                    entries, wish.WantsLocks ? await locks.ListAsync(request.Session, place.Collection, request.Aborted) : [],
                    wish.WantsDead ? Properties(request, place, depth) : null, ArePropertiesByCollection: false);
            case var _ when depth == DepthHeader.Infinity:
                throw Infinite();
            case var _ when depth == 0:
                return new DavListing([Self(request.Place, self, name, usage)], [], null, false);
            default:
                var members = await ChildrenAsync(request.Session, request.Place, self, request.Aborted);
                var owner = members.Any(member => member.Uuid.Length > 0) && request.Place is ProjectPlace project ? project.Uuid : null;
                return new DavListing(
                    members.Prepend(Self(request.Place, self, name, usage)),
                    owner is not null && wish.WantsLocks ? await LockStore.ListOfOwnerAsync(request.Session, owner, request.Aborted) : [],
                    owner is not null && wish.WantsDead ? PropertiesOfOwner(request, owner) : null, ArePropertiesByCollection: true);
        }
    }

    private static IAsyncEnumerable<DavProperty>? Properties(WebRequest request, CollectionPlace place, int depth) =>
        !place.Collection.IsReadOnly && place.Collection.Record.DavState is { } state && state.Contains(OpenCollection.PropertyFlag, StringComparison.Ordinal)
            ? request.Session.Dav.ListPropertiesAsync(place.Collection.Record.Uuid, place.Path, place.File is null ? depth : 0, request.Aborted) : null;

    /// <summary>None where the token may not ask.</summary>
    private static async IAsyncEnumerable<DavProperty> PropertiesOfOwner(WebRequest request, string owner)
    {
        await using var all = request.Session.Dav.ListPropertiesOfOwnerAsync(owner, request.Aborted).GetAsyncEnumerator(request.Aborted);
        while (true)
        {
            try
            {
                if (!await all.MoveNextAsync())
                {
                    yield break;
                }
            }
            catch (CatalogException e) when (e.Kind == CatalogErrorKind.Forbidden)
            {
                yield break;
            }

            yield return all.Current;
        }
    }

    private static bool IsServedRoot(CollectionPlace place) => place is { IsRoot: true, IsServedRoot: true };

    private static DavEntry Self(Place place, string href, string name, OwnerUsage? usage) =>
        new(href, name, null, place.ModifiedAt == DateTimeOffset.UnixEpoch ? null : place.ModifiedAt, null) { UsedBytes = usage?.Bytes };

    /// <summary>Whose quota a new file would count against.</summary>
    private static string? OwnerOf(Place place) => place switch
    {
        CollectionPlace { Collection.IsReadOnly: false } inside => inside.Collection.Record.OwnerUuid,
        ProjectPlace project => project.Uuid,
        _ => null,
    };

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
            Uuid = entry.Value.IsCollection ? entry.Value.Uuid : "",
        })],
        _ => [],
    };

    private static DavEntry Named(string parent, string name) => new(parent + Href.Encode(name) + "/", name, null, null, null);

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
        new(href, name, file, place.ModifiedAt, place.Collection.Record.CreatedAt)
        {
            Uuid = place.Collection.IsReadOnly ? "" : place.Collection.Record.Uuid,
            Path = path,
            UsedBytes = file is null ? place.Collection.Record.FileSizeTotal : null,
        };
}
