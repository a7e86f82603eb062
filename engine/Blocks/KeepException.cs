namespace KeepFs.Engine.Blocks;

/// <summary>A block operation failed. The message names the block or service, what was tried and what to do.</summary>
public class KeepException : IOException
{
    /// <summary>Creates the error.</summary>
    public KeepException(KeepErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <summary>What went wrong.</summary>
    public KeepErrorKind Kind { get; }
}
