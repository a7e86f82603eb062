namespace KeepFs.Engine.Client.DiskCache;

/// <summary>
/// Keeps a cache directory within its bytes: what was not used for longest goes first, and what earlier boots left and nobody asked for again goes with
/// it. Other processes add to the same directory, so the sum is an estimate until the next look at all files.
/// </summary>
internal sealed class CacheEviction(BlockCacheLayout layout, DiskCacheOptions options, TimeProvider time)
{
    /// <summary>Freed beyond what is needed, so that not every block means a look at all files.</summary>
    private const int SlackParts = 10;

    /// <summary>A process that writes takes seconds; what is older was left by one that died.</summary>
    private static readonly TimeSpan TemporaryLifetime = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private long? _estimate;
    private long _capacity;

    public long CapacityBytes
    {
        get
        {
            lock (_lock)
            {
                return _estimate is null ? Look([]) : _capacity;
            }
        }
    }

    public void Added(long bytes)
    {
        lock (_lock)
        {
            _estimate += bytes;
        }
    }

    /// <summary>False when that many bytes have no room however much is removed.</summary>
    public bool MakeRoom(long bytes)
    {
        lock (_lock)
        {
            if (_estimate is null || _estimate + bytes > _capacity)
            {
                var files = new List<FileInfo>();
                Look(files);
                if (bytes > _capacity)
                {
                    return false;
                }

                if (_estimate + bytes > _capacity)
                {
                    RemoveOldest(files, Math.Min(_capacity - bytes, _capacity - (_capacity / SlackParts)));
                }
            }

            return true;
        }
    }

    private long Look(List<FileInfo> files)
    {
        foreach (var older in layout.OlderFiles().ToArray())
        {
            Directory.Delete(older, recursive: true);
        }

        files.AddRange(layout.All());
        _estimate = files.Sum(Size);
        return _capacity = options.CapacityFor(_estimate.Value);
    }

    private void RemoveOldest(List<FileInfo> files, long wantedBytes)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var candidates = files.Where(file => file.DirectoryName != layout.Temporary || now - file.LastWriteTimeUtc > TemporaryLifetime);
        foreach (var file in candidates.OrderBy(file => file.LastWriteTimeUtc))
        {
            if (_estimate <= wantedBytes)
            {
                break;
            }

            var size = Size(file);
            file.Delete();
            _estimate -= size;
        }
    }

    /// <summary>Another process may have removed it.</summary>
    private static long Size(FileInfo file) => file.Exists ? file.Length : 0;
}
