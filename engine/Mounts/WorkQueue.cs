namespace KeepFs.Engine.Mounts;

/// <summary>
/// A list of work that is replaced as a whole, and the workers that take from it (keepstore-http.md 9.1 and 10): a new list drops
/// what nobody has started yet and lets started items end. Its length is bounded by whoever makes the list. Safe for concurrent use.
/// </summary>
/// <param name="work">Does one item. Reports failures itself; only cancellation may leave it.</param>
public sealed class WorkQueue<T>(Func<T, CancellationToken, ValueTask> work) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stopTaking = new();
    private readonly CancellationTokenSource _abandon = new();
    private Queue<T> _pending = new();
    private TaskCompletionSource _arrived = NewSignal();
    private Task _workers = Task.CompletedTask;
    private int _inProgress;

    /// <summary>Items that nobody has started.</summary>
    public int Pending
    {
        get
        {
            lock (_lock)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>Items being done.</summary>
    public int InProgress => Volatile.Read(ref _inProgress);

    /// <summary>Starts so many workers; call it once.</summary>
    public void Start(int workers) => _workers = Task.WhenAll(Enumerable.Range(0, workers).Select(_ => WorkAsync()).ToArray());

    /// <summary>Puts a new list in the place of what is pending.</summary>
    public void Replace(IReadOnlyCollection<T> items)
    {
        TaskCompletionSource arrived;
        lock (_lock)
        {
            _pending = new Queue<T>(items);
            arrived = _arrived;
            _arrived = NewSignal();
        }

        arrived.SetResult();
    }

    /// <summary>Drops what is pending and waits for started items, which are cancelled when the token is.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Replace([]);
        await _stopTaking.CancelAsync();
        await using (cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _abandon))
        {
            await _workers;
        }
    }

    /// <summary>Cancels started items and waits for their end.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    private async Task WorkAsync()
    {
        try
        {
            while (true)
            {
                var item = await TakeAsync();
                try
                {
                    await work(item, _abandon.Token);
                }
                finally
                {
                    Interlocked.Decrement(ref _inProgress);
                }
            }
        }
        catch (OperationCanceledException) when (_stopTaking.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    private async ValueTask<T> TakeAsync()
    {
        while (true)
        {
            _stopTaking.Token.ThrowIfCancellationRequested();
            Task arrived;
            lock (_lock)
            {
                if (_pending.TryDequeue(out var item))
                {
                    // Under the lock, so that nobody sees an item neither pending nor in progress.
                    Interlocked.Increment(ref _inProgress);
                    return item;
                }

                arrived = _arrived.Task;
            }

            await arrived.WaitAsync(_stopTaking.Token);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
