using System.Threading.Channels;
using KeepFs.Engine.Mounts;

namespace KeepFs.Engine.Tests.Mounts;

public sealed class WorkQueueTests : IDisposable
{
    private readonly Channel<int> _started = Channel.CreateUnbounded<int>();
    private readonly SemaphoreSlim _mayEnd = new(0);

    public void Dispose() => _mayEnd.Dispose();

    [Fact]
    public async Task New_list_drops_what_nobody_started_and_lets_started_items_end()
    {
        await using var queue = new WorkQueue<int>(WorkAsync);
        queue.Start(2);
        queue.Replace([1, 2, 3, 4]);
        Assert.Equal([1, 2], new[] { await _started.Reader.ReadAsync(), await _started.Reader.ReadAsync() }.Order());
        Assert.Equal((2, 2), (queue.Pending, queue.InProgress));

        queue.Replace([5]);
        Assert.Equal((1, 2), (queue.Pending, queue.InProgress));
        _mayEnd.Release(3);

        Assert.Equal(5, await _started.Reader.ReadAsync());
        await queue.StopAsync(default);
        Assert.Equal((0, 0), (queue.Pending, queue.InProgress));
        Assert.False(_started.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Empty_list_clears_the_queue()
    {
        await using var queue = new WorkQueue<int>(WorkAsync);
        queue.Start(1);
        queue.Replace([1, 2, 3]);
        await _started.Reader.ReadAsync();

        queue.Replace([]);

        Assert.Equal((0, 1), (queue.Pending, queue.InProgress));
    }

    [Fact]
    public async Task Stop_waits_for_started_items_until_its_patience_ends()
    {
        await using var queue = new WorkQueue<int>(WorkAsync);
        queue.Start(1);
        queue.Replace([1, 2]);
        await _started.Reader.ReadAsync();
        using var patience = new CancellationTokenSource();

        var stop = queue.StopAsync(patience.Token);
        Assert.False(stop.IsCompleted);
        Assert.Equal((0, 1), (queue.Pending, queue.InProgress));
        await patience.CancelAsync();
        await stop;

        Assert.Equal(0, queue.InProgress);
    }

    private async ValueTask WorkAsync(int item, CancellationToken cancellationToken)
    {
        await _started.Writer.WriteAsync(item, cancellationToken);
        await _mayEnd.WaitAsync(cancellationToken);
    }
}
