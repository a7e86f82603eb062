using KeepFs.Engine.Volumes;

namespace KeepFs.Benchmarks;

/// <summary>The real disk; counts names that were given and syncs of everything.</summary>
internal sealed class SyncCounter : IDisk
{
    private readonly PosixDisk _disk = new();
    private long _writes;
    private long _syncs;

    public long Writes => Interlocked.Read(ref _writes);

    public long Syncs => Interlocked.Read(ref _syncs);

    public void RenameToNew(string from, string to)
    {
        Interlocked.Increment(ref _writes);
        _disk.RenameToNew(from, to);
    }

    public IDiskFileSystem? OpenFileSystem(string directory) => _disk.OpenFileSystem(directory) is { } fileSystem ? new Counted(fileSystem, this) : null;

    public IDiskFile Open(string path, DiskAccess access) => _disk.Open(path, access);

    public DiskStat? Stat(string path) => _disk.Stat(path);

    public IReadOnlyList<string> List(string directory) => _disk.List(directory);

    public void CreateDirectory(string path) => _disk.CreateDirectory(path);

    public void Rename(string from, string to) => _disk.Rename(from, to);

    public void Delete(string path) => _disk.Delete(path);

    public void SetTimes(string path, long unixNanoseconds) => _disk.SetTimes(path, unixNanoseconds);

    public void SyncDirectory(string path) => _disk.SyncDirectory(path);

    public string? ReadLink(string path) => _disk.ReadLink(path);

    public void CreateLink(string path, string text) => _disk.CreateLink(path, text);

    public VolumeSpace? GetSpace(string path) => _disk.GetSpace(path);

    public DiskPlace Locate(string path) => _disk.Locate(path);

    public string? DescribeFileSystem(string path) => _disk.DescribeFileSystem(path);

    private sealed class Counted(IDiskFileSystem inner, SyncCounter counter) : IDiskFileSystem
    {
        public void SyncAll()
        {
            Interlocked.Increment(ref counter._syncs);
            inner.SyncAll();
        }

        public void Dispose() => inner.Dispose();
    }
}
