using KeepFs.Hosting.Http;
using KeepFs.Testing.Volumes;
using Microsoft.Extensions.Logging;

namespace KeepFs.Hosting.Tests;

public sealed class RecentErrorsTests
{
    [Fact]
    public void Newest_warnings_and_errors_are_kept_and_long_ones_cut()
    {
        var time = new ManualTime();
        using var errors = new RecentErrors(time);
        var logger = errors.CreateLogger("x");
        for (var i = 0; i < RecentErrors.Kept + 5; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            logger.Log(i % 2 == 0 ? LogLevel.Warning : LogLevel.Critical, default, i, null, static (state, _) => $"number {state}");
            logger.Log(LogLevel.Information, default, "fine", null, static (state, _) => state);
        }

        logger.Log(LogLevel.Error, default, new string('x', 5000), new IOException("why"), static (state, _) => state);
        var list = errors.List();
        Assert.Equal(RecentErrors.Kept, list.Items.Count);
        Assert.Equal((list.Items[0].Text, list.Items[0].Level), ("number 6", "warning"));
        Assert.Equal((list.Items[^2].Text, list.Items[^2].Level, list.Items[^2].At), ($"number {RecentErrors.Kept + 4}", "warning", time.GetUtcNow()));
        Assert.Equal(RecentErrors.MaxTextLength + 1, list.Items[^1].Text.Length);
        Assert.NotEqual(list.Process, new RecentErrors(time).Process);
    }
}
