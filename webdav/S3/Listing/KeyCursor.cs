namespace KeepFs.WebDav.S3.Listing;

/// <summary>
/// Walks over the keys of a bucket in the order of their bytes, and jumps to any of them without looking at those before. Used by one
/// request. <see cref="Key"/> and <see cref="Entry"/> are good while the last move returned true.
/// </summary>
internal abstract class KeyCursor
{
    /// <summary>The whole key in UTF-8; valid until the next move.</summary>
    public abstract ReadOnlySpan<byte> Key { get; }

    public abstract KeyEntry Entry { get; }

    /// <summary>Goes to the first key that is equal or greater; false when there is none.</summary>
    public abstract ValueTask<bool> SeekAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <summary>Goes to the next key; false at the end.</summary>
    public abstract ValueTask<bool> NextAsync(CancellationToken cancellationToken);
}
