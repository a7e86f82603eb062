using System.Text;
using KeepFs.Engine.Manifests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Downloads.Zip;

/// <summary>The files that an archive holds, in the order of a walk.</summary>
internal static class ZipContents
{
    /// <summary>Files of the tree that the wish names, each once.</summary>
    /// <exception cref="WebException">404: a name that there is not.</exception>
    public static List<ZipEntry> Select(ManifestTree tree, IReadOnlyList<string> wanted)
    {
        var entries = new List<ZipEntry>();
        var paths = wanted.Select(path => path.Trim('/')).Distinct().Order(Utf8Order.Instance).ToList();
        if (paths.Count == 0 || paths[0].Length == 0)
        {
            Walk(tree.Root, "", entries);
            return entries;
        }

        var chosen = paths.ToHashSet(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var node = path.Split('/').All(part => part is not ("" or "." or "..")) ? tree.Find(path) : null;
            if (node is null)
            {
                throw new WebException(StatusCodes.Status404NotFound, $"There is no {path}.");
            }

            // Below another one that was named it is there already.
            if (!Ancestors(path).Any(chosen.Contains))
            {
                Add(node, path, entries);
            }
        }

        return entries;
    }

    private static void Add(ManifestNode node, string path, List<ZipEntry> entries)
    {
        if (node is ManifestDirectory directory)
        {
            Walk(directory, path + "/", entries);
            return;
        }

        var name = Encoding.UTF8.GetBytes(path);
        if (name.Length > ushort.MaxValue)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "A path is too long for a zip archive.");
        }

        entries.Add(new ZipEntry(name, (ManifestFile)node, []));
    }

    private static void Walk(ManifestDirectory directory, string prefix, List<ZipEntry> entries)
    {
        foreach (var (name, _) in directory.Names())
        {
            Add(directory.Find(name)!, prefix + name, entries);
        }
    }

    private static IEnumerable<string> Ancestors(string path)
    {
        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
        {
            yield return path[..slash];
        }
    }
}
