using System.Globalization;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>The path changes of keep-web.md 3.1, and the checks that all writes share.</summary>
internal static class Changes
{
    private const string SourceName = "x";

    /// <summary>An empty directory at the path.</summary>
    public static CollectionChange NewDirectory(string path) => Replace((path, "manifest_text/"));

    public static CollectionChange Remove(string path) => Replace((path, ""));

    public static CollectionChange CopyWithin(string from, string to) => Replace((to, "current/" + from));

    public static CollectionChange MoveWithin(string from, string to) => Replace((to, "current/" + from), (from, ""));

    /// <summary>A file or subtree that comes with the request, its blocks signed for the same token.</summary>
    public static CollectionChange Place(string path, ManifestNode node) => IsEmptyDirectory(node)
        ? NewDirectory(path)
        : Replace((path, "manifest_text/" + SourceName)) with { Collection = new CollectionWrite { ManifestText = ManifestOf(node) } };

    /// <summary>Files that come with the request or with several.</summary>
    public static CollectionChange Place(IReadOnlyList<(string Path, ManifestFile File)> files)
    {
        var tree = new ManifestTree();
        var changes = new (string, string)[files.Count];
        for (var i = 0; i < files.Count; i++)
        {
            var source = string.Create(CultureInfo.InvariantCulture, $"{SourceName}{i}");
            tree.Put(source, files[i].File);
            changes[i] = (files[i].Path, "manifest_text/" + source);
        }

        return Replace(changes) with { Collection = new CollectionWrite { ManifestText = tree.ToManifest() } };
    }

    /// <summary>With the locks that the catalogue checks when it saves.</summary>
    public static CollectionChange Guarded(this CollectionChange change, params ReadOnlySpan<DavWrite?> writes)
    {
        DavWrite[] given = [.. writes.ToArray().OfType<DavWrite>()];
        return given.Length == 0 ? change : change with { Dav = (change.Dav ?? new DavChange()) with { Writes = given } };
    }

    /// <summary>With the dead properties of another place, where that has some that do not come by themselves.</summary>
    public static CollectionChange WithProperties(this CollectionChange change, CollectionPlace from, string to, bool shallow)
    {
        if (from.Collection.IsReadOnly || from.Collection.Record.DavState is not { } state || !state.Contains(OpenCollection.PropertyFlag, StringComparison.Ordinal))
        {
            return change;
        }

        var copy = new DavPropertyCopy { FromUuid = from.Collection.Record.Uuid, FromPath = from.Path, ToPath = to, IsRecursive = !shallow };
        return change with { Dav = (change.Dav ?? new DavChange()) with { Copies = [copy] } };
    }

    /// <summary>Throws 405 for content that cannot change.</summary>
    public static void RequireWritable(CollectionPlace place)
    {
        if (place.Collection.IsReadOnly)
        {
            throw new WebException(StatusCodes.Status405MethodNotAllowed, "This is a fixed version of a collection and cannot be changed.");
        }
    }

    /// <summary>Throws 409 unless the parent of the path is a directory.</summary>
    public static void RequireParent(CollectionPlace place)
    {
        if (place.Parent is not ManifestDirectory)
        {
            throw NoParent();
        }
    }

    public static WebException NoParent() => new(StatusCodes.Status409Conflict, "The parent directory does not exist; create it first.");

    /// <summary>The same path in a newer state of its collection.</summary>
    public static CollectionPlace At(this CollectionPlace place, OpenCollection current) =>
        place with { Collection = current, Node = current.Tree.Find(place.Path) };

    private static bool IsEmptyDirectory(ManifestNode node) => node is ManifestDirectory { IsEmpty: true };

    private static byte[] ManifestOf(ManifestNode node)
    {
        var tree = new ManifestTree();
        tree.Put(SourceName, node);
        return tree.ToManifest();
    }

    private static CollectionChange Replace(params (string Path, string Source)[] changes) =>
        new() { ReplaceFiles = changes.ToDictionary(change => "/" + change.Path, change => change.Source) };
}
