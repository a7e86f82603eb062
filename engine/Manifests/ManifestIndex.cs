using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>
/// A parsed manifest, read-only: the text itself plus compact tables of directories, files and segments, in which names are offsets
/// into the text. Directories and files are small integers; directory 0 is the root. Names come in UTF-8 order. Made for collections of
/// millions of files: no object per file. Immutable and safe for concurrent use.
/// </summary>
public sealed partial class ManifestIndex
{
    /// <summary>The root directory.</summary>
    public const int Root = 0;

    private readonly ReadOnlyMemory<byte> _text;
    private readonly ReadOnlyMemory<byte> _unescaped;
    private readonly Locator[] _blocks;
    private readonly StreamEntry[] _streams;
    private readonly StreamBlock[] _streamBlocks;
    private readonly SegmentEntry[] _segments;
    private readonly FileEntry[] _files;
    private readonly DirectoryEntry[] _directories;
    private readonly int[] _children;

    private ManifestIndex(Builder builder)
    {
        _text = builder.Text;
        _unescaped = builder.Unescaped.WrittenMemory;
        _blocks = [.. builder.Blocks];
        _streams = [.. builder.Streams];
        _streamBlocks = [.. builder.StreamBlocks];
        (_directories, _children, _files, _segments) = builder.Arrange();
    }

    /// <summary>An empty collection.</summary>
    public static ManifestIndex Empty { get; } = Parse(default);

    /// <summary>Parses a manifest; the memory is kept and must not change.</summary>
    /// <exception cref="ManifestException">
    /// Not a manifest (<see cref="ManifestValidator"/>'s text), a segment beyond its stream, a locator without size, or a path that is both
    /// file and directory.
    /// </exception>
    public static ManifestIndex Parse(ReadOnlyMemory<byte> manifest)
    {
        if (ManifestValidator.Validate(manifest.Span, forReading: true) is { } failure)
        {
            throw new ManifestException(failure);
        }

        var builder = new Builder(manifest);
        builder.ReadAll();
        return new ManifestIndex(builder);
    }

    /// <summary>The text that was parsed.</summary>
    public ReadOnlyMemory<byte> Text => _text;

    /// <summary>Distinct locators as the manifest spells them.</summary>
    public IReadOnlyList<Locator> Blocks => _blocks;

    /// <summary>Number of files, placeholders of empty directories not counted.</summary>
    public int FileCount => _files.Length;

    /// <summary>Number of directories, the root included.</summary>
    public int DirectoryCount => _directories.Length;

    /// <summary>Sum of the files' sizes in bytes.</summary>
    public long TotalBytes => _files.Sum(file => file.Size);

    /// <summary>Files of a directory as a contiguous range of file numbers, sorted by name.</summary>
    public (int First, int Count) FilesOf(int directory) => (_directories[directory].FirstFile, _directories[directory].FileCount);

    /// <summary>Sub-directories, sorted by name.</summary>
    public ReadOnlySpan<int> DirectoriesOf(int directory) =>
        _children.AsSpan(_directories[directory].FirstChild, _directories[directory].ChildCount);

    /// <summary>Name of a file, unescaped UTF-8.</summary>
    public ReadOnlySpan<byte> FileName(int file) => Name(_files[file].Name);

    /// <summary>Name of a directory, unescaped UTF-8; empty for the root.</summary>
    public ReadOnlySpan<byte> DirectoryName(int directory) => Name(_directories[directory].Name);

    /// <summary>Size of a file in bytes.</summary>
    public long FileSize(int file) => _files[file].Size;

    /// <summary>The file of that name, or -1.</summary>
    public int FindFile(int directory, ReadOnlySpan<byte> name)
    {
        var (low, count) = FilesOf(directory);
        var high = low + count - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = FileName(middle).SequenceCompareTo(name);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    /// <summary>The sub-directory of that name, or -1.</summary>
    public int FindDirectory(int directory, ReadOnlySpan<byte> name)
    {
        var children = DirectoriesOf(directory);
        var (low, high) = (0, children.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = DirectoryName(children[middle]).SequenceCompareTo(name);
            if (order == 0)
            {
                return children[middle];
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }

    /// <summary>The file's data in order; empty for an empty file. Neighbouring pieces of one block are joined.</summary>
    public ManifestSegment[] SegmentsOf(int file)
    {
        var entry = _files[file];
        var result = new List<ManifestSegment>(entry.SegmentCount);
        for (var i = entry.FirstSegment; i < entry.FirstSegment + entry.SegmentCount; i++)
        {
            AddPieces(_segments[i], result);
        }

        return [.. result];
    }

    private void AddPieces(SegmentEntry segment, List<ManifestSegment> result)
    {
        if (segment.Size == 0)
        {
            return;
        }

        var stream = _streams[segment.Stream];
        var blocks = _streamBlocks.AsSpan(stream.FirstBlock, stream.BlockCount);
        var (at, left) = (BlockAt(blocks, segment.Position), segment.Size);
        var skip = segment.Position - blocks[at].Start;
        for (; left > 0; at++, skip = 0)
        {
            var locator = _blocks[blocks[at].Block];
            var length = (int)Math.Min(left, locator.SizeBytes - skip);
            if (length == 0)
            {
                continue;
            }

            left -= length;
            if (result.Count > 0 && result[^1] is var previous && previous.Offset + previous.Length == skip && previous.Locator == locator)
            {
                result[^1] = previous with { Length = previous.Length + length };
            }
            else
            {
                result.Add(new ManifestSegment(locator, (int)skip, length));
            }
        }
    }

    /// <summary>The last block that starts at or before the position.</summary>
    private static int BlockAt(ReadOnlySpan<StreamBlock> blocks, long position)
    {
        var (low, high) = (0, blocks.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            (low, high) = blocks[middle].Start <= position ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    private ReadOnlySpan<byte> Name(NameRef name) => (name.IsUnescaped ? _unescaped : _text).Span.Slice(name.Offset, name.Length);

    /// <summary>The name as text.</summary>
    public string FileNameText(int file) => Encoding.UTF8.GetString(FileName(file));

    /// <summary>The name as text.</summary>
    public string DirectoryNameText(int directory) => Encoding.UTF8.GetString(DirectoryName(directory));

    private readonly record struct NameRef(int Offset, int Length, bool IsUnescaped);

    private readonly record struct StreamEntry(int FirstBlock, int BlockCount);

    private readonly record struct StreamBlock(int Block, long Start);

    private readonly record struct SegmentEntry(int Stream, long Position, long Size);

    private readonly record struct FileEntry(NameRef Name, int FirstSegment, int SegmentCount, long Size);

    private readonly record struct DirectoryEntry(NameRef Name, int FirstFile, int FileCount, int FirstChild, int ChildCount);
}
