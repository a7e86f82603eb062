namespace KeepFs.Fuse.Takeover;

/// <summary>
/// Gets to know what the kernel is told, before it is told, so that a process that takes the mount over means the same by the same numbers.
/// Calls return when the record outlives this process. Safe for concurrent use.
/// </summary>
internal interface IStateLog
{
    /// <summary>One more answer named the node, and for the first time by this name.</summary>
    void Named(ulong nodeId, ulong parent, string name);

    /// <summary>One more answer named the node as before.</summary>
    void NamedAgain(ulong nodeId);

    /// <summary>The kernel took answers back.</summary>
    void Forgotten(ulong nodeId, ulong lookups);

    /// <summary>A name was removed through this mount.</summary>
    void Removed(ulong parent, string name);

    /// <summary>What a name stood for has another one; what that stood for before has none.</summary>
    void Renamed(ulong parent, string name, ulong newParent, string newName);

    /// <summary>The kernel is given a handle.</summary>
    void Opened(ulong handle, in StateHandle open);

    /// <summary>The kernel gave it back.</summary>
    void Closed(ulong handle);
}

/// <summary>For a mount that ends with its process.</summary>
internal sealed class NoStateLog : IStateLog
{
    public static readonly NoStateLog Instance = new();

    public void Named(ulong nodeId, ulong parent, string name)
    {
    }

    public void NamedAgain(ulong nodeId)
    {
    }

    public void Forgotten(ulong nodeId, ulong lookups)
    {
    }

    public void Removed(ulong parent, string name)
    {
    }

    public void Renamed(ulong parent, string name, ulong newParent, string newName)
    {
    }

    public void Opened(ulong handle, in StateHandle open)
    {
    }

    public void Closed(ulong handle)
    {
    }
}
