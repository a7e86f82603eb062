namespace KeepFs.Fuse;

/// <summary>Mounting or unmounting is not possible; the message says why and what to do.</summary>
public sealed class FuseMountException : IOException
{
    /// <summary>Creates the error.</summary>
    public FuseMountException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
