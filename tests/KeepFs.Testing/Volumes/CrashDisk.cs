using KeepFs.Engine.Volumes;

namespace KeepFs.Testing.Volumes;

/// <summary>
/// A disk in memory that writes down every step and can be asked which disks a crash may leave after any number of them
/// (<see cref="AfterCrash"/>). It promises no more than POSIX and <see cref="IDisk"/> do: what was not synced may be lost, kept, torn at
/// 512 bytes or come back as zeros or as garbage, each name and each sector by itself. One thread at a time.
/// </summary>
public sealed class CrashDisk : IDisk
{
    /// <summary>The only directory that is there from the start.</summary>
    public const string Root = "/crash";

    private readonly Dictionary<int, CrashNode> _nodes;
    private readonly Dictionary<int, CrashNode> _start;
    private readonly List<CrashStep> _steps = [];
    private readonly ManualTime _time;
    private readonly HashSet<int> _locked = [];
    private int _nextNode;

    /// <summary>An empty disk.</summary>
    public CrashDisk(ManualTime time)
        : this(time, new Dictionary<int, CrashNode> { [0] = NewDirectory() })
    {
    }

    internal CrashDisk(ManualTime time, Dictionary<int, CrashNode> nodes)
    {
        _time = time;
        _nodes = nodes;
        _start = nodes.ToDictionary(entry => entry.Key, entry => entry.Value.Copy());
        _nextNode = nodes.Keys.Max() + 1;
    }

    /// <summary>Steps so far; a crash may come after any number of them.</summary>
    public int StepCount => _steps.Count;

    /// <summary>Room to report.</summary>
    public VolumeSpace Space { get; set; } = new(1L << 40, 1L << 40);

    /// <summary>
    /// The disks that a crash after so many steps may leave, as disks of their own: all of them if there are not more than
    /// <paramref name="most"/>, else so many of them, the extremes among them and the rest drawn by the seed.
    /// </summary>
    public IEnumerable<CrashDisk> AfterCrash(int steps, int most, int seed) =>
        new CrashStates(_start, _steps.GetRange(0, steps)).Choose(most, seed).Select(nodes => new CrashDisk(_time, nodes));

    /// <summary>What the steps did, to explain a failure.</summary>
    public string Describe(int steps) => string.Join('\n', _steps.Take(steps).Select((step, i) => $"{i + 1,3} {step}"));

    /// <summary>Everything that is there, to explain a failure.</summary>
    public string Describe() => string.Join('\n', Walk(Root, 0).Select(entry =>
        $"{entry.Path} {(entry.Node.Link is { } link ? "-> " + link : $"{entry.Node.Data.Length} bytes, mtime {entry.Node.MtimeNanoseconds}")}"));

    /// <inheritdoc/>
    public IDiskFile Open(string path, DiskAccess access)
    {
        if (access != DiskAccess.CreateNew)
        {
            return new File(this, Find(path));
        }

        if (TryFind(path) is not null)
        {
            throw new DiskException(DiskError.Exists, $"create {path}");
        }

        var file = Add(path, new CrashNode { MtimeNanoseconds = _time.Nanoseconds });
        return new File(this, file);
    }

