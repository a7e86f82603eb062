using System.Threading.Channels;
using KeepFs.WebDav.Sessions;

namespace KeepFs.WebDav.Tests.Sessions;

public sealed class GatheringTests
{
    private readonly Channel<(string Items, TaskCompletionSource Go)> _work = Channel.CreateUnbounded<(string, TaskCompletionSource)>();

    [Fact]
    public async Task What_arrives_during_work_is_done_together_after_it_in_order()
    {
        var gathering = Make(1, 100, static (_, _) => true);
        var first = gathering.DoAsync("k", new Item("a"), default);
        var rest = "bcd".Select(name => gathering.DoAsync("k", new Item(name.ToString()), default)).ToArray();

        (await NextAsync("a")).SetResult();
        await first;
        (await NextAsync("bcd")).SetResult();
        await Task.WhenAll(rest);
    }

    [Fact]
    public async Task As_much_as_is_allowed_runs_at_once_and_keys_do_not_wait_for_each_other()
    {
        var gathering = Make(2, 100, static (_, _) => true);
        Task[] all = [.. "abc".Select(name => gathering.DoAsync("k", new Item(name.ToString()), default)), gathering.DoAsync("other", new Item("x"), default)];

        TaskCompletionSource[] running = [await NextAsync("a"), await NextAsync("b"), await NextAsync("x")];
        running[1].SetResult();
        (await NextAsync("c")).SetResult();
        running[0].SetResult();
        running[2].SetResult();
        await Task.WhenAll(all);
    }

    [Fact]
    public async Task Who_may_not_join_and_all_behind_him_wait_for_their_turn()
    {
        var gathering = Make(1, 3, static (items, next) => items.All(item => item.Name != next.Name));
        var all = "abbcdefg".Select(name => gathering.DoAsync("k", new Item(name.ToString()), default)).ToArray();

        foreach (var expected in (string[])["a", "b", "bcd", "efg"])
        {
            (await NextAsync(expected)).SetResult();
        }

        await Task.WhenAll(all);
    }

    [Fact]
    public async Task Who_gives_up_in_the_line_is_not_done_and_during_the_work_is_waited_for()
    {
        var gathering = Make(1, 100, static (_, _) => true);
        using var running = new CancellationTokenSource();
        using var waiting = new CancellationTokenSource();
        var first = gathering.DoAsync("k", new Item("a"), running.Token);
        var second = gathering.DoAsync("k", new Item("b"), waiting.Token);
        var third = gathering.DoAsync("k", new Item("c"), default);
        var work = await NextAsync("a");

        await waiting.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await running.CancelAsync();
        Assert.False(first.IsCompleted);
        work.SetResult();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        (await NextAsync("c")).SetResult();
        await third;
    }

    [Fact]
    public async Task A_failure_reaches_those_of_its_work_alone()
    {
        var gathering = Make(1, 2, static (_, _) => true);
        var all = "abcd".Select(name => gathering.DoAsync("k", new Item(name.ToString()), default)).ToArray();

        (await NextAsync("a")).SetResult();
        (await NextAsync("bc")).SetException(new IOException("away"));
        (await NextAsync("d")).SetResult();
        await all[0];
        await Assert.ThrowsAsync<IOException>(() => all[1]);
        await Assert.ThrowsAsync<IOException>(() => all[2]);
        await all[3];
    }

    private Gathering<string, Item> Make(int atOnce, int most, Func<IReadOnlyList<Item>, Item, bool> joins) => new(atOnce, most, joins, async (_, items) =>
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Writer.TryWrite((string.Concat(items.Select(item => item.Name)), go));
        await go.Task;
        foreach (var item in items)
        {
            item.Done.SetResult();
        }
    });

    private async Task<TaskCompletionSource> NextAsync(string expected)
    {
        var next = await _work.Reader.ReadAsync();
        Assert.Equal(expected, next.Items);
        return next.Go;
    }

    private sealed class Item(string name) : GatheredItem
    {
        public string Name => name;
    }
}
