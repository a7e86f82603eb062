using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>MKCOL: a directory in a collection; in a project a collection, or a sub-project with <c>X-KeepFs-Create: project</c>.</summary>
internal sealed class MkcolHandler(CollectionUpdates updates, TreeResolver tree)
{
    /// <summary>Asks for a sub-project where a collection would be made.</summary>
    public const string CreateHeader = "X-KeepFs-Create";

    /// <summary>Does it; the If header and the locks were checked.</summary>
    public async Task HandleAsync(WebRequest request, DavWrite? write)
    {
        if (await HasBodyAsync(request.Http.Request, request.Aborted))
        {
            throw new WebException(StatusCodes.Status415UnsupportedMediaType, "MKCOL takes no body.");
        }

        switch (request.Place)
        {
            case CollectionPlace place:
                Check(place);
                await updates.ApplyAsync(
                    request.Session, place.Collection.Id,
                    current =>
                    {
                        Check(place.At(current));
                        return Changes.NewDirectory(place.Path).Guarded(write);
                    },
                    request.Aborted);
                break;
            case FreeName free:
                await CreateAsync(request, free);
                break;
            case NoPlace:
                throw Changes.NoParent();
            default:
                throw Exists();
        }

        request.Http.Response.StatusCode = StatusCodes.Status201Created;
    }

    private static void Check(CollectionPlace place)
    {
        Changes.RequireWritable(place);
        if (place.Exists)
        {
            throw Exists();
        }

        Changes.RequireParent(place);
    }

    private async Task CreateAsync(WebRequest request, FreeName free)
    {
        var name = tree.RecordName(free.Name);
        var wish = request.Http.Request.Headers[CreateHeader].ToString();
        if (wish.Equals("project", StringComparison.OrdinalIgnoreCase))
        {
            await request.Session.Catalog.CreateProjectAsync(free.Parent.Uuid, name, request.Aborted);
            return;
        }

        if (wish.Length > 0 && !wish.Equals("collection", StringComparison.OrdinalIgnoreCase))
        {
            throw new WebException(StatusCodes.Status400BadRequest, $"{CreateHeader} must be \"collection\" or \"project\".");
        }

        var write = new CollectionWrite { Name = name, OwnerUuid = free.Parent.Uuid, ManifestText = ReadOnlyMemory<byte>.Empty };
        await request.Session.Catalog.CreateCollectionAsync(new CollectionChange { Collection = write }, request.Aborted);
    }

    private static async ValueTask<bool> HasBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength is { } length)
        {
            return length > 0;
        }

        var probe = new byte[1];
        return await request.Body.ReadAsync(probe, cancellationToken) > 0;
    }

    private static WebException Exists() => new(StatusCodes.Status405MethodNotAllowed, "There is something of that name already.");
}
