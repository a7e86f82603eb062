using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Hosting.Http;

/// <summary>
/// Lets a number of requests run and a number wait (keepstore-http.md 12). Requests with an <c>Origin</c> header (a person in a
/// browser) go first, otherwise first come first served; when the line is full the newest of the lowest priority gets 503 with
/// <c>Retry-After: 1</c>. Safe for concurrent use.
/// </summary>
public sealed class RequestLimiter(int maxConcurrent, int maxQueued, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly WaitSums[] _delays = new WaitSums[2];
    private readonly WaitSums[] _refusals = new WaitSums[2];
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _high = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _low = new();
    private int _running;

    /// <summary>Most that run at once; 0 = no limit.</summary>
    public int MaxConcurrent => maxConcurrent;

    /// <summary>Most that wait.</summary>
    public int MaxQueued => maxQueued;

    /// <summary>Running now.</summary>
    public int Running => Volatile.Read(ref _running);

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
            var line = _high.Count > 0 ? _high : _low;
            if (line.First is not { } first)
            {
                _running--;
                return;
            }

            next = first.Value;
            line.RemoveFirst();
        }

        next.SetResult(true);
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
            wasWaiting = _high.Remove(turn) || _low.Remove(turn);
        }

        if (wasWaiting)
        {
            turn.SetCanceled(cancellationToken);
        }
    }
}

/// <summary>Puts a <see cref="RequestLimiter"/> in front of what follows.</summary>
public static class RequestLimiterMiddleware
{
    /// <summary>Limits every request except <c>/_health</c>, <c>/metrics</c> and <c>/_inspect</c>, which must answer under load.</summary>
    public static IApplicationBuilder UseRequestLimiter(this IApplicationBuilder app, RequestLimiter limiter) => app.Use(async (context, next) =>
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments("/_health") || path.StartsWithSegments("/metrics") || path.StartsWithSegments("/_inspect"))
        {
            await next(context);
            return;
        }

        if (!await limiter.EnterAsync(context.Request.Headers.Origin.Count > 0, context.RequestAborted))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            limiter.Exit();
        }
    });
}
