using KeepFs.Engine.Volumes;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.KeepstoreHost;

/// <summary>Counts what a directory volume does to its disk (keepstore-http.md 13); otherwise the disk inside.</summary>
internal sealed class MeteredDisk(IDisk inner, DiskMeter meter) : IDisk
{
    public IDiskFile Open(string path, DiskAccess access) =>
        new MeteredFile(meter.Count(access == DiskAccess.CreateNew ? DiskOperation.Create : DiskOperation.Open, () => inner.Open(path, access)), meter);

    public IDiskFile? TryOpen(string path, DiskAccess access) =>
        meter.Count(access == DiskAccess.CreateNew ? DiskOperation.Create : DiskOperation.Open, () => inner.TryOpen(path, access)) is { } file ? new MeteredFile(file, meter) : null;

    public DiskStat? Stat(string path) => meter.Count(DiskOperation.Stat, () => inner.Stat(path));

    public IReadOnlyList<string> List(string directory) => meter.Count(DiskOperation.Readdir, () => inner.List(directory));

    public void Visit(string directory, DiskNameFilter filter, DiskVisitor visitor) => meter.Count(DiskOperation.Readdir, () =>
        inner.Visit(directory, filter, (name, stat) =>
        {
            meter.Add(DiskOperation.Stat);
            visitor(name, stat);
        }));

    public void CreateDirectory(string path) => meter.Count(DiskOperation.Mkdir, () => inner.CreateDirectory(path));

    public void Rename(string from, string to) => meter.Count(DiskOperation.Rename, () => inner.Rename(from, to));

    public void RenameToNew(string from, string to) => meter.Count(DiskOperation.Rename, () => inner.RenameToNew(from, to));

    public void Delete(string path) => meter.Count(DiskOperation.Unlink, () => inner.Delete(path));

    public void SetTimes(string path, long unixNanoseconds) => meter.Count(DiskOperation.Utimes, () => inner.SetTimes(path, unixNanoseconds));

    public void SyncDirectory(string path) => meter.Count(DiskOperation.Fsync, () => inner.SyncDirectory(path));

    public string? ReadLink(string path) => inner.ReadLink(path);

    public void CreateLink(string path, string text) => inner.CreateLink(path, text);

    public VolumeSpace? GetSpace(string path) => inner.GetSpace(path);

    public DiskPlace Locate(string path) => inner.Locate(path);

    public string? DescribeFileSystem(string path) => inner.DescribeFileSystem(path);

    public IDiskFileSystem? OpenFileSystem(string directory) => inner.OpenFileSystem(directory) is { } fileSystem ? new MeteredFileSystem(fileSystem, meter) : null;

    private sealed class MeteredFileSystem(IDiskFileSystem inner, DiskMeter meter) : IDiskFileSystem
    {
        public void SyncAll() => meter.Count(DiskOperation.Syncfs, inner.SyncAll);

        public void Dispose() => inner.Dispose();
    }

    private sealed class MeteredFile(IDiskFile inner, DiskMeter meter) : IDiskFile
    {
        public long Length => meter.Count(DiskOperation.Stat, () => inner.Length);

        public SafeFileHandle? Handle => inner.Handle;

        public int Read(Span<byte> destination, long offset)
        {
            try
            {
                var count = inner.Read(destination, offset);
                meter.CountRead(count);
                return count;
            }
            catch (DiskException e)
            {
                meter.CountFailure(e);
                throw;
            }
        }

        public void Write(ReadOnlySpan<byte> source, long offset) => Write(source, offset, isDirect: false);

        public void WriteDirect(ReadOnlySpan<byte> source) => Write(source, 0, isDirect: true);

        public void WillRead(long offset, long length) => inner.WillRead(offset, length);

        public void WasRead(int bytes) => meter.CountRead(bytes);

        public void Sync() => meter.Count(DiskOperation.Fsync, inner.Sync);

        public void DropCache() => inner.DropCache();

        public void Lock() => meter.Count(DiskOperation.Flock, inner.Lock);

        public bool TryLock() => meter.Count(DiskOperation.Flock, inner.TryLock);

        public void Dispose() => inner.Dispose();

        private void Write(ReadOnlySpan<byte> source, long offset, bool isDirect)
        {
            try
            {
                if (isDirect)
                {
                    inner.WriteDirect(source);
                }
                else
                {
                    inner.Write(source, offset);
                }

                meter.CountWritten(source.Length);
            }
            catch (DiskException e)
            {
                meter.CountFailure(e);
                throw;
            }
        }
    }
}
