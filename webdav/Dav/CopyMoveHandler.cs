using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// COPY and MOVE (RFC 4918 9.8, 9.9). Inside one collection one change does all; between collections, and between collections and projects, the
/// blocks stay where they are and only manifests are written: first the copy, then, for a move, the removal of what was copied.
/// </summary>
internal sealed class CopyMoveHandler(CollectionUpdates updates, DeleteHandler deletes, TreeResolver tree, DestinationHeader destinations, LockGuard guard)
{
    /// <summary>Does it; the If header was checked, and for a move the locks of the source.</summary>
    public async Task HandleAsync(WebRequest request, IfHeader? header)
    {
        var http = request.Http.Request;
        var isMove = http.Method == "MOVE";
        var shallow = IsShallow(http, isMove);
        var overwrite = Overwrite(http);
        var target = destinations.Parse(request);
        if (!request.Place.Exists)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is nothing to copy or move.");
        }

        Preconditions.Require(http, request.Place);
        var destination = await tree.ResolveAsync(request.Session, target, request.Aborted);
        var existed = destination.Exists;
        RequireDestination(destination, overwrite);
        guard.Require(request, destination, header, isRecursive: true, changesParent: true);
        await ((request.Place, destination) switch
        {
            (CollectionPlace from, CollectionPlace to) when !from.Collection.IsReadOnly && from.Collection.Record.Uuid == to.Collection.Record.Uuid =>
                WithinAsync(request.Session, from, to, isMove, shallow, overwrite, request.Aborted),
            (CollectionPlace from, CollectionPlace { IsRoot: false } to) => BetweenAsync(request.Session, from, to, isMove, shallow, overwrite, request.Aborted),
            (CollectionPlace from, _) => IntoProjectAsync(request.Session, from, destination, isMove, shallow, request.Aborted),
            (ProjectPlace { Item: { } item }, _) when isMove => MoveProjectAsync(request.Session, item, destination, request.Aborted),
            (ProjectPlace, _) when !isMove => throw Refused("A project cannot be copied; copy its collections."),
            _ => throw Refused("This directory is where the tree starts and cannot be copied or moved."),
        });
        request.Http.Response.StatusCode = existed ? StatusCodes.Status204NoContent : StatusCodes.Status201Created;
    }

    private static bool IsShallow(HttpRequest request, bool isMove) => DepthHeader.Of(request) switch
    {
        null or DepthHeader.Infinity => false,
        0 when !isMove => true,
        _ => throw new WebException(StatusCodes.Status400BadRequest, isMove ? "MOVE takes everything along: Depth must be infinity." : "COPY knows Depth 0 and infinity."),
    };

    private static bool Overwrite(HttpRequest request) => request.Headers["Overwrite"].ToString().Trim().ToUpperInvariant() switch
    {
        "" or "T" => true,
        "F" => false,
        _ => throw new WebException(StatusCodes.Status400BadRequest, "Overwrite must be T or F."),
    };

    private static void RequireDestination(Place destination, bool overwrite)
    {
        switch (destination)
        {
            case NoPlace:
                throw Changes.NoParent();
            case SitePlace or ProjectPlace { Item: null } or CollectionPlace { IsRoot: true, IsServedRoot: true }:
                throw Refused("This directory is where the tree starts and cannot be replaced.");
            case { Exists: true } when !overwrite:
                throw Taken();
            case CollectionPlace { IsRoot: false } place:
                Changes.RequireWritable(place);
                Changes.RequireParent(place);
                break;
        }
    }

    private Task WithinAsync(Session session, CollectionPlace from, CollectionPlace to, bool isMove, bool shallow, bool overwrite, CancellationToken cancellationToken)
    {
        Changes.RequireWritable(to);
        if (from.Path == to.Path)
        {
            throw Refused("Source and destination are the same.");
        }

        if (from.IsRoot || to.IsRoot || (isMove && (IsBelow(to.Path, from.Path) || IsBelow(from.Path, to.Path))))
        {
            throw Refused("A directory cannot be moved or copied into itself or over its own parent.");
        }

        return updates.ApplyAsync(
            session, to.Collection.Record.Uuid,
            current =>
            {
                var (source, target) = (from.At(current), to.At(current));
                RequireDestination(target, overwrite);
                return source.Node is null ? throw new WebException(StatusCodes.Status404NotFound, "There is nothing to copy or move.")
                    : isMove ? Changes.MoveWithin(from.Path, to.Path)
                    : shallow && source.IsDirectory ? Changes.NewDirectory(to.Path)
                    : Changes.CopyWithin(from.Path, to.Path);
            },
            cancellationToken);
    }

    private async Task BetweenAsync(
        Session session, CollectionPlace from, CollectionPlace to, bool isMove, bool shallow, bool overwrite, CancellationToken cancellationToken)
    {
        if (isMove)
        {
            RequireMovable(from);
        }

        var change = Changes.Place(to.Path, NodeToCopy(from, shallow));
        await updates.ApplyAsync(
            session, to.Collection.Id,
            current =>
            {
                RequireDestination(to.At(current), overwrite);
                return change;
            },
            cancellationToken);
        if (isMove)
        {
            await RemoveSourceAsync(session, from, cancellationToken);
        }
    }

    /// <summary>A directory becomes a collection, a collection is renamed or given to another project.</summary>
    private async Task IntoProjectAsync(Session session, CollectionPlace from, Place destination, bool isMove, bool shallow, CancellationToken cancellationToken)
    {
        if (!from.IsDirectory)
        {
            throw Refused("Files live in collections: create one first (MKCOL), then put the file into it.");
        }

        if (isMove)
        {
            RequireMovable(from);
        }

        var (owner, name) = await VacateAsync(session, destination, from.Collection.Record.Uuid, cancellationToken);
        if (isMove && from.IsRoot)
        {
            var write = new CollectionWrite { Name = name, OwnerUuid = owner };
            await CollectionUpdates.SaveAsync(session, from.Collection.Record.Uuid, new CollectionChange { Collection = write }, cancellationToken);
            return;
        }

        var content = new ManifestTree();
        content.Put("", NodeToCopy(from, shallow));
        var created = new CollectionWrite
        {
            Name = name,
            OwnerUuid = owner,
            ManifestText = content.ToManifest(),
            ReplicationDesired = from.Collection.Record.ReplicationDesired,
            StorageClassesDesired = from.Collection.Record.StorageClassesDesired,
        };
        await session.Catalog.CreateCollectionAsync(new CollectionChange { Collection = created }, cancellationToken);
        if (isMove)
        {
            await RemoveSourceAsync(session, from, cancellationToken);
        }
    }

    private async Task MoveProjectAsync(Session session, ProjectItem item, Place destination, CancellationToken cancellationToken)
    {
        if (destination is CollectionPlace { IsRoot: false })
        {
            throw Refused("A project cannot lie in a collection.");
        }

        var (owner, name) = await VacateAsync(session, destination, item.Uuid, cancellationToken);
        await session.Catalog.UpdateProjectAsync(item.Uuid, owner, name, cancellationToken);
    }

    /// <summary>Makes a name in a project free: what has it goes to the trash, from where it can be brought back.</summary>
    private async Task<(string Owner, string Name)> VacateAsync(Session session, Place destination, string sourceUuid, CancellationToken cancellationToken)
    {
        switch (destination)
        {
            case FreeName free:
                return (free.Parent.Uuid, tree.RecordName(free.Name));
            case CollectionPlace { IsRoot: true, Collection.Record: { OwnerUuid: { } owner, Name: { Length: > 0 } name, Uuid: var uuid } } when uuid != sourceUuid:
                await deletes.RemoveAsync(session, destination, null, cancellationToken);
                return (owner, name);
            case ProjectPlace { Item: { } item } when item.Uuid == sourceUuid:
                throw Refused("Source and destination are the same.");
            default:
                throw Refused("A project cannot be replaced; delete it first.");
        }
    }

    private Task RemoveSourceAsync(Session session, CollectionPlace from, CancellationToken cancellationToken) => from.IsRoot
        ? deletes.RemoveAsync(session, from, null, cancellationToken)
        : deletes.RemoveCopiedAsync(session, from, from.Node!, cancellationToken);

    private static void RequireMovable(CollectionPlace from)
    {
        Changes.RequireWritable(from);
        if (from is { IsRoot: true, IsServedRoot: true })
        {
            throw Refused("This directory is where the tree starts and cannot be moved.");
        }
    }

    private static ManifestNode NodeToCopy(CollectionPlace from, bool shallow) => shallow && from.IsDirectory ? new ManifestDirectory() : from.Node!;

    private static bool IsBelow(string path, string directory) => path.StartsWith(directory + "/", StringComparison.Ordinal);

    private static WebException Refused(string message) => new(StatusCodes.Status403Forbidden, message);

    private static WebException Taken() => new(StatusCodes.Status412PreconditionFailed, "The destination exists and Overwrite is F.");
}
