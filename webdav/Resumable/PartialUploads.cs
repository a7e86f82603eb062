namespace KeepFs.WebDav.Resumable;

/// <summary>
/// The uploads that stopped on their way, in the memory of this process: one that is forgotten starts again, and nothing of it was ever to be seen.
/// Bounded in number and memory, the least recently used goes first. Safe for concurrent use.
/// </summary>
/// <param name="signatureLifetime">How long keepstores accept the blocks.</param>
/// <param name="time">The clock.</param>
internal sealed class PartialUploads(TimeSpan signatureLifetime, TimeProvider time)
{
    /// <summary>Of all users together.</summary>
    internal const int MaxUploads = 1000;

    /// <summary>Blocks of all of them: some 40 MB, and 12 TB of data in blocks of 64 MiB.</summary>
    private const int MaxSegments = 200_000;

    /// <summary>Somebody who closes the lid in the evening goes on in the morning.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(24);

    private readonly Lock _lock = new();
    private readonly Dictionary<Key, PartialUpload> _uploads = [];
    private long _segments;

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _uploads.Count;
            }
        }
    }

    /// <summary>The upload of that name, new if need be. Followed by <see cref="Return"/>.</summary>
    public PartialUpload Take(Key key)
    {
        lock (_lock)
        {
            Expire();
            if (!_uploads.TryGetValue(key, out var upload))
            {
                _uploads.Add(key, upload = new PartialUpload());
            }

            upload.Holders++;
            upload.UsedAt = time.GetTimestamp();
            return upload;
        }
    }

    /// <summary>The request is done with it.</summary>
    public void Return(Key key, PartialUpload upload)
    {
        lock (_lock)
        {
            upload.Holders--;
            upload.UsedAt = time.GetTimestamp();
            _segments += upload.Segments.Count - upload.CountedSegments;
            upload.CountedSegments = upload.Segments.Count;
            if (upload.Holders == 0 && upload.Bytes == 0 && upload.SavedTag is null)
            {
                Remove(key, upload);
            }

            while (_uploads.Count > MaxUploads || _segments > MaxSegments)
            {
                if (_uploads.Where(entry => entry.Value.Holders == 0).OrderBy(entry => entry.Value.UsedAt).FirstOrDefault() is not { Value: { } oldest } first)
                {
                    break;
                }

                Remove(first.Key, oldest);
            }
        }
    }

    private void Expire()
    {
        foreach (var (key, upload) in _uploads.Where(entry => entry.Value.Holders == 0 && IsOver(entry.Value)).ToList())
        {
            Remove(key, upload);
        }
    }

    /// <summary>Half of the signatures' life is left for what still has to come.</summary>
    private bool IsOver(PartialUpload upload) =>
        time.GetElapsedTime(upload.UsedAt) >= Patience || (upload.Bytes > 0 && time.GetElapsedTime(upload.StartedAt) >= signatureLifetime / 2);

    private void Remove(Key key, PartialUpload upload)
    {
        _uploads.Remove(key);
        _segments -= upload.CountedSegments;
        upload.Dispose();
    }

    /// <summary>What tells one upload from another: blocks are signed for a token, and the client's id stands for the state of its file.</summary>
    internal sealed record Key(string Token, string CollectionId, string Path, string Id, long TotalBytes)
    {
        /// <summary>Without the token, which must not be shown.</summary>
        public override string ToString() => $"{CollectionId}/{Path} {Id}";
    }
}
