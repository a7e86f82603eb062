using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Locks;

/// <summary>What stands between a write and its target: the If header must hold (412), and every lock must be answered by its token (423).</summary>
internal sealed class LockGuard(LockTable locks, TreeResolver tree)
{
    /// <summary>Checks the If header and the locks on the target of the request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isRecursive">Everything below is written too.</param>
    /// <param name="changesParent">The target appears or disappears.</param>
    public async Task RequireAsync(WebRequest request, bool isRecursive, bool changesParent)
    {
        var header = await RequireIfAsync(request);
        Require(request, request.Place, header, isRecursive, changesParent);
    }

    /// <summary>The If header alone.</summary>
    public async Task<IfHeader?> RequireIfAsync(WebRequest request)
    {
        var header = IfHeader.Parse(request.Http.Request);
        return header is null || await HoldsAsync(request, header) ? header
            : throw new WebException(StatusCodes.Status412PreconditionFailed, "The If header does not hold.");
    }

    /// <summary>The locks on a place, after the If header was checked.</summary>
    public void Require(WebRequest request, Place place, IfHeader? header, bool isRecursive, bool changesParent)
    {
        if (LockKeys.Of(place) is { } key)
        {
            locks.Require(key, isRecursive, changesParent, header?.Tokens ?? [], request.Session.Token);
        }
    }

    private async Task<bool> HoldsAsync(WebRequest request, IfHeader header)
    {
        foreach (var list in header.Lists)
        {
            var place = list.Resource is null ? request.Place
                : await tree.ResolveAsync(request.Session, SitePath.Of(RequestPath.Parse(list.Resource)), request.Aborted);
            var tag = place is CollectionPlace { File: { } file } ? EntityTag.Of(file) : null;
            var tokens = LockKeys.Of(place) is { } key ? locks.Of(key).Select(found => found.Token).ToArray() : [];
            if (list.Conditions.All(condition =>
                (condition.IsTag ? tag is not null && EntityTag.ListMatches(condition.Value, tag, weak: false) : tokens.Contains(condition.Value)) != condition.IsNegated))
            {
                return true;
            }
        }

        return false;
    }
}
