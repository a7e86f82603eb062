using System.Globalization;

namespace KeepFs.Fuse.Tests;

/// <summary>A mount that is held by one process and served by others, which die or hand over while it is used.</summary>
public sealed class TakeoverTests : IDisposable
{
    private readonly string _saved = Directory.CreateTempSubdirectory("keepfs-saved-").FullName;

    public TakeoverTests()
    {
        Directory.CreateDirectory(Path.Combine(_saved, "d", "e"));
        File.WriteAllText(Path.Combine(_saved, "d", "e", "f"), "saved");
        File.WriteAllText(Path.Combine(_saved, "g"), "other");
        File.WriteAllBytes(Path.Combine(_saved, "big"), new byte[3 << 20]);
    }

    public void Dispose() => Directory.Delete(_saved, recursive: true);

    [Fact]
    public async Task Killed_process_is_followed_by_another_and_readers_notice_nothing()
    {
        await using var host = await StartAsync();
        var stop = Path.Combine(_saved, "stop");
        var rounds = Path.Combine(_saved, "rounds");
        var reader = host.ShellAsync(
            $"""
            cd d/e; exec 3< f
            until [ -e {stop} ]; do
                test "$(cat f)" = saved; test "$(cat < /dev/fd/3)" = saved; test "$(stat -c %s ../../big)" = 3145728; cmp ../../big <(head -c 3145728 /dev/zero)
                ls .. > /dev/null; echo >> {rounds}
            done
            pwd
            """);

        for (var i = 0; i < 3; i++)
        {
            await KillAsync(host);
            var before = File.Exists(rounds) ? new FileInfo(rounds).Length : 0;
            await Eventually.AsyncTrue(() => Task.FromResult(File.Exists(rounds) && new FileInfo(rounds).Length > before + 1));
        }

        await File.WriteAllTextAsync(stop, string.Empty);
        Assert.Equal($"{host.MountPoint}/d/e", await reader);
        await host.SignalAsync("TERM");
        Assert.Equal("unmounted 0", await host.ReadLineAsync());
        Assert.Contains("ended by signal 9", await host.ErrorsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_keep_their_inode_numbers_and_open_files_go_on()
    {
        await using var host = await StartAsync();
        var before = await host.ShellAsync("stat -c '%i %n' . d d/e d/e/f g");
        using var file = new FileStream(Path.Combine(host.MountPoint, "d", "e", "f"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);

        await KillAsync(host);

        Assert.Equal(5, file.Read(new byte[10]));
        file.Position = 0;
        file.Write("after"u8);
        Assert.Equal("after", await host.ShellAsync("cat d/e/f"));
        Assert.Equal(before, await host.ShellAsync("stat -c '%i %n' . d d/e d/e/f g"));
        Assert.Equal("new", await host.ShellAsync("echo new > n; ls n > /dev/null; cat n"));
        Assert.Equal(1, (await host.StatsAsync()).Handles);
    }

    [Fact]
    public async Task Changed_names_are_found_where_they_are_now()
    {
        await using var host = await StartAsync();
        await host.ShellAsync("stat d/e/f g; mv d/e/f d/h; mv d/e x; rm g");
        using var file = new FileStream(Path.Combine(host.MountPoint, "d", "h"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        Directory.Move(Path.Combine(_saved, "d", "e"), Path.Combine(_saved, "x"));
        File.Move(Path.Combine(_saved, "x", "f"), Path.Combine(_saved, "d", "h"));
        File.Delete(Path.Combine(_saved, "g"));

        await KillAsync(host);

        Assert.Equal(5, file.Read(new byte[10]));
        Assert.Equal("d\nx\nsaved", await host.ShellAsync("find . -type d -printf '%P\\n' | sort | sed 1d; cat d/h; test ! -e g"));
    }

    [Fact]
    public async Task Open_file_whose_name_is_gone_is_stale_and_nothing_hangs()
    {
        await using var host = await StartAsync();
        using var file = new FileStream(Path.Combine(host.MountPoint, "g"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        await host.ShellAsync("rm g");
        File.Delete(Path.Combine(_saved, "g"));

        await KillAsync(host);

        var error = Assert.Throws<IOException>(() => file.Read(new byte[10]));
        Assert.Contains("Stale", error.Message, StringComparison.Ordinal);
        Assert.Equal("saved", await host.ShellAsync("cat d/e/f"));
        file.Dispose();
        await Eventually.AsyncTrue(async () => (await host.StatsAsync()).Handles == 0);
        await host.SignalAsync("TERM");
    }

    [Fact]
    public async Task Requests_under_way_are_carried_out_by_the_next_process()
    {
        await using var host = await StartAsync();
        Assert.Equal("ok", await host.CommandAsync("hang ReadAsync"));
        var reader = host.ShellAsync("exec cat g");
        await Eventually.AsyncTrue(async () => await host.CommandAsync("calls ReadAsync") != "0");

        await KillAsync(host);

        Assert.Equal("other", await reader);
        await host.SignalAsync("TERM");
    }

    [Fact]
    public async Task Upgrade_under_traffic_fails_no_request()
    {
        await using var host = await StartAsync();
        var stop = _saved + ".stop";
        var traffic = host.ShellAsync(
            $"""
            until [ -e {stop} ]; do
                mkdir d/t; echo x > d/t/a; test "$(cat d/t/a)" = x; mv d/t/a d/t/b; rm d/t/b; rmdir d/t; test "$(cat d/e/f)" = saved
            done
            echo done
            """);
        var before = await host.CommandAsync("pid");

        for (var i = 0; i < 3; i++)
        {
            await host.ShellAsync($"kill -HUP {host.Process.Id}");
            Assert.Equal("ready", await host.ReadLineAsync());
        }

        await File.WriteAllTextAsync(stop, string.Empty);
        Assert.Equal("done", await traffic);
        File.Delete(stop);
        Assert.NotEqual(before, await host.CommandAsync("pid"));
        Assert.Equal("saved", await host.ShellAsync("cat d/e/f"));
    }

    [Fact]
    public async Task Upgrade_leaves_a_request_that_hangs_to_the_next_process()
    {
        await using var host = await StartAsync();
        Assert.Equal("ok", await host.CommandAsync("hang ReadAsync"));
        var reader = host.ShellAsync("exec cat g");
        await Eventually.AsyncTrue(async () => await host.CommandAsync("calls ReadAsync") != "0");
        host.ExpectsLog = true;

        await host.ShellAsync($"kill -HUP {host.Process.Id}");

        Assert.Equal("ready", await host.ReadLineAsync());
        Assert.Equal("other", await reader);
    }

    [Fact]
    public async Task Holder_that_is_told_to_stop_unmounts()
    {
        await using var host = await StartAsync();

        await host.SignalAsync("TERM");

        Assert.Equal("unmounted 0", await host.ReadLineAsync());
        Assert.Equal(0, await host.ExitAsync());
        Assert.False(await MountHostProcess.IsMountedAsync(host.MountPoint));
    }

    [Fact]
    public async Task Unmount_from_outside_ends_holder_and_process()
    {
        await using var host = await StartAsync();
        await KillAsync(host);

        await MountHostProcess.ShellInAsync("/", $"fusermount3 -u {host.MountPoint}");

        Assert.Equal("unmounted 0", await host.ReadLineAsync());
        Assert.Equal(0, await host.ExitAsync());
    }

    [Fact]
    public async Task Process_that_never_serves_ends_the_holder_with_its_reason()
    {
        var (exitCode, _) = await MountHostProcess.RefuseAsync(MountHostProcess.NewMountPoint(), "--hold", "--load", "/nonexistent/keepfs");

        Assert.NotEqual(0, exitCode);
    }

    private Task<MountHostProcess> StartAsync(params string[] options) => MountHostProcess.StartAsync(["--hold", "--load", _saved, .. options]);

    /// <summary>Kills the process that serves the mount and waits for the next.</summary>
    private static async Task KillAsync(MountHostProcess host)
    {
        host.ExpectsLog = true;
        var pid = await host.CommandAsync("pid");
        Assert.NotEqual(host.Process.Id.ToString(CultureInfo.InvariantCulture), pid);
        await MountHostProcess.ShellInAsync("/", $"kill -9 {pid}");
        Assert.Equal("ready", await host.ReadLineAsync());
    }
}
