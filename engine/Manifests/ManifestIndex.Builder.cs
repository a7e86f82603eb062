using System.Buffers;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

public sealed partial class ManifestIndex
{
    /// <summary>Reads the tokens in one pass, then groups them by directory with a counting sort; sorts names only where they are not sorted yet.</summary>
    private sealed class Builder(ReadOnlyMemory<byte> text)
    {
        /// <summary>Trees are walked recursively; a hostile manifest must not exhaust the stack.</summary>
        private const int MaxDepth = 2048;

        private readonly Dictionary<string, int> _directoryByPath = new(StringComparer.Ordinal) { [""] = Root };
        private readonly Dictionary<string, int> _blockByText = new(StringComparer.Ordinal);
        private readonly List<(int Parent, NameRef Name)> _directories = [(-1, default)];
        private readonly List<RawFile> _files = [];
        private byte[] _scratch = new byte[512];

        public ReadOnlyMemory<byte> Text { get; } = text;

        public ArrayBufferWriter<byte> Unescaped { get; } = new();

        public List<Locator> Blocks { get; } = [];

        public List<StreamEntry> Streams { get; } = [];

        public List<StreamBlock> StreamBlocks { get; } = [];

        public void ReadAll()
        {
            var tokens = new ManifestTokens(Text.Span);
            while (tokens.MoveToNextStream())
            {
                tokens.TryNextToken(out var name);
                var unescaped = Unescape(name);
                var directory = DirectoryAt(unescaped.Length <= 2 ? "" : Encoding.UTF8.GetString(unescaped[2..]));
                ReadStream(ref tokens, directory);
            }
        }

        private void ReadStream(ref ManifestTokens tokens, int directory)
        {
            var first = StreamBlocks.Count;
            long length = 0;
            tokens.TryNextToken(out var token);
            while (ManifestTokens.LooksLikeLocator(token))
            {
                var block = BlockNumber(token);
                StreamBlocks.Add(new StreamBlock(block, length));
                length += Blocks[block].SizeBytes;
                tokens.TryNextToken(out token);
            }

            var stream = Streams.Count;
            Streams.Add(new StreamEntry(first, StreamBlocks.Count - first));
            do
            {
                if (!SegmentToken.TryParse(token, out var segment) || segment.Size > length - segment.Position)
                {
                    throw new ManifestException(
                        $"Manifest invalid for stream {tokens.StreamNumber}: segment {segment.Position}:{segment.Size} lies beyond the {length} bytes of its stream");
                }

                AddFile(directory, segment, tokens.TokenOffset + token.Length - segment.Name.Length, stream);
            }
            while (tokens.TryNextToken(out token));
        }

        private void AddFile(int directory, SegmentToken segment, int nameOffset, int stream)
        {
            var name = new NameRef(nameOffset, segment.Name.Length, false);
            var shown = segment.Name;
            if (segment.Name.Contains((byte)'\\'))
            {
                var unescaped = Unescape(segment.Name);
                name = new NameRef(Unescaped.WrittenCount, unescaped.Length, true);
                Unescaped.Write(unescaped);
                shown = Unescaped.WrittenSpan.Slice(name.Offset, name.Length);
            }

            if (shown.SequenceEqual("."u8))
            {
                return;
            }

            if (shown.LastIndexOf((byte)'/') is >= 0 and var slash)
            {
                // "foo/." of size 0 only says that foo exists.
                var path = PathOf(directory, Encoding.UTF8.GetString(shown[..slash]));
                directory = DirectoryAt(path);
                if (shown[(slash + 1)..].SequenceEqual("."u8))
                {
                    return;
                }

                name = name with { Offset = name.Offset + slash + 1, Length = name.Length - slash - 1 };
            }

            _files.Add(new RawFile(directory, name, new SegmentEntry(stream, segment.Position, segment.Size)));
        }

        private int BlockNumber(ReadOnlySpan<byte> token)
        {
            Span<char> chars = token.Length <= 256 ? stackalloc char[token.Length] : new char[token.Length];
            Encoding.ASCII.GetChars(token, chars);
            var lookup = _blockByText.GetAlternateLookup<ReadOnlySpan<char>>();
            if (lookup.TryGetValue(chars, out var number))
            {
                return number;
            }

            var text = chars.ToString();
            if (!Locator.TryParse(text, out var locator) || (locator.SizeBytes == 0 && !locator.IsEmptyBlock))
            {
                throw new ManifestException($"Manifest invalid: locator \"{text}\" has no usable size");
            }

            _blockByText.Add(text, Blocks.Count);
            Blocks.Add(locator);
            return Blocks.Count - 1;
        }

        private readonly Dictionary<int, string> _pathOf = new() { [Root] = "" };

        private string PathOf(int directory, string relative) => directory == Root ? relative : $"{_pathOf[directory]}/{relative}";

