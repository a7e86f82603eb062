using KeepFs.Engine.Volumes;

namespace KeepFs.Testing.Volumes;

/// <summary>The real disk, except that it writes down every step and can fail or call back at one of them.</summary>
public sealed class RecordingDisk : IDisk
{
    private readonly PosixDisk _disk = new();

    /// <summary>Steps so far, such as <c>fsync tmp</c>: operation and kind of name.</summary>
    public List<string> Steps { get; } = [];

    /// <summary>Called before every step; may throw.</summary>
    public Action<string> Before { get; set; } = _ => { };

    /// <summary>Makes one step fail.</summary>
    public void FailAt(string failing, DiskError error) => Before = step =>
    {
        if (step == failing)
        {
            throw new DiskException(error, $"{step} was made to fail");
        }
    };

    /// <inheritdoc/>
    public IDiskFile Open(string path, DiskAccess access)
    {
        Step(access == DiskAccess.CreateNew ? "create" : "open", path);
        return new File(this, _disk.Open(path, access), path);
    }

    /// <inheritdoc/>
    public DiskStat? Stat(string path) => Step("stat", path)._disk.Stat(path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory) => Step("list", directory)._disk.List(directory);

    /// <inheritdoc/>
    public void CreateDirectory(string path) => Step("mkdir", path)._disk.CreateDirectory(path);

    /// <inheritdoc/>
    public void Rename(string from, string to) => Step("rename", to)._disk.Rename(from, to);

    /// <inheritdoc/>
    public void RenameToNew(string from, string to) => Step("rename-new", to)._disk.RenameToNew(from, to);

    /// <inheritdoc/>
    public void Delete(string path) => Step("unlink", path)._disk.Delete(path);

    /// <inheritdoc/>
    public void SetTimes(string path, long unixNanoseconds) => Step("utimes", path)._disk.SetTimes(path, unixNanoseconds);

    /// <inheritdoc/>
    public void SyncDirectory(string path) => Step("fsync", path)._disk.SyncDirectory(path);

    /// <inheritdoc/>
    public string? ReadLink(string path) => _disk.ReadLink(path);

    /// <inheritdoc/>
    public void CreateLink(string path, string text) => _disk.CreateLink(path, text);

    /// <summary>Room to report instead of the real one.</summary>
    public VolumeSpace? Space { get; set; }

    /// <inheritdoc/>
    public VolumeSpace? GetSpace(string path) => Space ?? _disk.GetSpace(path);

    /// <inheritdoc/>
    public DiskPlace Locate(string path) => Place ?? _disk.Locate(path);

    /// <summary>Where to say that everything is, instead of the truth.</summary>
    public DiskPlace? Place { get; set; }

    /// <inheritdoc/>
    public string? DescribeFileSystem(string path) => FileSystem ?? _disk.DescribeFileSystem(path);

    /// <summary>What to say that is mounted, instead of the truth.</summary>
    public string? FileSystem { get; set; }

    /// <inheritdoc/>
    public IDiskFileSystem? OpenFileSystem(string directory) => new SharedSync(this, directory);

    private RecordingDisk Step(string operation, string path)
    {
        var name = Path.GetFileName(path);
        var kind = name.StartsWith("tmp", StringComparison.Ordinal) ? "tmp"
            : name.Contains(".trash.", StringComparison.Ordinal) ? "trash"
            : name.Length == 32 ? "block"
            : name.Length == 3 ? "dir"
            : "root";
        Steps.Add($"{operation} {kind}");
        Before(Steps[^1]);
        return this;
    }

    private sealed class File(RecordingDisk disk, IDiskFile file, string path) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> destination, long offset)
        {
            disk.Step("read", path);
            return file.Read(destination, offset);
        }

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            disk.Step("write", path);
            file.Write(source, offset);
        }

        public void Sync()
        {
            disk.Step("fsync", path);
            file.Sync();
        }

        public void Lock()
        {
            disk.Step("flock", path);
            file.Lock();
        }

        public bool TryLock()
        {
            disk.Step("try flock", path);
            return file.TryLock();
        }

        public void Dispose() => file.Dispose();
    }

    private sealed class SharedSync(RecordingDisk disk, string directory) : IDiskFileSystem
    {
        public void SyncAll() => disk.Step("syncfs", directory);

        public void Dispose()
        {
        }
    }
}
