using System.Text;

namespace KeepFs.Engine.Manifests;

/// <summary>A directory of a <see cref="ManifestTree"/>; its entries are made from the parsed manifest when first asked for.</summary>
public sealed class ManifestDirectory : ManifestNode
{
    private ManifestIndex? _index;
    private readonly int _directory;
    private SortedDictionary<string, ManifestNode>? _entries;

    /// <summary>A directory without entries.</summary>
    public ManifestDirectory() => _entries = new SortedDictionary<string, ManifestNode>(Utf8Order.Instance);

    internal ManifestDirectory(ManifestIndex index, int directory)
    {
        _index = index;
        _directory = directory;
    }

    /// <summary>Entries in UTF-8 order.</summary>
    public IReadOnlyDictionary<string, ManifestNode> Entries => Own();

    internal SortedDictionary<string, ManifestNode> Own()
    {
        if (_entries is null)
        {
            _entries = new SortedDictionary<string, ManifestNode>(Utf8Order.Instance);
            var index = _index!;
            var (first, count) = index.FilesOf(_directory);
            for (var file = first; file < first + count; file++)
            {
                _entries.Add(index.FileNameText(file), new ManifestFile(index, file));
            }

            foreach (var child in index.DirectoriesOf(_directory))
            {
                _entries.Add(index.DirectoryNameText(child), new ManifestDirectory(index, child));
            }

            _index = null;
        }

        return _entries;
    }

    /// <summary>Names in UTF-8 order (files and directories mixed), made without keeping anything.</summary>
    public IEnumerable<(string Name, bool IsDirectory)> Names()
    {
        if (_entries is not null)
        {
            foreach (var (name, node) in _entries)
            {
                yield return (name, node is ManifestDirectory);
            }

            yield break;
        }

        var index = _index!;
        var (file, count) = index.FilesOf(_directory);
        var end = file + count;
        var children = index.DirectoriesOf(_directory).ToArray();
        var child = 0;
        while (file < end || child < children.Length)
        {
            var takeFile = child == children.Length || (file < end && index.FileName(file).SequenceCompareTo(index.DirectoryName(children[child])) < 0);
            yield return takeFile ? (index.FileNameText(file++), false) : (index.DirectoryNameText(children[child++]), true);
        }
    }

    /// <summary>Adds an entry, replacing one of the same name.</summary>
    public void Add(string name, ManifestNode node) => Own()[name] = node;

    /// <summary>No entries.</summary>
    public bool IsEmpty => !Names().Any();

    /// <summary>The entry, without making the others; null when there is none.</summary>
    public ManifestNode? Find(string name)
    {
        if (_entries is not null)
        {
            return _entries.GetValueOrDefault(name);
        }

        var utf8 = Encoding.UTF8.GetBytes(name);
        var file = _index!.FindFile(_directory, utf8);
        if (file >= 0)
        {
            return new ManifestFile(_index, file);
        }

        var directory = _index.FindDirectory(_directory, utf8);
        return directory >= 0 ? new ManifestDirectory(_index, directory) : null;
    }

    /// <summary>The same names with the same content all the way down.</summary>
    public bool HasSameContentAs(ManifestDirectory other)
    {
        if (_index is not null && _index == other._index && _directory == other._directory)
        {
            return true;
        }

        var (mine, theirs) = (Names().ToList(), other.Names().ToList());
        return mine.SequenceEqual(theirs) && mine.All(entry => Find(entry.Name)!.IsSameAs(other.Find(entry.Name)));
    }

    /// <inheritdoc/>
    public override ManifestNode Clone()
    {
        if (_entries is null)
        {
            return new ManifestDirectory(_index!, _directory);
        }

        var copy = new ManifestDirectory();
        foreach (var (name, node) in _entries)
        {
            copy._entries!.Add(name, node.Clone());
        }

        return copy;
    }

    internal void WriteTo(ManifestWriter writer, byte[] path)
    {
        if (_index is not null)
        {
            WriteStored(writer, _index, _directory, path);
            return;
        }

        foreach (var (name, node) in _entries!)
        {
            if (node is ManifestFile file)
            {
                writer.AddFile(Encoding.UTF8.GetBytes(name), file.Segments);
            }
        }

        writer.EndStream(path);
        foreach (var (name, node) in _entries)
        {
            if (node is ManifestDirectory directory)
            {
                directory.WriteTo(writer, Join(path, Encoding.UTF8.GetBytes(name)));
            }
        }

        if (_entries.Count == 0 && path.Length > 0)
        {
            writer.AddEmptyDirectory(path);
        }
    }

    private static void WriteStored(ManifestWriter writer, ManifestIndex index, int directory, byte[] path)
    {
        var (first, count) = index.FilesOf(directory);
        for (var file = first; file < first + count; file++)
        {
            writer.AddFile(index.FileName(file), index.SegmentsOf(file));
        }

        writer.EndStream(path);
        var children = index.DirectoriesOf(directory);
        foreach (var child in children)
        {
            WriteStored(writer, index, child, Join(path, index.DirectoryName(child)));
        }

        if (count == 0 && children.IsEmpty && path.Length > 0)
        {
            writer.AddEmptyDirectory(path);
        }
    }

    private static byte[] Join(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name) => path.IsEmpty ? name.ToArray() : [.. path, (byte)'/', .. name];
}
