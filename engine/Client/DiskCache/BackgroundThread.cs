using System.Collections.Concurrent;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>A thread of its own for work that blocks on a disk, with a bounded line in front of it.</summary>
internal sealed class BackgroundThread<T> : IAsyncDisposable
{
    private readonly BlockingCollection<T> _line;
    private readonly Task _done;

    public BackgroundThread(int capacity, Action<T> work)
    {
        _line = new BlockingCollection<T>(capacity);
        _done = Task.Factory.StartNew(
            () =>
            {
                foreach (var item in _line.GetConsumingEnumerable())
                {
                    work(item);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    /// <summary>False when the line is full or closed.</summary>
    public bool TryAdd(T item)
    {
        try
        {
            return _line.TryAdd(item);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Waits for what is in the line.</summary>
    public async ValueTask DisposeAsync()
    {
        _line.CompleteAdding();
        await _done;
        _line.Dispose();
    }
}
