using System.Diagnostics;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>
/// Hashes the blocks of a process together, up to 16 at once on one thread (<see cref="Md5Lanes"/>). A <see cref="HashJob"/> tells how much of
/// its block has arrived; a thread takes turns through the jobs that have enough, so that none starves. Jobs need no queue of their own
/// here: there are as many as callers hold buffers. Safe for concurrent use. Threads start with the first large job.
/// </summary>
/// <remarks>
/// Whole blocks of 8 MiB, same machine and measure as for <see cref="Md5Lanes"/>, one thread: 1 at once 1.0, 2 at once 1.8, 4: 3.6, 8: 6.9, 16: 10.8.
/// </remarks>
public sealed class HashService : IAsyncDisposable
{
    /// <summary>Blocks per lane and round: long enough to make gathering cheap, short enough (a quarter of a millisecond) to let others in.</summary>
    private const int MaxRoundBlocks = 2048;

    /// <summary>A rest that its caller hashes in ten microseconds, as long as waking somebody for it would take. When alone, a caller does more.</summary>
    private const int MaxCrumbBytes = 8 << 10;

    // Not a Lock: idle threads wait on it, in the kernel and without spinning.
    private readonly object _gate = new();
    private readonly List<HashJob> _jobs = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _next;
    private int _threads;
    private int _idleThreads;
    private bool _isClosing;

    /// <summary>Creates the service; nothing runs before the first large job.</summary>
    public HashService(HashServiceOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Threads, 2, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ReadyBytes, Md5State.BlockBytes, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxBacklogBytes, options.ReadyBytes, nameof(options));
        Options = options;
    }

    internal HashServiceOptions Options { get; }

    /// <summary>Ends the threads after what is complete. A job that finishes later is hashed by its caller.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isClosing = true;
            Monitor.PulseAll(_gate);
            if (_threads == 0)
            {
                _ended.TrySetResult();
            }
        }

        await _ended.Task;
    }

    /// <summary>The job has more bytes than when it last said so.</summary>
    internal void Announce(HashJob job)
    {
        lock (_gate)
        {
            if (_isClosing)
            {
                return;
            }

            if (!job.IsListed)
            {
                job.Pin();
                job.IsListed = true;
                _jobs.Add(job);
                StartThreads();
            }

            WakeIfReady();
        }
    }

    /// <summary>The job is complete. True gives it back to its caller, who hashes the rest; else its result will be set.</summary>
    internal bool TakeBack(HashJob job)
    {
        lock (_gate)
        {
            if (!job.IsListed)
            {
                return true;
            }

            if (!job.IsRunning && (_isClosing || job.Backlog <= (_jobs.Count == 1 ? Options.ReadyBytes : MaxCrumbBytes)))
            {
                Unlist(job);
                return true;
            }

            job.IsComplete = true;
            WakeIfReady();
            return false;
        }
    }

    internal ValueTask AbandonAsync(HashJob job)
    {
        lock (_gate)
        {
            if (!job.IsListed)
            {
                return default;
            }

            if (job.IsRunning)
            {
                job.Abandoned ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return new ValueTask(job.Abandoned.Task);
            }

            Unlist(job);
        }

        job.End();
        return default;
    }

    private void StartThreads()
    {
        for (; _threads < Options.Threads; _threads++)
        {
            new Thread(Loop) { IsBackground = true, Name = "hash" }.Start();
        }
    }

    private void Unlist(HashJob job)
    {
        var index = _jobs.IndexOf(job);
        _jobs.RemoveAt(index);
        _next -= index < _next ? 1 : 0;
        job.IsListed = false;
        job.Unpin();
    }

    private void WakeIfReady()
    {
        if (_idleThreads > 0 && ShouldRun())
        {
            Monitor.Pulse(_gate);
        }
    }

    private bool IsReady(HashJob job) => !job.IsRunning && (job.IsComplete ? job.HasWholeBlock : job.Backlog >= Options.ReadyBytes);

    /// <summary>Whether a round should start now rather than with more lanes a little later; see <see cref="HashServiceOptions.MaxBacklogBytes"/>.</summary>
    private bool ShouldRun()
    {
        var (waiting, ready) = (0, 0);
        foreach (var job in _jobs)
        {
            if (job.IsRunning)
            {
                continue;
            }

            waiting++;
            if (IsReady(job))
            {
                ready++;
                if (job.IsComplete || job.Backlog >= Options.MaxBacklogBytes)
                {
                    return true;
                }
            }
        }

        return ready > 0 && ready >= Math.Min(waiting, Md5Lanes.MaxLanes);
    }

    private void Loop()
    {
        var batch = new List<HashJob>(Md5Lanes.MaxLanes);
        while (Gather(batch))
        {
            Hash(batch);
            Settle(batch);
        }

        lock (_gate)
        {
            if (--_threads == 0)
            {
                _ended.TrySetResult();
            }
        }
    }

    /// <summary>Waits for work and takes it; false at the end.</summary>
    private bool Gather(List<HashJob> batch)
    {
        lock (_gate)
        {
            while (!ShouldRun())
            {
                if (_isClosing)
                {
                    return false;
                }

                _idleThreads++;
                Monitor.Wait(_gate);
                _idleThreads--;
            }

            for (var i = 0; i < _jobs.Count && batch.Count < Md5Lanes.MaxLanes; i++)
            {
                _next = _next + 1 < _jobs.Count ? _next + 1 : 0;
                if (IsReady(_jobs[_next]))
                {
                    _jobs[_next].IsRunning = true;
                    batch.Add(_jobs[_next]);
                }
            }

            WakeIfReady();
            return true;
        }
    }

    private static void Hash(List<HashJob> batch)
    {
        Span<nint> addresses = stackalloc nint[batch.Count];
        Span<Md5State> states = stackalloc Md5State[batch.Count];
        var blocks = MaxRoundBlocks;
        for (var i = 0; i < batch.Count; i++)
        {
            addresses[i] = batch[i].NextAddress;
            states[i] = batch[i].State;
            blocks = Math.Min(blocks, batch[i].Backlog / Md5State.BlockBytes);
        }

        Debug.Assert(blocks > 0, "A job without a whole block got a lane.");
        Md5Lanes.Compress(addresses, states, blocks);
        for (var i = 0; i < batch.Count; i++)
        {
            batch[i].State = states[i];
            batch[i].Hashed(blocks);
        }
    }

    private void Settle(List<HashJob> batch)
    {
        lock (_gate)
        {
            for (var i = batch.Count - 1; i >= 0; i--)
            {
                var job = batch[i];
                job.IsRunning = false;
                if (job.Abandoned is null && !(job.IsComplete && !job.HasWholeBlock))
                {
                    batch.RemoveAt(i);
                    continue;
                }

                // The last look at the memory, so it must be before the job leaves the list.
                job.KeepDigest();
                Unlist(job);
            }
        }

        foreach (var job in batch)
        {
            job.End();
        }

        batch.Clear();
    }
}
