using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Resumable;

/// <summary>
/// What has arrived of one file: its blocks, all on stable storage. One request at a time works on it, inside <see cref="EnterAsync"/> and
/// <see cref="Exit"/>; the next one that comes ends the one before, whose connection is most likely dead.
/// </summary>
internal sealed class PartialUpload : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _gate = new(1, 1);
    private CancellationTokenSource? _current;
    private int _waiting;

    /// <summary>Under the table's lock: requests that hold it.</summary>
    public int Holders { get; set; }

    /// <summary>Under the table's lock.</summary>
    public long UsedAt { get; set; }

    /// <summary>Under the table's lock: segments that count for the table's limit.</summary>
    public int CountedSegments { get; set; }

    /// <summary>When the oldest of its blocks was signed.</summary>
    public long StartedAt { get; private set; }

    public List<ManifestSegment> Segments { get; } = [];

    public long Bytes { get; private set; }

    /// <summary>Tag of the file when it was saved, for a client that did not get the answer; else null.</summary>
    public string? SavedTag { get; set; }

    /// <summary>Waits until this request alone may use it; returns what ends the reading of its body.</summary>
    public async Task<CancellationToken> EnterAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _waiting++;
            _current?.Cancel();
        }

        try
        {
            await _gate.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (_lock)
            {
                _waiting--;
            }
        }

        lock (_lock)
        {
            // Those who wait came later.
            _current = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, new CancellationToken(canceled: _waiting > 0));
            return _current.Token;
        }
    }

    public void Exit()
    {
        lock (_lock)
        {
            _current?.Dispose();
            _current = null;
        }

        _gate.Release();
    }

    public void Restart()
    {
        Segments.Clear();
        (Bytes, SavedTag) = (0, null);
    }

    public void Append(IReadOnlyCollection<ManifestSegment> segments, long now)
    {
        if (Segments.Count == 0)
        {
            StartedAt = now;
        }

        Segments.AddRange(segments);
        Bytes += segments.Sum(segment => (long)segment.Length);
    }

    public void Dispose() => _gate.Dispose();
}
