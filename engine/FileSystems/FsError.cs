namespace KeepFs.Engine.FileSystems;

/// <summary>The closed list of what a file system can answer; each front translates it in exactly one place.</summary>
public enum FsError
{
    /// <summary>No such file or directory.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    AlreadyExists,

    /// <summary>A directory was needed.</summary>
    NotADirectory,

    /// <summary>A file was needed.</summary>
    IsADirectory,

    /// <summary>The directory has entries.</summary>
    NotEmpty,

    /// <summary>The whole file system or this version of a collection cannot be changed.</summary>
    ReadOnly,

    /// <summary>The user may not do that here.</summary>
    NotPermitted,

    /// <summary>The name or argument is not possible: empty, ".", "..", a slash, bytes that are not UTF-8.</summary>
    InvalidArgument,

    /// <summary>The name is longer than 255 bytes of UTF-8.</summary>
    NameTooLong,

    /// <summary>Something that a collection cannot hold: links, devices, modes (spec decision 18).</summary>
    NotSupported,

    /// <summary>Both names must lie in the same collection.</summary>
    CrossDevice,

    /// <summary>Keepstores or the local disk are full.</summary>
    NoSpace,

    /// <summary>Data could not be read or written; the log names the block or service.</summary>
    InputOutput,

    /// <summary>The file would become larger than any file may be.</summary>
    TooLarge,

    /// <summary>The token is missing, wrong or expired.</summary>
    Unauthorized,

    /// <summary>The object was removed while the handle was open.</summary>
    Stale,
}
