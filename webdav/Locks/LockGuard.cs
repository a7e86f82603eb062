using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Locks;

/// <summary>
/// What stands between a write and its target: the If header must hold (412), and every lock must be answered by its token (423). What it returns travels with
/// the change, so that the catalogue checks the locks again in the transaction that saves.
/// </summary>
internal sealed class LockGuard(LockStore locks, TreeResolver tree, DestinationHeader destinations)
{
    /// <summary>Checks the If header and the locks on the target of the request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isRecursive">Everything below is written too.</param>
    /// <param name="changesParent">The target appears or disappears.</param>
    /// <returns>Null when the target is in no collection.</returns>
    public async Task<DavWrite?> RequireAsync(WebRequest request, bool isRecursive, bool changesParent)
    {
        var header = await RequireIfAsync(request);
        return await RequireAsync(request, request.Place, header, isRecursive, changesParent);
    }

    /// <summary>The If header alone.</summary>
    public async Task<IfHeader?> RequireIfAsync(WebRequest request)
    {
        var header = IfHeader.Parse(request.Http.Request);
        return header is null || await HoldsAsync(request, header) ? header
            : throw new WebException(StatusCodes.Status412PreconditionFailed, "The If header does not hold.");
    }

    /// <summary>The locks on a place, after the If header was checked.</summary>
    public async Task<DavWrite?> RequireAsync(WebRequest request, Place place, IfHeader? header, bool isRecursive, bool changesParent)
    {
        if (place is not CollectionPlace { Collection.IsReadOnly: false } inside)
        {
            return null;
        }

        var write = new DavWrite { Path = inside.Path, IsRecursive = isRecursive, ChangesParent = changesParent, Tokens = header?.Tokens ?? [] };
        var present = await locks.ListAsync(request.Session, inside.Collection, request.Aborted);
        if (present.Count > 0 && write.FindObstacle(present, await LockStore.HolderAsync(request.Session, request.Aborted)) is { } obstacle)
        {
            throw Locked(request, obstacle.Uuid, obstacle.Path);
        }

        return write;
    }

    /// <summary>423 with the URL of the lock in the way.</summary>
    public static WebException Locked(WebRequest request, string uuid, string path) => new(StatusCodes.Status423Locked, "The resource is locked.")
    {
        Precondition = "lock-token-submitted",
        PreconditionHref = LockXml.RootHref(request, uuid, path),
    };

    private async Task<bool> HoldsAsync(WebRequest request, IfHeader header)
    {
        foreach (var list in header.Lists)
        {
            var place = list.Resource is null ? request.Place
                : destinations.IsOurs(list.Resource, request.Http.Request) ? await tree.ResolveAsync(request.Session, request.View.SiteOf(RequestPath.Parse(list.Resource), request.HostId), request.Aborted)
                : new NoPlace(IsRootFound: false);
            var tag = place is CollectionPlace { File: { } file } ? EntityTag.Of(file) : null;
            var tokens = place is CollectionPlace inside && list.Conditions.Any(condition => !condition.IsTag)
                ? (await locks.ListAsync(request.Session, inside.Collection, request.Aborted)).Where(found => found.Covers(inside.Path)).Select(found => found.Token).ToArray()
                : [];
            if (list.Conditions.All(condition =>
                (condition.IsTag ? tag is not null && EntityTag.ListMatches(condition.Value, tag, weak: false) : tokens.Contains(condition.Value)) != condition.IsNegated))
            {
                return true;
            }
        }

        return false;
    }
}
