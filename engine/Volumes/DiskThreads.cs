using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// The threads of one volume. Disk calls block (an fsync for many milliseconds), so they must not run on the thread pool; a fixed
/// number also is the volume's queue depth. Work that has started runs to its end, because it uses the caller's memory; work that
/// still waits can be cancelled. With zero threads the caller's thread does it (simulation).
/// </summary>
internal sealed class DiskThreads : IAsyncDisposable
{
    // Not a BlockingCollection: its idle threads spin before they sleep, and sixteen of them would burn what the hash needs.
    private readonly object _gate = new();
    private readonly Queue<Work> _queue = new();
    private readonly int _maxWaiting;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private bool _isClosing;

    public DiskThreads(string name, int threads, int maxWaiting)
    {
        _maxWaiting = Math.Max(1, maxWaiting);
        _running = threads;
        if (threads == 0)
        {
            _ended.SetResult();
        }

        for (var i = 0; i < threads; i++)
        {
            new Thread(Loop) { IsBackground = true, Name = $"disk {name}" }.Start();
        }

        IsInline = threads == 0;
    }

    private bool IsInline { get; }

    public ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (IsInline)
        {
            return ValueTask.FromResult(work());
        }

        var item = new Work<T>(work, cancellationToken);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosing, this);
            if (_queue.Count >= _maxWaiting)
            {
                throw new KeepException(KeepErrorKind.Overloaded, $"{_maxWaiting} disk operations already wait on this volume; try again later.");
            }

            _queue.Enqueue(item);
            Monitor.Pulse(_gate);
        }

        return item.WaitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isClosing = true;
            Monitor.PulseAll(_gate);
        }

        await _ended.Task;
    }

    private void Loop()
    {
        while (Take() is { } work)
        {
            work.Run();
        }

        if (Interlocked.Decrement(ref _running) == 0)
        {
            _ended.SetResult();
        }
    }

    /// <summary>The next piece of work; null at the end, when nothing waits any more.</summary>
    private Work? Take()
    {
        lock (_gate)
        {
            while (_queue.Count == 0)
            {
                if (_isClosing)
                {
                    return null;
                }

                Monitor.Wait(_gate);
            }

            return _queue.Dequeue();
        }
    }

    private abstract class Work
    {
        public abstract void Run();
    }

    private sealed class Work<T>(Func<T> work, CancellationToken cancellationToken) : Work
    {
        private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _claimed;

        public async ValueTask<T> WaitAsync()
        {
            await using (cancellationToken.UnsafeRegister(static (state, token) => ((Work<T>)state!).Cancel(token), this))
            {
                return await _source.Task;
            }
        }

        public override void Run()
        {
            if (Interlocked.Exchange(ref _claimed, 1) != 0)
            {
                return;
            }

            try
            {
                _source.SetResult(work());
            }
            catch (Exception e)
            {
                // Everything goes to the one who asked; the thread itself must survive.
                _source.SetException(e);
            }
        }

        private void Cancel(CancellationToken token)
        {
            if (Interlocked.Exchange(ref _claimed, 1) == 0)
            {
                _source.SetCanceled(token);
            }
        }
    }
}
