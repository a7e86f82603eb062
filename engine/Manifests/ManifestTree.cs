namespace KeepFs.Engine.Manifests;

/// <summary>
/// A collection's content as a tree that can be edited path by path: what <c>replace_files</c> and merging work on. Paths are written
/// with or without a leading slash; "" and "/" mean the root. Not for concurrent use.
/// </summary>
public sealed class ManifestTree
{
    private ManifestTree(ManifestDirectory root) => Root = root;

    /// <summary>An empty collection.</summary>
    public ManifestTree()
        : this(new ManifestDirectory())
    {
    }

    /// <summary>The root directory.</summary>
    public ManifestDirectory Root { get; private set; }

    /// <summary>Parses a manifest; the memory is kept and must not change.</summary>
    /// <exception cref="ManifestException">See <see cref="ManifestIndex.Parse"/>.</exception>
    public static ManifestTree Load(ReadOnlyMemory<byte> manifest) => Of(ManifestIndex.Parse(manifest));

    /// <summary>The tree of a parsed manifest.</summary>
    public static ManifestTree Of(ManifestIndex index) => new(new ManifestDirectory(index, ManifestIndex.Root));

    /// <summary>The node at a path, or null.</summary>
    public ManifestNode? Find(string path)
    {
        ManifestNode? node = Root;
        foreach (var name in Components(path))
        {
            node = (node as ManifestDirectory)?.Find(name);
        }

        return node;
    }

    /// <summary>Removes a file or a whole subtree; nothing happens when the path is absent. The parent stays, even if it is empty now.</summary>
    public void Remove(string path)
    {
        var names = Components(path);
        if (names.Length == 0)
        {
            Root = new ManifestDirectory();
            return;
        }

        var directory = Root;
        foreach (var name in names[..^1])
        {
            if (!directory.Own().TryGetValue(name, out var node) || node is not ManifestDirectory next)
            {
                return;
            }

            directory = next;
        }

        directory.Own().Remove(names[^1]);
    }

    /// <summary>Places a copy of a node, replacing what was there; missing parents are created.</summary>
    /// <exception cref="ManifestException">A parent is a file, the root would become a file, or the path is not clean.</exception>
    public void Put(string path, ManifestNode node)
    {
        var names = Components(path);
        if (names.Length == 0)
        {
            Root = node.Clone() as ManifestDirectory ?? throw new ManifestException("The root of a collection cannot be a file.");
            return;
        }

        var directory = Root;
        foreach (var name in names[..^1])
        {
            var entries = directory.Own();
            if (!entries.TryGetValue(name, out var child))
            {
                entries.Add(name, child = new ManifestDirectory());
            }

            directory = child as ManifestDirectory ?? throw new ManifestException($"Path \"{path}\" passes through \"{name}\", which is a file.");
        }

        directory.Own()[names[^1]] = node.Clone();
    }

    /// <summary>Normalised manifest text.</summary>
    public byte[] ToManifest()
    {
        var writer = new ManifestWriter();
        Root.WriteTo(writer, []);
        return writer.ToArray();
    }

    /// <summary>Files and bytes.</summary>
    public (int FileCount, long TotalBytes) Totals()
    {
        var (files, bytes) = (0, 0L);
        foreach (var file in Walk("", Root).Select(entry => entry.Node).OfType<ManifestFile>())
        {
            files++;
            bytes += file.SizeBytes;
        }

        return (files, bytes);
    }

    /// <summary>Every file and directory below the root with its path (no leading slash), parents before children.</summary>
    public IEnumerable<(string Path, ManifestNode Node)> Walk() => Walk("", Root);

    /// <summary>The components of a path.</summary>
    /// <exception cref="ManifestException">An empty, "." or ".." component.</exception>
    public static string[] Components(string path)
    {
        var trimmed = path.Trim('/');
        if (trimmed.Length == 0)
        {
            return [];
        }

        var names = trimmed.Split('/');
        return names.Any(name => name is "" or "." or "..") ? throw new ManifestException($"\"{path}\" is not a clean path.") : names;
    }

    private static IEnumerable<(string Path, ManifestNode Node)> Walk(string prefix, ManifestDirectory directory)
    {
        foreach (var (name, node) in directory.Entries)
        {
            var path = prefix.Length == 0 ? name : $"{prefix}/{name}";
            yield return (path, node);
            if (node is ManifestDirectory child)
            {
                foreach (var entry in Walk(path, child))
                {
                    yield return entry;
                }
            }
        }
    }
}
