using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Volumes;

public sealed partial class PosixDisk
{
    // Where syncfs(2) is known to commit names and data and costs about as much as one fsync. Btrfs commits its whole tree; FUSE file
    // systems do not hear of it at all.
    private const long Ext4 = 0xef53;
    private const long Xfs = 0x58465342;

    // Before 5.8 syncfs told nothing of failed writes, before 5.17 nothing of a journal that was aborted.
    private static readonly Version SyncTellsErrors = new(5, 17);

    /// <inheritdoc/>
    public VolumeSpace? GetSpace(string path) =>
        StatVfs(path, out var space) == 0 ? new VolumeSpace((long)(space.BlocksAvailable * space.FragmentBytes), (long)(space.Blocks * space.FragmentBytes)) : null;

    /// <inheritdoc/>
    public DiskPlace Locate(string path) => Statx(AtCurrentDirectory, path, 0, StatxBasic, out var stat) == 0
        ? new DiskPlace(((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, stat.Inode)
        : throw PosixError.Last("stat", path);

    /// <inheritdoc/>
    public string? DescribeFileSystem(string path) => DirectoryDeviceId.Describe(path);

    /// <inheritdoc/>
    public IDiskFileSystem? OpenFileSystem(string directory)
    {
        if (Environment.OSVersion.Version < SyncTellsErrors || StatFs(directory, out var fileSystem) != 0 || fileSystem.Type is not (Ext4 or Xfs))
        {
            return null;
        }

        try
        {
            return new PosixFileSystem(directory, OpenHandle(directory, ReadOnly));
        }
        catch (DiskException)
        {
            return null;
        }
    }

    /// <summary>The handle stays open because errors are told once to every handle that was open when they happened.</summary>
    private sealed class PosixFileSystem(string directory, SafeFileHandle handle) : IDiskFileSystem
    {
        public void SyncAll() => PosixError.Check(SyncFs(handle), "syncfs", directory);

        public void Dispose() => handle.Dispose();
    }

    // struct statvfs, as far as needed; the same with glibc and musl on 64 bits.
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct StatVfsBuffer
    {
        public ulong BlockBytes;
        public ulong FragmentBytes;
        public ulong Blocks;
        public ulong BlocksFree;
        public ulong BlocksAvailable;
    }

    // struct statfs, likewise.
    [StructLayout(LayoutKind.Sequential, Size = 256)]
    private struct StatFsBuffer
    {
        public long Type;
    }

    [LibraryImport("libc", EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatVfs(string path, out StatVfsBuffer space);

    [LibraryImport("libc", EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFs(string path, out StatFsBuffer fileSystem);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFs(SafeFileHandle handle);
}
