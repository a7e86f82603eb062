namespace KeepFs.Engine.FileSystems;

/// <summary>Gives out node ids: 1 is the root, none is used twice.</summary>
public sealed class NodeIds
{
    private ulong _last;

    /// <summary>The next id.</summary>
    public ulong Next() => Interlocked.Increment(ref _last);
}
