using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>Names of a chain's files and how they are made: <c>NUMBER.log</c>, <c>NUMBER.data</c>, for the owner only.</summary>
internal static partial class ChainFiles
{
    private const int OpenDirectory = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC on x64; arm64 has another O_DIRECTORY, and then this opens all the same.

    /// <summary>First bytes of each log; the digit is the version of the format.</summary>
    public static ReadOnlySpan<byte> Magic => "KeepFsJ1"u8;

    public static string Log(string folder, int number) => Path.Combine(folder, number.ToString("D8", CultureInfo.InvariantCulture) + ".log");

    public static string Data(string folder, int number) => Path.Combine(folder, number.ToString("D8", CultureInfo.InvariantCulture) + ".data");

    /// <summary>Numbers of the files with that ending, in order.</summary>
    public static List<int> Numbers(string folder, string ending) =>
        [.. Directory.EnumerateFiles(folder, "*" + ending).Select(path => int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).Where(number => number > 0).Order()];

    /// <summary>Makes a folder that nobody else may enter; what others may do with the files in it does not matter then.</summary>
    public static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("The journal needs a Unix system.");
        }

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Makes a file that nobody else may read.</summary>
    public static SafeFileHandle CreateFile(string path)
    {
        var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return file;
    }

    /// <summary>Makes the names in a folder as durable as the files.</summary>
    public static void SyncFolder(string folder)
    {
        var descriptor = Open(folder, OpenDirectory);
        if (descriptor < 0)
        {
            throw new IOException($"open {folder}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }

        try
        {
            if (Synchronise(descriptor) != 0)
            {
                throw new IOException($"fsync {folder}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Synchronise(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
