using System.Runtime.InteropServices;

namespace KeepFs.Engine.Volumes;

/// <summary>Turns errno into <see cref="DiskException"/>; Linux numbers.</summary>
internal static class PosixError
{
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int InvalidArgument = 22;

    public static void Check(int result, string operation, string path)
    {
        if (result != 0)
        {
            throw Last(operation, path);
        }
    }

    public static DiskException Last(string operation, string path)
    {
        var errno = Marshal.GetLastPInvokeError();
        return new DiskException(Kind(errno), $"{operation} {path}: {Marshal.GetPInvokeErrorMessage(errno)}");
    }

    /// <summary>.NET puts errno into the HResult of an IOException that has no type of its own.</summary>
    public static DiskException From(Exception failure, string operation, string path) =>
        new(Kind(failure.HResult), $"{operation} {path}: {failure.Message}", failure);

    private static DiskError Kind(int errno) => errno switch
    {
        2 or 20 => DiskError.NotFound, // ENOENT, ENOTDIR
        17 => DiskError.Exists,
        28 or 122 => DiskError.NoSpace, // ENOSPC, EDQUOT
        _ => DiskError.Other,
    };
}
