namespace KeepFs.Engine.FileSystems;

/// <summary>A file system operation failed; the message names the path and what to do.</summary>
public sealed class FsException : IOException
{
    /// <summary>Creates the error.</summary>
    public FsException(FsError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>What went wrong.</summary>
    public FsError Error { get; }
}
