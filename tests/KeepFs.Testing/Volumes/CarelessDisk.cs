using KeepFs.Engine.Volumes;

namespace KeepFs.Testing.Volumes;

/// <summary>What a <see cref="CarelessDisk"/> leaves out.</summary>
public enum Carelessness
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Files are never synced.</summary>
    NoFileSync,

    /// <summary>Temporary files are synced only after they have their final name.</summary>
    NameBeforeSync,

    /// <summary>Only temporary files are synced, touched blocks are not.</summary>
    NoTouchSync,

    /// <summary>The names of blocks are never synced.</summary>
    NoDirectorySync,

    /// <summary>The names of directories are never synced.</summary>
    NoRootSync,

    /// <summary>Syncing everything does nothing.</summary>
    NoSharedSync,

    /// <summary>Every second sync of everything does nothing: bytes are safe and names are not, or the other way round.</summary>
    HalfSharedSync,
}

/// <summary>The disk inside, for a volume that forgets a step that durability needs: a check of crashes must find that.</summary>
public sealed class CarelessDisk(IDisk inner, Carelessness carelessness) : IDisk
{
    private readonly Dictionary<string, IDiskFile> _lateSyncs = [];
    private int _sharedSyncs;

    /// <inheritdoc/>
    public IDiskFile Open(string path, DiskAccess access) => new File(this, inner.Open(path, access), path);

    /// <inheritdoc/>
    public DiskStat? Stat(string path) => inner.Stat(path);

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string directory) => inner.List(directory);

    /// <inheritdoc/>
    public void CreateDirectory(string path) => inner.CreateDirectory(path);

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        inner.Rename(from, to);
        SyncLate(from);
    }

    /// <inheritdoc/>
    public void RenameToNew(string from, string to)
    {
        inner.RenameToNew(from, to);
        SyncLate(from);
    }

    /// <inheritdoc/>
    public void Delete(string path) => inner.Delete(path);

    /// <inheritdoc/>
    public void SetTimes(string path, long unixNanoseconds) => inner.SetTimes(path, unixNanoseconds);

    /// <inheritdoc/>
    public void SyncDirectory(string path)
    {
        if (carelessness != (path == CrashDisk.Root ? Carelessness.NoRootSync : Carelessness.NoDirectorySync))
        {
            inner.SyncDirectory(path);
        }
    }

    /// <inheritdoc/>
    public string? ReadLink(string path) => inner.ReadLink(path);

    /// <inheritdoc/>
    public void CreateLink(string path, string text) => inner.CreateLink(path, text);

    /// <inheritdoc/>
    public VolumeSpace? GetSpace(string path) => inner.GetSpace(path);

    /// <inheritdoc/>
    public DiskPlace Locate(string path) => inner.Locate(path);

    /// <inheritdoc/>
    public string? DescribeFileSystem(string path) => inner.DescribeFileSystem(path);

    /// <inheritdoc/>
    public IDiskFileSystem? OpenFileSystem(string directory) => inner.OpenFileSystem(directory) is { } fileSystem ? new FileSystem(this, fileSystem) : null;

    private void SyncLate(string path)
    {
        if (_lateSyncs.Remove(path, out var file))
        {
            file.Sync();
            file.Dispose();
        }
    }

    private sealed class File(CarelessDisk disk, IDiskFile file, string path) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> destination, long offset) => file.Read(destination, offset);

        public void Write(ReadOnlySpan<byte> source, long offset) => file.Write(source, offset);

        public void Sync()
        {
            var isTemporary = Path.GetFileName(path).StartsWith("tmp", StringComparison.Ordinal);
            if (isTemporary && disk.HasCarelessness(Carelessness.NameBeforeSync))
            {
                disk._lateSyncs[path] = file;
            }
            else if (!disk.HasCarelessness(isTemporary ? Carelessness.NoFileSync : Carelessness.NoTouchSync))
            {
                file.Sync();
            }
        }

        public void Lock() => file.Lock();

        public bool TryLock() => file.TryLock();

        public void Dispose()
        {
            if (!disk._lateSyncs.ContainsValue(file))
            {
                file.Dispose();
            }
        }
    }

    private bool HasCarelessness(Carelessness kind) => carelessness == kind;

    private sealed class FileSystem(CarelessDisk disk, IDiskFileSystem inner) : IDiskFileSystem
    {
        public void SyncAll()
        {
            var isSkipped = disk.HasCarelessness(Carelessness.NoSharedSync) || (disk.HasCarelessness(Carelessness.HalfSharedSync) && disk._sharedSyncs++ % 2 == 0);
            if (!isSkipped)
            {
                inner.SyncAll();
            }
        }

        public void Dispose() => inner.Dispose();
    }
}
