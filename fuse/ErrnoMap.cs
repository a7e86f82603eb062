using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse;

/// <summary>
/// The one place where an error of the tree or of Keep becomes an errno (mount.md section 5). What programs cannot act upon is EIO, and
/// then the log has the reason, because the program will not.
/// </summary>
internal static class ErrnoMap
{
    public static int From(FsError error) => error switch
    {
        FsError.NotFound => Errno.ENOENT,
        FsError.AlreadyExists => Errno.EEXIST,
        FsError.NotADirectory => Errno.ENOTDIR,
        FsError.IsADirectory => Errno.EISDIR,
        FsError.NotEmpty => Errno.ENOTEMPTY,
        FsError.ReadOnly => Errno.EROFS,
        FsError.NotPermitted => Errno.EPERM,
        FsError.InvalidArgument => Errno.EINVAL,
        FsError.NameTooLong => Errno.ENAMETOOLONG,
        FsError.NotSupported => Errno.EOPNOTSUPP,
        FsError.CrossDevice => Errno.EXDEV,
        FsError.NoSpace => Errno.ENOSPC,
        FsError.InputOutput => Errno.EIO,
        FsError.TooLarge => Errno.EFBIG,
        FsError.Unauthorized => Errno.EACCES,
        FsError.Stale => Errno.ESTALE,
        _ => Errno.EIO,
    };

    public static int From(KeepErrorKind kind) => kind switch
    {
        KeepErrorKind.PermissionDenied => Errno.EACCES,
        KeepErrorKind.Full => Errno.ENOSPC,
        _ => Errno.EIO,
    };

    /// <summary>Translates, and logs whatever becomes EIO or is not an expected outcome.</summary>
    public static int From(Exception exception, string operation, Action<string> log)
    {
        var errno = exception switch
        {
            FsException fs => From(fs.Error),
            KeepException keep => From(keep.Kind),
            OperationCanceledException => Errno.EINTR,
            _ => Errno.EIO,
        };
        if (exception is not (FsException or KeepException or OperationCanceledException))
        {
            log($"fuse: {operation}: unexpected error, answered EIO: {exception}");
        }
        else if (errno == Errno.EIO || exception is KeepException)
        {
            log($"fuse: {operation}: errno {errno}: {exception.Message}");
        }

        return errno;
    }
}
