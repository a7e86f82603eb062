using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using KeepFs.WebDav.Writing;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>The one place where S3 changes collections: nothing is answered before the catalogue has saved it. Safe for concurrent use.</summary>
internal sealed class ObjectWrites(CollectionUpdates updates, Placements placements)
{
    /// <summary>The place that an object can be written to.</summary>
    /// <exception cref="S3Exception">400: not inside a collection, or a directory or file is in the way; 405: the bucket is fixed content.</exception>
    public static CollectionPlace Target(Place place, bool isFolder)
    {
        if (place is not CollectionPlace { IsRoot: false } target)
        {
            throw S3Errors.InvalidArgument("Objects live in collections: the key must begin with the path of one.");
        }

        if (target.Collection.IsReadOnly)
        {
            throw S3Errors.MethodNotAllowed("This bucket is a fixed version of a collection and cannot be changed.");
        }

        Check(target, isFolder);
        return target;
    }

    /// <summary>Places an object or folder.</summary>
    /// <param name="session">Whose token.</param>
    /// <param name="target">Checked by <see cref="Target"/>.</param>
    /// <param name="node">What is placed; a directory must be empty and is kept as it is when it exists.</param>
    /// <param name="conditions">Must hold when it is saved.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task PutAsync(Session session, CollectionPlace target, ManifestNode node, ObjectConditions conditions, CancellationToken cancellationToken)
    {
        if (node is ManifestFile file && !conditions.Any)
        {
            await placements.SaveAsync(session, target.Collection.Id, target.Path, file, null, cancellationToken);
            return;
        }

        await updates.ApplyAsync(
            session, target.Collection.Id,
            current =>
            {
                var now = target.At(current);
                Check(now, node is ManifestDirectory);
                conditions.Require(TagOf(now), now.ModifiedAt);
                return node is ManifestDirectory && now.Exists ? null : Changes.Place(target.Path, node);
            },
            cancellationToken);
    }

    /// <summary>Removes keys of one collection in one change: files, and directories that are empty then.</summary>
    /// <param name="session">Whose token.</param>
    /// <param name="uuid">The collection.</param>
    /// <param name="files">Paths of files.</param>
    /// <param name="folders">Paths of directories.</param>
    /// <param name="conditions">Must hold for the only file.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task RemoveAsync(
        Session session, string uuid, IReadOnlyCollection<string> files, IReadOnlyCollection<string> folders, ObjectConditions? conditions, CancellationToken cancellationToken) =>
        updates.ApplyAsync(
            session, uuid,
            current =>
            {
                if (conditions is { Any: true })
                {
                    conditions.Require(current.Tree.Find(files.Single()) is ManifestFile file ? ObjectTag.Of(file) : null, current.ModifiedAt);
                }

                var gone = new HashSet<string>(files.Where(path => current.Tree.Find(path) is ManifestFile), StringComparer.Ordinal);

                // The deepest first: a directory may become empty by what goes with it.
                foreach (var path in folders.OrderByDescending(path => path.Length))
                {
                    if (current.Tree.Find(path) is ManifestDirectory directory && directory.Names().All(entry => gone.Contains($"{path}/{entry.Name}")))
                    {
                        gone.Add(path);
                    }
                }

                return gone.Count == 0 ? null : new CollectionChange { ReplaceFiles = gone.ToDictionary(path => "/" + path, _ => "") };
            },
            cancellationToken);

    public static string? TagOf(CollectionPlace place) => place.File is { } file ? ObjectTag.Of(file) : null;

    private static void Check(CollectionPlace place, bool isFolder)
    {
        if (isFolder ? place.File is not null : place.IsDirectory)
        {
            throw S3Errors.InvalidArgument(isFolder ? "A file has this name." : "A directory has this name.");
        }

        for (var slash = place.Path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = place.Path.IndexOf('/', slash + 1))
        {
            if (place.Collection.Tree.Find(place.Path[..slash]) is ManifestFile)
            {
                throw S3Errors.InvalidArgument("A part of the key's path is a file.");
            }
        }
    }
}
