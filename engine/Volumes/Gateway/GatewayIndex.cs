using System.Buffers;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Which objects have the content of a hash: one text file per hash under a mappings directory (keep-gateway.md 4.1, 4.2). Readers need no
/// lock, writers replace whole files durably under one. Calls block; safe for concurrent use, also by several processes. Failures are
/// <see cref="DiskException"/>.
/// </summary>
public sealed class GatewayIndex
{
    private readonly GatewayFiles _files;
    private long _malformedLines;

    /// <summary>Opens the index; nothing is read or made yet.</summary>
    /// <param name="directory">The mappings directory, absolute.</param>
    /// <param name="disk">Null: the real one.</param>
    public GatewayIndex(string directory, IDisk? disk = null)
    {
        _files = new GatewayFiles(directory, disk ?? new PosixDisk());
        Objects = new ObjectCatalogue(_files);
    }

    /// <summary>The mappings directory.</summary>
    public string Directory => _files.Root;

    /// <summary>What is known of the objects, to notice changes cheaply.</summary>
    public ObjectCatalogue Objects { get; }

    /// <summary>Malformed lines met so far, each time one was.</summary>
    public long MalformedLines => Interlocked.Read(ref _malformedLines);

    internal GatewayFiles Files => _files;

    /// <summary>The hash's candidates, the preferred one first; duplicates and malformed lines are left out.</summary>
    public IReadOnlyList<GatewayLine> Load(BlockHash hash) => Read(hash).Lines;

    /// <summary>The same with the number of malformed lines.</summary>
    internal (IReadOnlyList<GatewayLine> Lines, int Malformed) LoadAll(BlockHash hash)
    {
        var (lines, _, malformed) = Read(hash);
        return (lines, malformed);
    }

    /// <summary>When the mapping was last changed or touched, in nanoseconds since the epoch; null without one.</summary>
    public long? MtimeOf(BlockHash hash) => _files.Disk.Stat(_files.Mapping(hash))?.MtimeNanoseconds;

    /// <summary>Sets the mapping's mtime; false without one.</summary>
    public bool Touch(BlockHash hash, long unixNanoseconds)
    {
        try
        {
            _files.Disk.SetTimes(_files.Mapping(hash), unixNanoseconds);
            return true;
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return false;
        }
    }

    /// <summary>
    /// Rewrites a mapping under its lock: <paramref name="change"/> gets the present lines and returns those to keep. Nothing is written when
    /// that changes nothing; a file without lines is deleted. True when the file changed.
    /// </summary>
    public bool Update(BlockHash hash, Func<IReadOnlyList<GatewayLine>, IEnumerable<GatewayLine>> change)
    {
        using var held = _files.Lock(hash.ToString()[..DirectoryLayout.DirectoryNameLength]);
        var (before, isClean, _) = Read(hash);
        List<GatewayLine> after = [.. change(before).Distinct()];
        if (isClean && after.SequenceEqual(before))
        {
            return false;
        }

        if (after.Count == 0)
        {
            _files.Delete(_files.Mapping(hash));
            return true;
        }

        var text = new ArrayBufferWriter<byte>();
        after.ForEach(line => line.WriteTo(text));
        _files.Replace(_files.Mapping(hash), text.WrittenSpan);
        return true;
    }

    /// <summary>
    /// Hashes that start with <paramref name="prefix"/> in hash order, each once however many candidates it has, with the length of its first
    /// line. Files without a valid line are not listed.
    /// </summary>
    public IEnumerable<IndexEntry> List(string prefix)
    {
        var digits = prefix.Length < DirectoryLayout.DirectoryNameLength ? prefix : prefix[..DirectoryLayout.DirectoryNameLength];
        return Directories().Where(name => name.StartsWith(digits, StringComparison.Ordinal)).SelectMany(name => ListDirectory(name, prefix)).Select(found => found.Entry);
    }

    /// <summary>Removes temporary files that a crash left behind, if they are older than this.</summary>
    public void RemoveTemporaries(long olderThanNanoseconds)
    {
        var objects = _files.List(_files.ObjectsRoot).Select(name => Path.Join(_files.ObjectsRoot, name));
        foreach (var directory in Directories().Select(_files.MappingDirectory).Concat(objects))
        {
            foreach (var path in _files.List(directory).Where(name => name.StartsWith(GatewayFiles.TemporaryPrefix, StringComparison.Ordinal)).Select(name => Path.Join(directory, name)))
            {
                if (_files.Disk.Stat(path) is { } stat && stat.MtimeNanoseconds < olderThanNanoseconds)
                {
                    _files.TryDelete(path);
                }
            }
        }
    }

    internal IEnumerable<string> Directories() => _files.List(_files.Root).Where(DirectoryLayout.IsDirectoryName);

    /// <summary>The mappings of one directory with their number of candidates.</summary>
    internal IEnumerable<(IndexEntry Entry, int Candidates)> ListDirectory(string directory, string prefix)
    {
        foreach (var name in _files.List(_files.MappingDirectory(directory)))
        {
            if (BlockHash.TryParse(name, out var hash) && name.StartsWith(prefix, StringComparison.Ordinal) && name.StartsWith(directory, StringComparison.Ordinal)
                && MtimeOf(hash) is { } mtime && Load(hash) is [var first, ..] lines)
            {
                yield return (new IndexEntry(hash, first.Length, mtime), lines.Count);
            }
        }
    }

    private (List<GatewayLine> Lines, bool IsClean, int Malformed) Read(BlockHash hash)
    {
        var lines = new List<GatewayLine>();
        var seen = new HashSet<GatewayLine>();
        var (isClean, malformed) = (true, 0);
        var text = _files.Read(_files.Mapping(hash)).AsSpan();
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            var raw = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            if (!GatewayLine.TryParse(raw, out var line))
            {
                malformed++;
                isClean = false;
            }
            else if (seen.Add(line))
            {
                lines.Add(line);
                isClean &= end >= 0;
            }
            else
            {
                isClean = false;
            }
        }

        Interlocked.Add(ref _malformedLines, malformed);
        return (lines, isClean, malformed);
    }
}
