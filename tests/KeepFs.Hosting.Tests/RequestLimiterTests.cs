using KeepFs.Hosting.Http;

namespace KeepFs.Hosting.Tests;

public sealed class RequestLimiterTests
{
    [Fact]
    public async Task Turns_go_to_browsers_first_and_the_newest_of_the_others_is_refused()
    {
        var limiter = new RequestLimiter(maxConcurrent: 1, maxQueued: 2);
        Assert.True(await limiter.EnterAsync(false, default));
        var first = limiter.EnterAsync(false, default).AsTask();
        var second = limiter.EnterAsync(false, default).AsTask();
        Assert.Equal((0, 2), limiter.Queued);

        var browser = limiter.EnterAsync(true, default).AsTask();
        Assert.False(await second);
        Assert.False(await limiter.EnterAsync(false, default));

        limiter.Exit();
        Assert.True(await browser);
        Assert.False(first.IsCompleted);
        limiter.Exit();
        Assert.True(await first);
        limiter.Exit();
        Assert.Equal(0, limiter.Running);
    }

    [Fact]
    public async Task Who_gives_up_leaves_the_line()
    {
        var limiter = new RequestLimiter(1, 1);
        await limiter.EnterAsync(false, default);
        using var cancel = new CancellationTokenSource();
        var waiting = limiter.EnterAsync(false, cancel.Token).AsTask();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal((0, 0), limiter.Queued);
        limiter.Exit();
        Assert.Equal(0, limiter.Running);
    }

    [Fact]
    public async Task Who_steps_aside_lets_others_run_and_comes_back_by_turns_with_them()
    {
        var limiter = new RequestLimiter(maxConcurrent: 1, maxQueued: 2, time: null, maxAside: 1);
        Assert.True(await limiter.EnterAsync(false, default));
        var slow = new RequestTurn(limiter);
        var next = limiter.EnterAsync(false, default).AsTask();
        Assert.True(slow.TryStepAside());
        Assert.False(slow.TryStepAside());
        Assert.True(await next);
        Assert.True(slow.MustHurry);

        var third = limiter.EnterAsync(false, default).AsTask();
        var back = slow.ReturnAsync(default).AsTask();
        limiter.Exit();
        await back;
        Assert.False(third.IsCompleted);
        Assert.Equal(0, limiter.Aside);
        slow.End();
        slow.End();
        Assert.True(await third);
        limiter.Exit();
        Assert.Equal(0, limiter.Running);
    }

    [Fact]
    public async Task Who_is_aside_when_its_client_goes_or_its_answer_ends_has_no_turn_to_give_back()
    {
        var limiter = new RequestLimiter(maxConcurrent: 1, maxQueued: 2, time: null, maxAside: 10);
        await limiter.EnterAsync(false, default);
        var gone = new RequestTurn(limiter);
        Assert.True(gone.TryStepAside());
        await limiter.EnterAsync(false, default);
        using var abort = new CancellationTokenSource();
        var back = gone.ReturnAsync(abort.Token).AsTask();
        await abort.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => back);
        gone.End();
        Assert.Equal((1, 0), (limiter.Running, limiter.Aside));

        var ended = new RequestTurn(limiter);
        Assert.True(ended.TryStepAside());
        ended.End();
        await ended.ReturnAsync(default);
        Assert.Equal((0, 0), (limiter.Running, limiter.Aside));
    }

    [Fact]
    public async Task Zero_is_no_limit()
    {
        var limiter = new RequestLimiter(0, 0);
        for (var i = 0; i < 100; i++)
        {
            Assert.True(await limiter.EnterAsync(false, default));
        }
    }

    [Theory]
    [InlineData("/acbd18db4cc2f85cedef654fccc4a4d8+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff+Zx", "/acbd18db4cc2f85cedef654fccc4a4d8+3+A...+Zx")]
    [InlineData("/h+3+Rzzzzz-89118b78732c@7fffffff", "/h+3+Rzzzzz-...")]
    [InlineData("/c=xyz/t=v2/file", "/c=xyz/t=.../file")]
    public void Logged_paths_hold_no_secrets(string path, string logged) => Assert.Equal(logged, RequestLog.WithoutSecrets(path));

    [Fact]
    public void Metrics_are_written_in_the_text_format() => Assert.Equal(
        "# HELP a Help.\n# TYPE a gauge\na{x=\"q\\\"\\\\\"} 1.5\na{x=\"y\"} 2\n# HELP s Sum.\n# TYPE s summary\ns_sum 3\ns_count 4\n",
        new MetricsText().Gauge("a", "Help.", 1.5, ("x", "q\"\\")).Gauge("a", "Help.", 2, ("x", "y")).Summary("s", "Sum.", 3, 4).ToString());
}
