using System.Buffers;
using System.Buffers.Text;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>
/// Writes normalised manifest text (manifests.md section 6), one stream at a time: the caller brings directories depth-first and names in
/// UTF-8 order. Each distinct locator stands once per stream, at its first use. Not for concurrent use.
/// </summary>
public sealed class ManifestWriter
{
    private static readonly Locator EmptyBlock = new(BlockHash.Empty, 0);
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly ArrayBufferWriter<byte> _files = new();
    private readonly Dictionary<string, long> _blockStart = new(StringComparer.Ordinal);
    private readonly List<Locator> _blocks = [];
    private string? _lastBlock;
    private long _lastStart;
    private long _streamLength;
    private bool _hasFiles;

    /// <summary>Bytes written so far, open stream not counted.</summary>
    public int WrittenBytes => _output.WrittenCount;

    /// <summary>Adds a file to the open stream. Segments are in file order; none for an empty file.</summary>
    public void AddFile(ReadOnlySpan<byte> name, ReadOnlySpan<ManifestSegment> segments)
    {
        _hasFiles = true;
        long start = 0, length = 0;
        var written = false;
        foreach (var segment in segments)
        {
            var position = StartOf(segment.Locator) + segment.Offset;
            if (length > 0 && position == start + length)
            {
                length += segment.Length;
                continue;
            }

            if (length > 0)
            {
                WriteToken(start, length, name);
                written = true;
            }

            (start, length) = (position, segment.Length);
        }

        if (length > 0 || !written)
        {
            WriteToken(start, length, name);
        }
    }

    /// <summary>Ends a stream and writes it if it has files.</summary>
    /// <param name="path">Path of its directory, unescaped, without "./"; empty for the root.</param>
    public void EndStream(ReadOnlySpan<byte> path)
    {
        if (!_hasFiles)
        {
            return;
        }

        WriteStreamName(path);
        if (_blocks.Count == 0)
        {
            _blocks.Add(EmptyBlock);
        }

        foreach (var block in _blocks)
        {
            WriteAscii(" ");
            WriteAscii(block.ToString());
        }

        _output.Write(_files.WrittenSpan);
        WriteAscii("\n");
        _files.ResetWrittenCount();
        _blockStart.Clear();
        _blocks.Clear();
        (_lastBlock, _lastStart, _streamLength, _hasFiles) = (null, 0, 0, false);
    }

    /// <summary>Writes the placeholder of a directory without entries (manifests.md section 4).</summary>
    public void AddEmptyDirectory(ReadOnlySpan<byte> path)
    {
        WriteStreamName(path);
        _output.Write(" d41d8cd98f00b204e9800998ecf8427e+0 0:0:\\056\n"u8);
    }

    /// <summary>The manifest text.</summary>
    public byte[] ToArray() => _output.WrittenSpan.ToArray();

    private long StartOf(Locator locator)
    {
        var text = locator.ToString();
        if (ReferenceEquals(text, _lastBlock))
        {
            return _lastStart;
        }

        if (!_blockStart.TryGetValue(text, out var start))
        {
            start = _streamLength;
            _blockStart.Add(text, start);
            _blocks.Add(locator);
            _streamLength += locator.SizeBytes;
        }

        (_lastBlock, _lastStart) = (text, start);
        return start;
    }

    private void WriteToken(long position, long size, ReadOnlySpan<byte> name)
    {
        var span = _files.GetSpan(44);
        span[0] = (byte)' ';
        Utf8Formatter.TryFormat(position, span[1..], out var used);
        var at = 1 + used;
        span[at++] = (byte)':';
        Utf8Formatter.TryFormat(size, span[at..], out used);
        at += used;
        span[at++] = (byte)':';
        _files.Advance(at);
        ManifestEscape.Write(_files, name);
    }

    private void WriteStreamName(ReadOnlySpan<byte> path)
    {
        WriteAscii(".");
        if (!path.IsEmpty)
        {
            WriteAscii("/");
            ManifestEscape.Write(_output, path);
        }
    }

    private void WriteAscii(string text) => _output.Advance(Encoding.ASCII.GetBytes(text, _output.GetSpan(text.Length)));
}
