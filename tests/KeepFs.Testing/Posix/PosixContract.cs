using Mono.Unix.Native;

namespace KeepFs.Testing.Posix;

/// <summary>
/// What programs may expect of the system calls on files (POSIX.1-2017; the ground that pjdfstest covers), each case written for this project. It runs on the
/// local disk, which shows that the expectations are right, and on the mount. What a manifest cannot hold is expected to be refused as docs/posix.md
/// says, by <see cref="HoldsOnlyContent"/>.
/// </summary>
public abstract partial class PosixContract : IDisposable
{
    /// <summary>Longest name.</summary>
    protected const int NameMax = 255;

    private int _names;

    /// <summary>A directory of this test, on the file system under test.</summary>
    protected abstract string Root { get; }

    /// <summary>Names, bytes and directories are all that is kept.</summary>
    protected abstract bool HoldsOnlyContent { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Directory.Delete(Root, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A path below the root that nothing has.</summary>
    private string New() => Path.Combine(Root, $"n{_names++}");

    private string NewFile(string content = "")
    {
        var path = New();
        File.WriteAllText(path, content);
        return path;
    }

    private string NewDirectory(params string[] files)
    {
        var path = New();
        Done(Syscall.mkdir(path, Mode(0x1ED)));
        foreach (var file in files)
        {
            File.WriteAllText(Path.Combine(path, file), file);
        }

        return path;
    }

    private static FilePermissions Mode(int bits) => (FilePermissions)bits;

    /// <summary>The call failed with this errno.</summary>
    private static void Fails(Errno expected, int result)
    {
        var errno = Stdlib.GetLastError();
        Assert.True(result == -1, $"It returned {result} where {expected} is expected.");
        Assert.Equal(expected, errno);
    }

    private static int Done(int result)
    {
        Assert.True(result >= 0, $"It failed with {Stdlib.GetLastError()}.");
        return result;
    }

    private static Stat StatOf(string path)
    {
        Done(Syscall.lstat(path, out var stat));
        return stat;
    }

    private static bool Exists(string path) => Syscall.lstat(path, out _) == 0;

    private static void WithOpen(string path, OpenFlags flags, Action<int> use)
    {
        var file = Done(Syscall.open(path, flags, Mode(0x1A4)));
        try
        {
            use(file);
        }
        finally
        {
            Done(Syscall.close(file));
        }
    }

    private static unsafe void Write(int file, string text)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(text);
        fixed (byte* start = bytes)
        {
            Assert.Equal(bytes.Length, Syscall.write(file, start, (ulong)bytes.Length));
        }
    }

    private static unsafe void WriteAt(int file, string text, long offset)
    {
        var bytes = System.Text.Encoding.ASCII.GetBytes(text);
        fixed (byte* start = bytes)
        {
            Assert.Equal(bytes.Length, Syscall.pwrite(file, start, (ulong)bytes.Length, offset));
        }
    }

    private static unsafe string ReadAt(int file, int length, long offset)
    {
        var bytes = new byte[length];
        fixed (byte* start = bytes)
        {
            var count = Syscall.pread(file, start, (ulong)length, offset);
            Assert.True(count >= 0, $"pread failed with {Stdlib.GetLastError()}");
            return System.Text.Encoding.ASCII.GetString(bytes, 0, (int)count);
        }
    }
}
