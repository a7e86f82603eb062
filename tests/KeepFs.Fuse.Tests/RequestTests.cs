using System.Globalization;

namespace KeepFs.Fuse.Tests;

/// <summary>Requests that fail unexpectedly, or whose caller does not wait.</summary>
public sealed class RequestTests
{
    [Fact]
    public async Task Unexpected_error_is_an_input_output_error_and_a_log_line()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("echo x > f");
        Assert.Equal("ok", await host.CommandAsync("fail WriteAsync"));

        var (exitCode, output) = await host.TryShellAsync("echo more >> f");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("Input/output error", output, StringComparison.Ordinal);
        Assert.Equal("ok", await host.CommandAsync("fail nothing"));
        Assert.Equal("x", await host.ShellAsync("cat f"));
        await host.SignalAsync("TERM");
        Assert.Equal("unmounted 0", await host.ReadLineAsync());
        Assert.Contains("ordered failure", await host.ErrorsAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ReadAsync", "cat f")]
    [InlineData("LookupAsync", "stat other")]
    [InlineData("ListAsync", "ls")]
    [InlineData("WriteAsync", "echo y | dd of=f conv=notrunc status=none")]
    public async Task Killed_caller_does_not_wait_for_the_tree(string member, string command)
    {
        await using var host = await MountHostProcess.StartAsync("--uncached");
        await host.ShellAsync("echo x > f");
        Assert.Equal("ok", await host.CommandAsync($"hang {member}"));

        // timeout(1) exits with 124 after TERM; if that did not end the program, KILL would make it 137.
        var (exitCode, _) = await host.TryShellAsync($"timeout --kill-after=20 0.3 {command.Replace("echo y | ", string.Empty, StringComparison.Ordinal)} < /etc/hostname");

        Assert.Equal(124, exitCode);
        Assert.Equal("ok", await host.CommandAsync("hang nothing"));
        await Eventually.AsyncTrue(async () => (await host.StatsAsync()).Handles == 0);
    }

    [Fact]
    public async Task Handled_signal_does_not_break_a_call()
    {
        await using var host = await MountHostProcess.StartAsync("--uncached");
        await host.ShellAsync("echo x > f");
        Assert.Equal("ok", await host.CommandAsync("hang ReadAsync"));

        // A raw read(2), because Python's own repeats what was interrupted.
        var script = host.ShellAsync(
            """
            python3 - <<'END'
            import ctypes, os, signal
            libc = ctypes.CDLL(None, use_errno=True)
            signal.signal(signal.SIGALRM, lambda *_: None)
            descriptor = os.open('f', os.O_RDONLY)
            buffer = ctypes.create_string_buffer(10)
            open(f'reading-{os.getpid()}', 'w').close()
            signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
            count = libc.read(descriptor, buffer, 10)
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(count)
            END
            """);
        await Eventually.AsyncTrue(() => Task.FromResult(HasPendingAlarm(host.MountPoint)));
        Assert.False(script.IsCompleted);
        Assert.Equal("ok", await host.CommandAsync("release"));

        Assert.Equal("2", await script);
    }

    [Fact]
    public async Task Unmount_does_not_wait_for_a_tree_that_hangs()
    {
        await using var host = await MountHostProcess.StartAsync("--uncached");
        await host.ShellAsync("echo x > f");
        Assert.Equal("ok", await host.CommandAsync("hang ReadAsync"));
        var reader = host.TryShellAsync("cd /; exec cat " + Path.Combine(host.MountPoint, "f"));
        await Eventually.AsyncTrue(async () => (await host.StatsAsync()).Handles == 1);

        await host.SignalAsync("TERM");

        Assert.Equal("unmounted 0", await host.ReadLineAsync());
        Assert.Equal(0, await host.ExitAsync());
        Assert.NotEqual(0, (await reader).ExitCode);
    }

    /// <summary>Whether the program that left its number in a file name has got SIGALRM but is still in its system call.</summary>
    private static bool HasPendingAlarm(string mountPoint)
    {
        const ulong Alarm = 1UL << (14 - 1);
        var name = Directory.EnumerateFiles(mountPoint, "reading-*").FirstOrDefault();
        if (name is null)
        {
            return false;
        }

        var line = File.ReadLines($"/proc/{name[(name.LastIndexOf('-') + 1)..]}/status").First(line => line.StartsWith("ShdPnd:", StringComparison.Ordinal));
        return (ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & Alarm) != 0;
    }
}
