namespace KeepFs.Volumes.S3;

/// <summary>
/// What a volume asks of an S3 bucket: the narrow place where its requests can be counted, or seen with another clock. Absence is a
/// value; everything else that goes wrong is a <see cref="Engine.Blocks.KeepException"/>. Safe for concurrent use.
/// </summary>
internal interface IBucket : IDisposable
{
    /// <summary>Size and time of an object, or null.</summary>
    ValueTask<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Hands bytes of an object, from an offset on, to the receiver, which says how many it took. Null: it is not there.</summary>
    /// <param name="key">Which object.</param>
    /// <param name="offset">Where to start.</param>
    /// <param name="length">How many bytes at most.</param>
    /// <param name="etag">Which version; another one is <see cref="Engine.Blocks.KeepErrorKind.Unavailable"/>. Null: whatever is there.</param>
    /// <param name="receive">Called at most once, with the whole object's size.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    ValueTask<StoredObject?> GetAsync(
        string key, long offset, long length, string? etag, Func<StoredObject, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken);

    /// <summary>Stores an object; the bucket refuses bytes that arrive with another MD5.</summary>
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken);

    /// <summary>Copies an object inside the bucket and returns the new one's time; null when there is none to copy.</summary>
    ValueTask<DateTimeOffset?> CopyAsync(string from, string to, CancellationToken cancellationToken);

    /// <summary>Deletes an object, if it is there.</summary>
    ValueTask DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>One page of the objects whose keys start with a prefix, in the order of the keys' bytes.</summary>
    ValueTask<BucketPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken);
}

/// <summary>One object.</summary>
internal readonly record struct StoredObject(string Key, long SizeBytes, DateTimeOffset LastModified, string ETag)
{
    /// <summary>Whole seconds, as headers tell it: some listings are more exact, and the two must be equal (keepstore-http.md 8).</summary>
    public long MtimeNanoseconds => LastModified.ToUnixTimeSeconds() * 1_000_000_000;
}

/// <summary>Objects, and how to go on; null: this was the last page.</summary>
internal sealed record BucketPage(IReadOnlyList<StoredObject> Objects, string? Continuation);
