namespace KeepFs.Volumes.Azure;

/// <summary>
/// What a volume asks of a blob container. Absence and unmet conditions are values; everything else that goes wrong is a
/// <see cref="Engine.Blocks.KeepException"/>. Safe for concurrent use.
/// </summary>
internal interface IContainer : IDisposable
{
    /// <summary>Size, times and metadata of a blob, or null.</summary>
    ValueTask<Blob?> GetPropertiesAsync(string name, CancellationToken cancellationToken);

    /// <summary>Hands the bytes of a blob to the receiver, which says how many it took. Null: it is not there.</summary>
    ValueTask<Blob?> GetAsync(string name, Func<Blob, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken);

    /// <summary>Reads a part of one version of a blob; false when that version is gone.</summary>
    ValueTask<bool> GetRangeAsync(Blob blob, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Stores a blob without metadata; the service refuses bytes that arrive with another MD5.</summary>
    ValueTask PutAsync(string name, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken);

    /// <summary>Replaces the metadata of one version of a blob, which makes a new version; false when that version is gone.</summary>
    ValueTask<bool> SetMetadataAsync(Blob blob, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken);

    /// <summary>Deletes a blob if it still is this version; false when not.</summary>
    ValueTask<bool> DeleteAsync(Blob blob, CancellationToken cancellationToken);

    /// <summary>One page of the blobs whose names start with a prefix, by name.</summary>
    ValueTask<ContainerPage> ListAsync(string prefix, string? marker, CancellationToken cancellationToken);
}

/// <summary>One version of a blob.</summary>
/// <param name="Name">Its name.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="LastModified">Of bytes or metadata, in whole seconds.</param>
/// <param name="ETag">Names the version.</param>
/// <param name="Metadata">By name, which is compared without case.</param>
internal sealed record Blob(string Name, long SizeBytes, DateTimeOffset LastModified, string ETag, IReadOnlyDictionary<string, string> Metadata)
{
    public long MtimeNanoseconds => LastModified.ToUnixTimeSeconds() * 1_000_000_000;
}

/// <summary>Blobs, and how to go on; null: this was the last page.</summary>
internal sealed record ContainerPage(IReadOnlyList<Blob> Blobs, string? Marker);
