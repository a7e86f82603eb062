using System.Text;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// Every disk access of a <see cref="DirectoryVolume"/>, so that a double can record, fail or crash at any step. Calls block; the
/// volume makes them on its own threads. Failures are <see cref="DiskException"/>. Nothing is durable before it was synced: the
/// bytes and times of a file by <see cref="IDiskFile.Sync"/>, its name by <see cref="SyncDirectory"/>.
/// </summary>
public interface IDisk
{
    /// <summary>Opens a file; it keeps denoting that file when the name moves on.</summary>
    IDiskFile Open(string path, DiskAccess access);

    /// <summary>The same; null when there is no such name, which is the usual case for a block that is about to be written.</summary>
    IDiskFile? TryOpen(string path, DiskAccess access)
    {
        try
        {
            return Open(path, access);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
        }
    }

    /// <summary>What the name denotes now, following symbolic links; null when there is nothing.</summary>
    DiskStat? Stat(string path);

    /// <summary>Names in a directory, in no order.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>
    /// Visits the regular files of a directory whose names pass, in no order; one that vanishes meanwhile is left out. The same as listing
    /// and asking for each, in fewer steps: an index does this for every block.
    /// </summary>
    void Visit(string directory, DiskNameFilter filter, DiskVisitor visitor)
    {
        foreach (var name in List(directory))
        {
            var utf8 = Encoding.UTF8.GetBytes(name);
            if (filter(utf8) && Stat(Path.Join(directory, name)) is { IsRegularFile: true } stat)
            {
                visitor(utf8, stat);
            }
        }
    }

    /// <summary>Creates a directory (mode 0755); fine when it exists.</summary>
    void CreateDirectory(string path);

    /// <summary>Moves a name, replacing what is there.</summary>
    void Rename(string from, string to);

    /// <summary>Moves a name; <see cref="DiskError.Exists"/> when the new one is taken.</summary>
    void RenameToNew(string from, string to);

    /// <summary>Removes a name.</summary>
    void Delete(string path);

    /// <summary>Sets access and modification time of what the name denotes now.</summary>
    void SetTimes(string path, long unixNanoseconds);

    /// <summary>Makes the names in a directory durable.</summary>
    void SyncDirectory(string path);

    /// <summary>Text of a symbolic link; null when there is none.</summary>
    string? ReadLink(string path);

    /// <summary>Creates a symbolic link.</summary>
    void CreateLink(string path, string text);

    /// <summary>Room for unprivileged writers; null when unknown.</summary>
    VolumeSpace? GetSpace(string path);

    /// <summary>Which directory the path denotes now: equal for two calls when it is the same one of the same mounted file system. Cheap.</summary>
    DiskPlace Locate(string path);

    /// <summary>
    /// Names the file system of a path so that it can be told when it is mounted again: its UUID, or type and source, and the path
    /// inside it. Null when that cannot be found out.
    /// </summary>
    string? DescribeFileSystem(string path);

    /// <summary>
    /// The file system of a directory, to make everything on it durable at once; null when it cannot do that or could not tell of
    /// an error. Keeps the file system busy until disposed.
    /// </summary>
    IDiskFileSystem? OpenFileSystem(string directory);
}

/// <summary>A mounted file system. Safe for concurrent use.</summary>
public interface IDiskFileSystem : IDisposable
{
    /// <summary>
    /// Makes durable what was written, named, renamed, removed and touched anywhere on it before the call. Also throws when something
    /// could not be written since the previous call (or since it was opened), whosever that was.
    /// </summary>
    void SyncAll();
}

/// <summary>An open file. One thread at a time.</summary>
public interface IDiskFile : IDisposable
{
    /// <summary>Size in bytes, now.</summary>
    long Length { get; }

    /// <summary>Reads until the span is full or the file ends; returns the bytes read.</summary>
    int Read(Span<byte> destination, long offset);

    /// <summary>Writes all bytes.</summary>
    void Write(ReadOnlySpan<byte> source, long offset);

    /// <summary>Writes all bytes of a new file, those of a large one past the system's cache where that is possible (decision 0042).</summary>
    void WriteDirect(ReadOnlySpan<byte> source) => Write(source, 0);

    /// <summary>Makes bytes and times durable.</summary>
    void Sync();

    /// <summary>The open file itself, for calls of the kernel that move bytes without us; null: there is none. Who reads that way says so (<see cref="WasRead"/>).</summary>
    SafeFileHandle? Handle => null;

    /// <summary>These bytes will be read soon. A hint.</summary>
    void WillRead(long offset, long length)
    {
    }

    /// <summary>So many bytes were read by means of the <see cref="Handle"/>.</summary>
    void WasRead(int bytes)
    {
    }

    /// <summary>Asks the system to forget what it remembers of the bytes, so that reading asks the medium. A hint.</summary>
    void DropCache()
    {
    }

    /// <summary>Waits for the exclusive flock(2), held until disposal: the lock that an Arvados keepstore on the same volume takes.</summary>
    void Lock();

    /// <summary>Takes the same lock if nobody holds it; false when somebody does.</summary>
    bool TryLock();
}

/// <summary>Whether a name, in UTF-8, is of interest.</summary>
public delegate bool DiskNameFilter(ReadOnlySpan<byte> name);

/// <summary>Told a file's name, in UTF-8, and what it denotes.</summary>
public delegate void DiskVisitor(ReadOnlySpan<byte> name, DiskStat stat);

/// <summary>How to open a file.</summary>
public enum DiskAccess
{
    /// <summary>Existing, to read.</summary>
    Read,

    /// <summary>Existing, to read and append.</summary>
    Append,

    /// <summary>Must not exist (mode 0644).</summary>
    CreateNew,
}

/// <summary>What a name denotes.</summary>
public readonly record struct DiskStat(long SizeBytes, long MtimeNanoseconds, bool IsRegularFile)
{
    /// <summary>The device that the file is on; with <see cref="Inode"/> it names the file itself.</summary>
    public ulong Device { get; init; }

    /// <summary>Its number there.</summary>
    public ulong Inode { get; init; }

    /// <summary>When file or attributes last changed, since the epoch. Nobody can set it.</summary>
    public long CtimeNanoseconds { get; init; }
}

/// <summary>A directory, as the kernel numbers file systems and what is in them.</summary>
public readonly record struct DiskPlace(ulong Device, ulong Inode);

/// <summary>What a caller can tell apart.</summary>
public enum DiskError
{
    /// <summary>Anything else.</summary>
    Other,

    /// <summary>No such name.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    Exists,

    /// <summary>No room: device or quota.</summary>
    NoSpace,
}

/// <summary>A disk access failed.</summary>
public sealed class DiskException(DiskError error, string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>What went wrong.</summary>
    public DiskError Error { get; } = error;
}
