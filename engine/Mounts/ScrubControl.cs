namespace KeepFs.Engine.Mounts;

/// <summary>What operators say to the scrubs of all mounts. Safe for concurrent use.</summary>
internal sealed class ScrubControl(bool isOn, long bytesPerSecond)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isOn = isOn;
    private long _bytesPerSecond = bytesPerSecond;
    private int _requests;

    public bool IsOn => Volatile.Read(ref _isOn);

    public long BytesPerSecond => Volatile.Read(ref _bytesPerSecond);

    /// <summary>How often somebody asked for a pass now.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Completes with the next change; take it before looking.</summary>
    public Task Changed
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    public void Begin() => Change(() => (_isOn, _requests) = (true, _requests + 1));

    public void Pause() => Change(() => _isOn = false);

    public void SetRate(long bytesPerSecond) => Change(() => _bytesPerSecond = bytesPerSecond);

    private void Change(Action change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            change();
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }
}
