using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>DELETE: paths of collections, whole collections and projects (which go to the trash). Always recursive.</summary>
internal sealed class DeleteHandler(CollectionUpdates updates)
{
    /// <summary>Does it; the If header and the locks were checked.</summary>
    public async Task HandleAsync(WebRequest request, DavWrite? write)
    {
        var http = request.Http.Request;
        if (DepthHeader.Of(http) is not (null or DepthHeader.Infinity))
        {
            throw new WebException(StatusCodes.Status400BadRequest, "DELETE always removes everything below: Depth must be infinity.");
        }

        if (!request.Place.Exists)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is nothing to delete.");
        }

        Preconditions.Require(http, request.Place);
        await RemoveAsync(request.Session, request.Place, Preconditions.Any(http) ? http : null, write, request.Aborted);
        request.Http.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Removes what is there; whole records go to the trash.</summary>
    /// <param name="session">Whose token.</param>
    /// <param name="place">Exists.</param>
    /// <param name="conditions">A request whose conditions must hold when it is saved; null = none.</param>
    /// <param name="write">Its locks, checked again when it is saved.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task RemoveAsync(Session session, Place place, HttpRequest? conditions, DavWrite? write, CancellationToken cancellationToken)
    {
        switch (place)
        {
            case CollectionPlace { IsRoot: true } root:
                Changes.RequireWritable(root);
                return root.IsServedRoot ? throw Fixed() : session.Catalog.TrashCollectionAsync(root.Collection.Record.Uuid, cancellationToken);
            case CollectionPlace inside:
                Changes.RequireWritable(inside);
                return conditions is null
                    ? CollectionUpdates.SaveAsync(session, inside.Collection.Id, Changes.Remove(inside.Path).Guarded(write), cancellationToken)
                    : updates.ApplyAsync(
                        session, inside.Collection.Id,
                        current =>
                        {
                            var now = inside.At(current);
                            Preconditions.Require(conditions, now);
                            return now.Exists ? Changes.Remove(now.Path).Guarded(write) : null;
                        },
                        cancellationToken);
            case ProjectPlace { Item: { } item }:
                return session.Catalog.TrashProjectAsync(item.Uuid, cancellationToken);
            default:
                throw Fixed();
        }
    }

    /// <summary>Removes a path only while it still is what the caller copied.</summary>
    public Task RemoveCopiedAsync(Session session, CollectionPlace place, ManifestNode copied, DavWrite? write, CancellationToken cancellationToken) => updates.ApplyAsync(
        session, place.Collection.Id,
        current => place.At(current).Node is not { } node ? null
            : node.IsSameAs(copied) ? Changes.Remove(place.Path).Guarded(write)
            : throw new WebException(StatusCodes.Status409Conflict, "The source was changed while it was moved: it was copied and also stays where it was."),
        cancellationToken);

    private static WebException Fixed() => new(StatusCodes.Status403Forbidden, "This directory is where the tree starts and cannot be removed.");
}
