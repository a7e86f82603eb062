using System.Runtime.InteropServices;

namespace KeepFs.Cli.Gateway;

/// <summary>Paths without symbolic links, as realpath(3) finds them.</summary>
internal static partial class LocalPath
{
    /// <exception cref="CommandException">There is nothing.</exception>
    public static string Real(string path)
    {
        var found = RealPath(Path.GetFullPath(path), 0);
        if (found == 0)
        {
            throw new CommandException($"\"{path}\": {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        try
        {
            return Marshal.PtrToStringUTF8(found)!;
        }
        finally
        {
            Free(found);
        }
    }

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(nint memory);
}