    /// <inheritdoc/>
    public DiskStat? Stat(string path) =>
        TryFind(path) is { } id && _nodes[id] is { Link: null } node ? new DiskStat(node.Data.Length, node.MtimeNanoseconds, node.IsFile) { Inode = (ulong)id } : null;

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory) => [.. _nodes[Find(directory)].Names!.Keys];

    /// <inheritdoc/>
    public void CreateDirectory(string path)
    {
        if (TryFind(path) is null)
        {
            Add(path, NewDirectory());
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        var directory = Find(Path.GetDirectoryName(from)!);
        if (directory != Find(Path.GetDirectoryName(to)!))
        {
            throw new NotSupportedException("A name that moves to another directory may be lost in both or be there twice; volumes do not do that.");
        }

        DoNames(new CrashStep.Move(directory, Path.GetFileName(from), Path.GetFileName(to), Find(from)));
    }

    /// <inheritdoc/>
    public void RenameToNew(string from, string to)
    {
        if (TryFind(to) is not null)
        {
            throw new DiskException(DiskError.Exists, $"rename to {to}");
        }

        Rename(from, to);
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        Find(path);
        DoNames(new CrashStep.Remove(Find(Path.GetDirectoryName(path)!), Path.GetFileName(path)));
    }

    /// <inheritdoc/>
    public void SetTimes(string path, long unixNanoseconds) => DoBytes(new CrashStep.Time(Find(path), unixNanoseconds));

    /// <inheritdoc/>
    public void SyncDirectory(string path) => _steps.Add(new CrashStep.SyncNames(Find(path)));

    /// <inheritdoc/>
    public string? ReadLink(string path) => TryFind(path) is { } id ? _nodes[id].Link : null;

    /// <inheritdoc/>
    public void CreateLink(string path, string text) => Add(path, new CrashNode { Link = text });

    /// <inheritdoc/>
    public VolumeSpace? GetSpace(string path) => Space;

    /// <inheritdoc/>
    public DiskPlace Locate(string path) => new(1, (ulong)Find(path));

    /// <inheritdoc/>
    public string? DescribeFileSystem(string path) => "crash";

    /// <inheritdoc/>
    public IDiskFileSystem? OpenFileSystem(string directory) => new FileSystem(this);

    internal static CrashNode NewDirectory() => new() { Names = new SortedDictionary<string, int>(StringComparer.Ordinal) };

    private int Add(string path, CrashNode node)
    {
        var id = _nextNode++;
        _nodes[id] = node;

        // As it is the moment after its creation: what follows can be lost, not that it is empty.
        _start[id] = node.Copy();
        DoNames(new CrashStep.Name(Find(Path.GetDirectoryName(path)!), Path.GetFileName(path), id));
        return id;
    }

    private void DoNames(CrashStep step)
    {
        _steps.Add(step);
        _nodes[step.NamesOf!.Value].ApplyNames(step);
    }

    private void DoBytes(CrashStep step)
    {
        _steps.Add(step);
        _nodes[step.BytesOf!.Value].ApplyBytes(step);
    }

    private int Find(string path) => TryFind(path) ?? throw new DiskException(DiskError.NotFound, $"{path}: not found");

    private int? TryFind(string path)
    {
        var id = 0;
        foreach (var name in Path.GetRelativePath(Root, path).Split('/').Where(name => name != "."))
        {
            if (_nodes[id].Names is not { } names || !names.TryGetValue(name, out id))
            {
                return null;
            }
        }

        return id;
    }

    private IEnumerable<(string Path, CrashNode Node)> Walk(string path, int id) =>
        _nodes[id].Names is { } names ? names.SelectMany(entry => Walk(Path.Join(path, entry.Key), entry.Value)).Prepend((path, _nodes[id])) : [(path, _nodes[id])];

    private sealed class File(CrashDisk disk, int id) : IDiskFile
    {
        private bool _isHolder;

        public long Length => disk._nodes[id].Data.Length;

        public int Read(Span<byte> destination, long offset)
        {
            var data = disk._nodes[id].Data.AsSpan((int)Math.Min(offset, Length));
            var count = Math.Min(data.Length, destination.Length);
            data[..count].CopyTo(destination);
            return count;
        }

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            disk.DoBytes(new CrashStep.Write(id, offset, source.ToArray()));
            disk.DoBytes(new CrashStep.Time(id, disk._time.Nanoseconds));
        }

        public void Sync() => disk._steps.Add(new CrashStep.SyncFile(id));

        public void Lock()
        {
            if (!TryLock())
            {
                throw new InvalidOperationException("This would wait for ever: everything runs on one thread.");
            }
        }

        public bool TryLock() => _isHolder = disk._locked.Add(id);

        public void Dispose()
        {
            if (_isHolder)
            {
                disk._locked.Remove(id);
                _isHolder = false;
            }
        }
    }

    private sealed class FileSystem(CrashDisk disk) : IDiskFileSystem
    {
        public void SyncAll() => disk._steps.Add(new CrashStep.SyncAll());

        public void Dispose()
        {
        }
    }
}
