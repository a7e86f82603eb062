namespace KeepFs.Engine.Manifests;

/// <summary>A manifest, or a change to one, is not possible; the message says where and why.</summary>
public sealed class ManifestException : FormatException
{
    /// <summary>Creates the error.</summary>
    public ManifestException(string message)
        : base(message)
    {
    }
}
