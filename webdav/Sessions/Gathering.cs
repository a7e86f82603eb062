namespace KeepFs.WebDav.Sessions;

/// <summary>
/// Work that arrives while earlier work for the same key is under way waits for that and is then done together. What arrives alone starts at once, so
/// nobody waits longer than for one piece of work before its own. There are as many waiting items as requests, whose number is limited. Safe for
/// concurrent use.
/// </summary>
/// <typeparam name="TKey">What can be done together.</typeparam>
/// <typeparam name="TItem">One caller's part.</typeparam>
/// <param name="atOnce">Pieces of work for one key under way at a time.</param>
/// <param name="most">Items in one piece of work: bounds its size and how much a failure takes along.</param>
/// <param name="joins">Whether an item may be done with those before it. Who may not waits, and all behind him: the order of arrival is kept.</param>
/// <param name="work">Does the items; completes each, or throws for all that are not complete.</param>
internal sealed class Gathering<TKey, TItem>(int atOnce, int most, Func<IReadOnlyList<TItem>, TItem, bool> joins, Func<TKey, IReadOnlyList<TItem>, Task> work)
    where TKey : notnull
    where TItem : GatheredItem
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, Line> _lines = [];

    /// <summary>Completes when the item is done. A caller that gives up takes its item out of the line if it is still there.</summary>
    public async Task DoAsync(TKey key, TItem item, CancellationToken cancellationToken)
    {
        var starts = false;
        lock (_lock)
        {
            if (!_lines.TryGetValue(key, out var line))
            {
                _lines.Add(key, line = new Line());
            }

            line.Waiting.Enqueue(item);
            if (line.Running < atOnce)
            {
                line.Running++;
                starts = true;
            }
        }

        if (starts)
        {
            _ = RunAsync(key);
        }

        try
        {
            await item.Done.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            bool isTaken;
            lock (_lock)
            {
                item.IsGivenUp = true;
                isTaken = item.IsTaken;
            }

            if (isTaken)
            {
                // What the item refers to is in use until then.
                await item.Done.Task.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }

            throw;
        }
    }

    private async Task RunAsync(TKey key)
    {
        while (Take(key) is { } items)
        {
            try
            {
                await work(key, items);
            }
            catch (Exception e)
            {
                foreach (var item in items)
                {
                    item.Done.TrySetException(e);
                }
            }
        }
    }

    private List<TItem>? Take(TKey key)
    {
        lock (_lock)
        {
            var line = _lines[key];
            var items = new List<TItem>();
            while (items.Count < most && line.Waiting.TryPeek(out var next) && (next.IsGivenUp || items.Count == 0 || joins(items, next)))
            {
                line.Waiting.Dequeue();
                if (!next.IsGivenUp)
                {
                    next.IsTaken = true;
                    items.Add(next);
                }
            }

            if (items.Count > 0)
            {
                return items;
            }

            if (--line.Running == 0)
            {
                _lines.Remove(key);
            }

            return null;
        }
    }

    private sealed class Line
    {
        public Queue<TItem> Waiting { get; } = new();

        public int Running { get; set; }
    }
}

/// <summary>What one caller wants done in a <see cref="Gathering{TKey,TItem}"/>.</summary>
internal abstract class GatheredItem
{
    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Under the gathering's lock.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Under the gathering's lock.</summary>
    public bool IsTaken { get; set; }
}
