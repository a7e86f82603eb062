namespace KeepFs.Engine.Volumes;

/// <summary>
/// Whether a small write should share its syncs. Alone, its own are quicker. Beside a large write, or on a file system where somebody
/// else writes much, syncing everything would make it wait for those bytes. Safe for concurrent use.
/// </summary>
internal sealed class SyncPace(int shareFrom, TimeProvider time)
{
    // A shared sync that takes ten times a write's own, and so long that a client notices, waits for other people's bytes.
    private const double TooSlow = 10;
    private static readonly TimeSpan Noticeable = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(32);
    private readonly Lock _lock = new();
    private int _small;
    private int _large;
    private TimeSpan _ownSync;
    private TimeSpan _pause;
    private long _pausedAt;

    /// <summary>Counts a running write or touch until it is left.</summary>
    public void Enter(bool isLarge) => Interlocked.Increment(ref isLarge ? ref _large : ref _small);

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    public void Leave(bool isLarge) => Interlocked.Decrement(ref isLarge ? ref _large : ref _small);

    /// <summary>For a write that has been entered: there are enough, all small, and sharing has not been found slow lately.</summary>
    public bool ShouldShare()
    {
        if (shareFrom <= 0 || Volatile.Read(ref _small) < shareFrom || Volatile.Read(ref _large) > 0)
        {
            return false;
        }

        lock (_lock)
        {
            return _pause == default || time.GetElapsedTime(_pausedAt) >= _pause;
        }
    }

    /// <summary>What one small file's own fsync took.</summary>
    public void OwnSyncTook(TimeSpan elapsed)
    {
        lock (_lock)
        {
            _ownSync = _ownSync == default ? elapsed : ((_ownSync * 7) + elapsed) / 8;
        }
    }

    /// <summary>What one sync of everything took; a bad one pauses sharing for a second, and each bad one after it twice as long.</summary>
    public void SharedSyncTook(TimeSpan elapsed)
    {
        lock (_lock)
        {
            if (elapsed < Noticeable || _ownSync == default || elapsed < _ownSync * TooSlow)
            {
                _pause = default;
                return;
            }

            _pausedAt = time.GetTimestamp();
            _pause = _pause == default ? TimeSpan.FromSeconds(1) : TimeSpan.FromTicks(Math.Min(_pause.Ticks * 2, LongestPause.Ticks));
        }
    }
}
