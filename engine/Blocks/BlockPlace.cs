namespace KeepFs.Engine.Blocks;

/// <summary>Where in which region a buffer lies.</summary>
internal readonly record struct BlockPlace(BlockRegion Region, int Offset, int SizeBytes)
{
    /// <summary>Gives its pages back to the system.</summary>
    public void Release() => Region.Release(Offset, SizeBytes);
}
