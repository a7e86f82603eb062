using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.S3.Listing;

/// <summary>The keys of a collection, read from its parsed manifest: nothing is made for keys that are not visited.</summary>
/// <param name="index">The manifest.</param>
/// <param name="order">Its order of keys.</param>
/// <param name="modifiedAt">The time of all its objects.</param>
/// <param name="hasFolders">S3FolderObjects: directories are keys too.</param>
internal sealed class CollectionKeys(ManifestIndex index, KeyOrder order, DateTimeOffset modifiedAt, bool hasFolders) : KeyCursor
{
    private readonly Stack<Level> _levels = new();
    private byte[] _key = new byte[256];
    private int _keyLength;
    private int _file = -1;

    public override ReadOnlySpan<byte> Key => _key.AsSpan(0, _keyLength);

    public override KeyEntry Entry => _file < 0 ? new KeyEntry(0, modifiedAt, null) : new KeyEntry(index.FileSize(_file), modifiedAt, (index, _file));

    public override ValueTask<bool> SeekAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        _levels.Clear();
        var (directory, prefix) = (ManifestIndex.Root, 0);
        var rest = key.Span;
        while (true)
        {
            var (first, count) = index.FilesOf(directory);
            var child = FirstChild(directory, rest);
            var level = new Level(directory, prefix, first + FirstFile(first, count, rest), first + count, child);
            _levels.Push(level);

            // The child before may be where the key lies.
            var children = order.DirectoriesOf(directory);
            var name = child == 0 ? default : index.DirectoryName(children[child - 1]);
            if (child == 0 || rest.Length <= name.Length || rest[name.Length] != '/' || !rest.StartsWith(name))
            {
                return ValueTask.FromResult(Move());
            }

            directory = children[child - 1];
            rest = rest[(name.Length + 1)..];
            prefix = PutName(prefix, name, isDirectory: true);
        }
    }

    public override ValueTask<bool> NextAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Move());

    private bool Move()
    {
        while (_levels.TryPeek(out var level))
        {
            var children = order.DirectoriesOf(level.Directory);
            var (hasFile, hasChild) = (level.File < level.FileEnd, level.Child < children.Length);
            if (!hasFile && !hasChild)
            {
                _levels.Pop();
                continue;
            }

            // Files and directories have different names, so neither is a beginning of the other with its slash.
            if (hasFile && (!hasChild || KeyOrder.CompareWithSlash(index.DirectoryName(children[level.Child]), index.FileName(level.File)) > 0))
            {
                _file = level.File++;
                _keyLength = PutName(level.PrefixLength, index.FileName(_file), isDirectory: false);
                return true;
            }

            var directory = children[level.Child++];
            var (first, count) = index.FilesOf(directory);
            _keyLength = PutName(level.PrefixLength, index.DirectoryName(directory), isDirectory: true);
            _levels.Push(new Level(directory, _keyLength, first, first + count, 0));
            if (hasFolders)
            {
                _file = -1;
                return true;
            }
        }

        return false;
    }

    /// <summary>How many files sort before the text.</summary>
    private int FirstFile(int first, int count, ReadOnlySpan<byte> text)
    {
        var (low, high) = (0, count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = index.FileName(first + middle).SequenceCompareTo(text) < 0 ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>How many sub-directories sort before the text.</summary>
    private int FirstChild(int directory, ReadOnlySpan<byte> text)
    {
        var children = order.DirectoriesOf(directory);
        var (low, high) = (0, children.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = KeyOrder.CompareWithSlash(index.DirectoryName(children[middle]), text) < 0 ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>Writes a name behind the prefix; returns where it ends.</summary>
    private int PutName(int prefix, ReadOnlySpan<byte> name, bool isDirectory)
    {
        var end = prefix + name.Length + (isDirectory ? 1 : 0);
        if (end > _key.Length)
        {
            Array.Resize(ref _key, Math.Max(end, 2 * _key.Length));
        }

        name.CopyTo(_key.AsSpan(prefix));
        if (isDirectory)
        {
            _key[end - 1] = (byte)'/';
        }

        return end;
    }

    private sealed class Level(int directory, int prefixLength, int file, int fileEnd, int child)
    {
        public int Directory => directory;

        public int PrefixLength => prefixLength;

        public int File { get; set; } = file;

        public int FileEnd => fileEnd;

        public int Child { get; set; } = child;
    }
}
