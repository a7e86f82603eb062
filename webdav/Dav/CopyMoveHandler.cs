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
    /// <summary>Does it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="header">Its If header, which holds.</param>
    /// <param name="sourceWrite">The locks of the source, checked; null for a copy.</param>
    public async Task HandleAsync(WebRequest request, IfHeader? header, DavWrite? sourceWrite)
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
        var job = new Job(request.Session, isMove, shallow, overwrite, sourceWrite, await guard.RequireAsync(request, destination, header, isRecursive: true, changesParent: true), request.Aborted);
        await ((request.Place, destination) switch
        {
            (CollectionPlace from, CollectionPlace to) when !from.Collection.IsReadOnly && from.Collection.Record.Uuid == to.Collection.Record.Uuid =>
                WithinAsync(job, from, to),
            (CollectionPlace from, CollectionPlace { IsRoot: false } to) => BetweenAsync(job, from, to),
            (CollectionPlace from, _) => IntoProjectAsync(job, from, destination),
            (ProjectPlace { Item: { } item }, _) when isMove => MoveProjectAsync(job, item, destination),
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

    private Task WithinAsync(Job job, CollectionPlace from, CollectionPlace to)
    {
        Changes.RequireWritable(to);
        if (from.Path == to.Path)
        {
            throw Refused("Source and destination are the same.");
        }

        if (from.IsRoot || to.IsRoot || (job.IsMove && (IsBelow(to.Path, from.Path) || IsBelow(from.Path, to.Path))))
        {
            throw Refused("A directory cannot be moved or copied into itself or over its own parent.");
        }

        return updates.ApplyAsync(
            job.Session, to.Collection.Record.Uuid,
            current =>
            {
                var (source, target) = (from.At(current), to.At(current));
                RequireDestination(target, job.Overwrite);
                var change = source.Node is null ? throw new WebException(StatusCodes.Status404NotFound, "There is nothing to copy or move.")
                    : job.IsMove ? Changes.MoveWithin(from.Path, to.Path)
                    : job.IsShallow && source.IsDirectory ? Changes.NewDirectory(to.Path).WithProperties(source, to.Path, shallow: true)
                    : Changes.CopyWithin(from.Path, to.Path);
                return change.Guarded(job.SourceWrite, job.DestinationWrite);
            },
            job.Aborted);
    }

    private async Task BetweenAsync(Job job, CollectionPlace from, CollectionPlace to)
    {
        if (job.IsMove)
        {
            RequireMovable(from);
        }

        var change = Changes.Place(to.Path, NodeToCopy(from, job.IsShallow)).WithProperties(from, to.Path, job.IsShallow).Guarded(job.DestinationWrite);
        await updates.ApplyAsync(
            job.Session, to.Collection.Id,
            current =>
            {
                RequireDestination(to.At(current), job.Overwrite);
                return change;
            },
            job.Aborted);
        if (job.IsMove)
        {
            await RemoveSourceAsync(job, from);
        }
    }

    /// <summary>A directory becomes a collection, a collection is renamed or given to another project.</summary>
    private async Task IntoProjectAsync(Job job, CollectionPlace from, Place destination)
    {
        if (!from.IsDirectory)
        {
            throw Refused("Files live in collections: create one first (MKCOL), then put the file into it.");
        }

        if (job.IsMove)
        {
            RequireMovable(from);
        }

        var (owner, name, replaces) = await VacateAsync(job, destination, from.Collection.Record.Uuid);
        if (job.IsMove && from.IsRoot)
        {
            var write = new CollectionWrite { Name = name, OwnerUuid = owner };
            var dav = new DavChange { Writes = [.. new[] { job.SourceWrite }.OfType<DavWrite>()], Replaces = replaces, EndsLocks = true };
            await CollectionUpdates.SaveAsync(job.Session, from.Collection.Record.Uuid, new CollectionChange { Collection = write, Dav = dav }, job.Aborted);
            return;
        }

        var content = new ManifestTree();
        content.Put("", NodeToCopy(from, job.IsShallow));
        var created = new CollectionWrite
        {
            Name = name,
            OwnerUuid = owner,
            ManifestText = content.ToManifest(),
            ReplicationDesired = from.Collection.Record.ReplicationDesired,
            StorageClassesDesired = from.Collection.Record.StorageClassesDesired,
        };
        var change = new CollectionChange { Collection = created, Dav = new DavChange { Replaces = replaces } };
        await job.Session.Catalog.CreateCollectionAsync(change.WithProperties(from, "", job.IsShallow), job.Aborted);
        if (job.IsMove)
        {
            await RemoveSourceAsync(job, from);
        }
    }

    private async Task MoveProjectAsync(Job job, ProjectItem item, Place destination)
    {
        if (destination is CollectionPlace { IsRoot: false })
        {
            throw Refused("A project cannot lie in a collection.");
        }

        var (owner, name, replaces) = await VacateAsync(job, destination, item.Uuid);
        if (replaces is not null)
        {
            await deletes.RemoveAsync(job.Session, destination, null, null, job.Aborted);
        }

        await job.Session.Catalog.UpdateProjectAsync(item.Uuid, owner, name, job.Aborted);
    }

    /// <summary>
    /// Makes a name in a project free: what has it goes to the trash, from where it can be brought back. Our catalogue does that with the change that takes
    /// the name, so that a failure leaves the old content where it was; others get two requests.
    /// </summary>
    private async Task<(string Owner, string Name, string? Replaces)> VacateAsync(Job job, Place destination, string sourceUuid)
    {
        switch (destination)
        {
            case FreeName free:
                return (free.Parent.Uuid, tree.RecordName(free.Name), null);
            case CollectionPlace { IsRoot: true, Collection.Record: { OwnerUuid: { } owner, Name: { Length: > 0 } name, Uuid: var uuid, DavState: var state } } when uuid != sourceUuid:
                if (state is not null)
                {
                    return (owner, name, uuid);
                }

                await deletes.RemoveAsync(job.Session, destination, null, null, job.Aborted);
                return (owner, name, null);
            case ProjectPlace { Item: { } item } when item.Uuid == sourceUuid:
                throw Refused("Source and destination are the same.");
            default:
                throw Refused("A project cannot be replaced; delete it first.");
        }
    }

    private Task RemoveSourceAsync(Job job, CollectionPlace from) => from.IsRoot
        ? deletes.RemoveAsync(job.Session, from, null, job.SourceWrite, job.Aborted)
        : deletes.RemoveCopiedAsync(job.Session, from, from.Node!, job.SourceWrite, job.Aborted);

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

    /// <summary>What the request asks for.</summary>
    private sealed record Job(
        Session Session, bool IsMove, bool IsShallow, bool Overwrite, DavWrite? SourceWrite, DavWrite? DestinationWrite, CancellationToken Aborted);
}
