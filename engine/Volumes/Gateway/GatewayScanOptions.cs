namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>Settings of a <see cref="GatewayScan"/>.</summary>
public sealed record GatewayScanOptions
{
    /// <summary>
    /// Objects read at once: 16 fill the lanes of the hash service and keep a solid-state disk or a network busy. For one spinning disk 1 or 2.
    /// </summary>
    public int Jobs { get; init; } = 16;

    /// <summary>Only keys that start with this were listed, so only those are removed when they are not there any more.</summary>
    public ObjectKey Prefix { get; init; } = new("");

    /// <summary>
    /// Takes an ETag for the MD5 of an object of one block instead of reading it (keep-gateway.md 6). Only true of a bucket without multipart
    /// uploads of that size and without encryption by key.
    /// </summary>
    public bool TrustsETag { get; init; }

    /// <summary>Goes on although the listing is empty and the index is not: an unmounted disk looks the same as one that was emptied.</summary>
    public bool MayRemoveAll { get; init; }

    /// <summary>An object that sends nothing for so long is given up.</summary>
    public TimeSpan ProgressTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>What a scan did.</summary>
/// <param name="Listed">Objects in the listing.</param>
/// <param name="Kept">Known and unchanged: not read.</param>
/// <param name="Read">Read and indexed.</param>
/// <param name="ReadBytes">Their bytes.</param>
/// <param name="Removed">Known before and no longer listed.</param>
/// <param name="Vanished">Listed, but gone when they were to be read.</param>
/// <param name="Errors">Listed, but not indexed: unreadable, or changed while they were read. The old entries stay.</param>
public sealed record ScanReport(long Listed, long Kept, long Read, long ReadBytes, long Removed, long Vanished, long Errors);

/// <summary>Told how a scan goes. Called from any thread.</summary>
public interface IScanProgress
{
    /// <summary>Bytes were read from the store.</summary>
    void Advance(long bytes);

    /// <summary>The object's entry is true now.</summary>
    void Indexed(CataloguedObject entry);

    /// <summary>The object could not be indexed.</summary>
    void Failed(ObjectInfo item, string reason);
}

/// <summary>The listing is empty although the index knows objects: nothing was removed.</summary>
public sealed class EmptyListingException(string message) : IOException(message);
