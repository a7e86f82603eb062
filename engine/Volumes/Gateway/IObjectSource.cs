namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// A store of objects that is not Keep's and is only read (keep-gateway.md 1): an S3 bucket, a directory. Safe for concurrent use.
/// </summary>
public interface IObjectSource : IAsyncDisposable
{
    /// <summary>Names the store, such as <c>s3://endpoint/bucket</c>; equal for two ways to the same one.</summary>
    string DeviceId { get; }

    /// <summary>
    /// Opens bytes of an object. Null when the object is gone: there is none, or it ends before the range does.
    /// </summary>
    /// <param name="key">Which object.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes wanted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ObjectUnavailableException">Nobody can tell now: no answer, no permission, an error of the store.</exception>
    ValueTask<IObjectReader?> OpenAsync(ObjectKey key, long offset, long length, CancellationToken cancellationToken);

    /// <summary>The object as it is now; null when it is gone.</summary>
    /// <exception cref="ObjectUnavailableException">As for opening.</exception>
    ValueTask<ObjectInfo?> StatAsync(ObjectKey key, CancellationToken cancellationToken);
}

/// <summary>A range of an object that is being read. One user at a time.</summary>
public interface IObjectReader : IAsyncDisposable
{
    /// <summary>The object, as it was when it was opened.</summary>
    ObjectInfo Info { get; }

    /// <summary>The next bytes; 0 at the end. After a cancellation the memory is not touched any more.</summary>
    /// <exception cref="ObjectUnavailableException">The store failed half-way.</exception>
    ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken);
}

/// <summary>An object and its version. Two with equal size, tag and time are taken for the same content.</summary>
/// <param name="Key">Its name.</param>
/// <param name="SizeBytes">Its length.</param>
/// <param name="ETag">Changes with the content; no spaces or control characters.</param>
/// <param name="LastModifiedSeconds">Unix time.</param>
public sealed record ObjectInfo(ObjectKey Key, long SizeBytes, string ETag, long LastModifiedSeconds);

/// <summary>The store cannot say now whether it has the object.</summary>
public sealed class ObjectUnavailableException(string message, Exception? inner = null) : IOException(message, inner);