        /// <summary>The directory of that path ("" = root), created with its parents.</summary>
        private int DirectoryAt(string path)
        {
            if (_directoryByPath.TryGetValue(path, out var number))
            {
                return number;
            }

            if (path.AsSpan().Count('/') >= MaxDepth)
            {
                throw new ManifestException($"Manifest invalid: a path has more than {MaxDepth} components");
            }

            var slash = path.LastIndexOf('/');
            var parent = slash < 0 ? Root : DirectoryAt(path[..slash]);
            var name = Encoding.UTF8.GetBytes(path[(slash + 1)..]);
            number = _directories.Count;
            _directories.Add((parent, new NameRef(Unescaped.WrittenCount, name.Length, true)));
            Unescaped.Write(name);
            _directoryByPath.Add(path, number);
            _pathOf.Add(number, path);
            return number;
        }

        private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> name)
        {
            if (_scratch.Length < name.Length)
            {
                _scratch = new byte[name.Length * 2];
            }

            return _scratch.AsSpan(0, ManifestEscape.Unescape(name, _scratch));
        }

        public (DirectoryEntry[] Directories, int[] Children, FileEntry[] Files, SegmentEntry[] Segments) Arrange()
        {
            var (children, firstChild) = GroupChildren();
            var (order, firstRaw) = Group(_files.Count, _directories.Count, i => _files[i].Directory);
            var files = new List<FileEntry>(_files.Count);
            var segments = new SegmentEntry[_files.Count];
            var directories = new DirectoryEntry[_directories.Count];
            for (var d = 0; d < directories.Length; d++)
            {
                var raws = order.AsSpan(firstRaw[d], firstRaw[d + 1] - firstRaw[d]);
                SortByName(raws, i => _files[i].Name);
                var firstFile = files.Count;
                AddFiles(raws, firstRaw[d], files, segments);
                var kids = children.AsSpan(firstChild[d], firstChild[d + 1] - firstChild[d]);
                directories[d] = new DirectoryEntry(_directories[d].Name, firstFile, files.Count - firstFile, firstChild[d], kids.Length);
                CheckNoConflict(files, firstFile, kids);
            }

            return (directories, children, files.Count == segments.Length ? [.. files] : files.ToArray(), segments);
        }

        private void AddFiles(ReadOnlySpan<int> raws, int at, List<FileEntry> files, SegmentEntry[] segments)
        {
            for (var i = 0; i < raws.Length;)
            {
                var (name, first, size) = (_files[raws[i]].Name, at, 0L);
                do
                {
                    segments[at++] = _files[raws[i]].Segment;
                    size += _files[raws[i++]].Segment.Size;
                }
                while (i < raws.Length && Bytes(_files[raws[i]].Name).SequenceEqual(Bytes(name)));
                files.Add(new FileEntry(name, first, at - first, size));
            }
        }

        private void CheckNoConflict(List<FileEntry> files, int firstFile, ReadOnlySpan<int> kids)
        {
            var f = firstFile;
            foreach (var kid in kids)
            {
                var name = Bytes(_directories[kid].Name);
                while (f < files.Count && Bytes(files[f].Name).SequenceCompareTo(name) < 0)
                {
                    f++;
                }

                if (f < files.Count && Bytes(files[f].Name).SequenceEqual(name))
                {
                    throw new ManifestException($"Manifest invalid: path \"{_pathOf[kid]}\" is both a file and a directory");
                }
            }
        }

        private (int[] Children, int[] First) GroupChildren()
        {
            var (order, first) = Group(_directories.Count - 1, _directories.Count, i => _directories[i + 1].Parent);
            for (var i = 0; i < order.Length; i++)
            {
                order[i]++;
            }

            for (var d = 0; d < _directories.Count; d++)
            {
                SortByName(order.AsSpan(first[d], first[d + 1] - first[d]), i => _directories[i].Name);
            }

            return (order, first);
        }

        /// <summary>Stable counting sort: item numbers ordered by group, and where each group starts.</summary>
        private static (int[] Order, int[] First) Group(int count, int groups, Func<int, int> groupOf)
        {
            var first = new int[groups + 1];
            for (var i = 0; i < count; i++)
            {
                first[groupOf(i) + 1]++;
            }

            for (var g = 0; g < groups; g++)
            {
                first[g + 1] += first[g];
            }

            var next = first.AsSpan(0, groups).ToArray();
            var order = new int[count];
            for (var i = 0; i < count; i++)
            {
                order[next[groupOf(i)]++] = i;
            }

            return (order, first);
        }

        private void SortByName(Span<int> items, Func<int, NameRef> name)
        {
            for (var i = 1; i < items.Length; i++)
            {
                if (Bytes(name(items[i - 1])).SequenceCompareTo(Bytes(name(items[i]))) > 0)
                {
                    // Equal names keep the order of appearance: their pieces concatenate.
                    items.Sort((a, b) => Bytes(name(a)).SequenceCompareTo(Bytes(name(b))) is var order && order != 0 ? order : a.CompareTo(b));
                    return;
                }
            }
        }

        private ReadOnlySpan<byte> Bytes(NameRef name) =>
            (name.IsUnescaped ? Unescaped.WrittenSpan : Text.Span).Slice(name.Offset, name.Length);

        private readonly record struct RawFile(int Directory, NameRef Name, SegmentEntry Segment);
    }
}
