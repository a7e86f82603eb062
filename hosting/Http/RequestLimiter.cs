namespace KeepFs.Hosting.Http;

/// <summary>
/// Lets a number of requests run and a number wait (keepstore-http.md 12). Requests with an <c>Origin</c> header (a person in a
/// browser) go first, otherwise first come first served; when the line is full the newest of the lowest priority gets 503 with
/// <c>Retry-After: 1</c>. Who waits for nothing but its client can step aside and let others run meanwhile (<see cref="RequestTurn"/>). Safe for
/// concurrent use.
/// </summary>
/// <param name="maxConcurrent">Most that run at once; 0 = no limit.</param>
/// <param name="maxQueued">Most that wait for their first turn.</param>
/// <param name="time">The clock.</param>
/// <param name="maxAside">Most that may be aside before clients are no longer waited for; 0 = nobody steps aside.</param>
public sealed class RequestLimiter(int maxConcurrent, int maxQueued, TimeProvider? time = null, int maxAside = 0)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly WaitSums[] _delays = new WaitSums[2];
    private readonly WaitSums[] _refusals = new WaitSums[2];
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _high = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _low = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _returning = new();
    private bool _lastCameBack;
    private int _running;
    private int _aside;

    /// <summary>Most that run at once; 0 = no limit.</summary>
    public int MaxConcurrent => maxConcurrent;

    /// <summary>Most that wait.</summary>
    public int MaxQueued => maxQueued;

    internal TimeProvider Time => _time;

    /// <summary>Most that may be aside.</summary>
    public int MaxAside => maxAside;

    /// <summary>Running now.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Aside now, or waiting to come back.</summary>
    public int Aside => Volatile.Read(ref _aside);

    /// <summary>Waiting now.</summary>
    public (int High, int Low) Queued
    {
        get
        {
            lock (_lock)
            {
                return (_high.Count, _low.Count);
            }
        }
    }

    /// <summary>How long those waited that were served, by priority.</summary>
    public IEnumerable<(string Priority, WaitSums Waited)> Delays => Read(_delays);

    /// <summary>How long those waited that were refused or gave up, by priority.</summary>
    public IEnumerable<(string Priority, WaitSums Waited)> Refusals => Read(_refusals);

    /// <summary>Waits for a turn; false when there is no room in the line (any more). After true, call <see cref="Exit"/>.</summary>
    public async ValueTask<bool> EnterAsync(bool isHighPriority, CancellationToken cancellationToken)
    {
        TaskCompletionSource<bool> turn;
        TaskCompletionSource<bool>? refused = null;
        lock (_lock)
        {
            if (maxConcurrent <= 0 || _running < maxConcurrent)
            {
                _running++;
                _delays[Index(isHighPriority)] = _delays[Index(isHighPriority)].Plus(TimeSpan.Zero);
                return true;
            }

            turn = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            (isHighPriority ? _high : _low).AddLast(turn);
            if (_high.Count + _low.Count > maxQueued)
            {
                var line = _low.Count > 0 ? _low : _high;
                refused = line.Last!.Value;
                line.RemoveLast();
            }
        }

        refused?.SetResult(false);
        var since = _time.GetTimestamp();
        var isServed = false;
        try
        {
            await using (cancellationToken.UnsafeRegister(_ => Leave(turn, cancellationToken), null))
            {
                isServed = await turn.Task;
                return isServed;
            }
        }
        finally
        {
            lock (_lock)
            {
                var sums = isServed ? _delays : _refusals;
                sums[Index(isHighPriority)] = sums[Index(isHighPriority)].Plus(_time.GetElapsedTime(since));
            }
        }
    }

    /// <summary>Ends a turn.</summary>
    public void Exit()
    {
        TaskCompletionSource<bool> next;
        lock (_lock)
        {
            // By turns: neither do many downloads keep a new request out, nor many requests a download that has begun.
            var fresh = _high.Count > 0 ? _high : _low;
            var line = _returning.Count > 0 && (fresh.Count == 0 || !_lastCameBack) ? _returning : fresh;
            if (line.First is not { } first)
            {
                _running--;
                return;
            }

            _lastCameBack = line == _returning;
            next = first.Value;
            line.RemoveFirst();
        }

        next.SetResult(true);
    }

    /// <summary>Gives a turn away for a while. Followed by <see cref="ReturnAsync"/>.</summary>
    internal void StepAside()
    {
        Interlocked.Increment(ref _aside);
        Exit();
    }

    /// <summary>Waits for a turn again; it is never refused. When it throws there is no turn to end.</summary>
    internal async ValueTask ReturnAsync(CancellationToken cancellationToken)
    {
        try
        {
            TaskCompletionSource<bool> turn;
            lock (_lock)
            {
                if (maxConcurrent <= 0 || _running < maxConcurrent)
                {
                    _running++;
                    return;
                }

                turn = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                _returning.AddLast(turn);
            }

            await using (cancellationToken.UnsafeRegister(_ => Leave(turn, cancellationToken), null))
            {
                await turn.Task;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _aside);
        }
    }

    private static int Index(bool isHighPriority) => isHighPriority ? 1 : 0;

    private (string Priority, WaitSums Waited)[] Read(WaitSums[] sums)
    {
        lock (_lock)
        {
            return [("normal", sums[0]), ("high", sums[1])];
        }
    }

    private void Leave(TaskCompletionSource<bool> turn, CancellationToken cancellationToken)
    {
        bool wasWaiting;
        lock (_lock)
        {
            wasWaiting = _high.Remove(turn) || _low.Remove(turn) || _returning.Remove(turn);
        }

        if (wasWaiting)
        {
            turn.SetCanceled(cancellationToken);
        }
    }
}
