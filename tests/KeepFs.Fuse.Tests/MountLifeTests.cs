namespace KeepFs.Fuse.Tests;

/// <summary>Mounting, unmounting, and what can be wrong with a mount point.</summary>
public sealed class MountLifeTests
{
    [Fact]
    public async Task Terminate_signal_unmounts()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("echo x > f");
        Assert.True(await MountHostProcess.IsMountedAsync(host.MountPoint));

        await host.SignalAsync("TERM");

        Assert.Equal("unmounted 0", await host.ReadLineAsync());
        Assert.Equal(0, await host.ExitAsync());
        Assert.False(await MountHostProcess.IsMountedAsync(host.MountPoint));
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.MountPoint));
    }

    [Fact]
    public async Task Unmount_from_outside_ends_the_host()
    {
        await using var host = await MountHostProcess.StartAsync();

        await MountHostProcess.ShellInAsync("/", $"fusermount3 -u {host.MountPoint}");

        Assert.Equal("unmounted 0", await host.ReadLineAsync());
        Assert.Equal(0, await host.ExitAsync());
    }

    [Fact]
    public async Task Busy_mount_is_cut_off_and_its_open_files_are_closed()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("echo x > f");
        var file = new FileStream(Path.Combine(host.MountPoint, "f"), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        try
        {
            await host.SignalAsync("TERM");

            Assert.Equal("unmounted 0", await host.ReadLineAsync());
            Assert.Equal(0, await host.ExitAsync());
            Assert.Contains("still in use", await host.ErrorsAsync(), StringComparison.Ordinal);
            Assert.False(await MountHostProcess.IsMountedAsync(host.MountPoint));
            Assert.Throws<IOException>(() => RandomAccess.GetLength(file.SafeFileHandle) + file.ReadByte() > 0 ? throw new InvalidOperationException() : 0);
        }
        finally
        {
            try
            {
                await file.DisposeAsync();
            }
            catch (IOException)
            {
                // The close cannot be told to anybody.
            }
        }
    }

    [Fact]
    public async Task Killed_host_leaves_a_stale_mount_which_the_next_one_explains()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.SignalAsync("KILL");
        await host.ExitAsync();
        Assert.True(await MountHostProcess.IsMountedAsync(host.MountPoint));

        var (exitCode, message) = await MountHostProcess.RefuseAsync(host.MountPoint);

        Assert.Equal(1, exitCode);
        Assert.Contains("Transport endpoint is not connected", message, StringComparison.Ordinal);
        Assert.Contains($"fusermount3 -u {host.MountPoint}", message, StringComparison.Ordinal);
        await MountHostProcess.ShellInAsync("/", $"fusermount3 -u {host.MountPoint}");
        Assert.False(await MountHostProcess.IsMountedAsync(host.MountPoint));
    }

    [Fact]
    public async Task Missing_mount_point_is_explained()
    {
        var (exitCode, message) = await MountHostProcess.RefuseAsync("/nonexistent/keepfs");

        Assert.Equal(1, exitCode);
        Assert.Contains("mkdir -p /nonexistent/keepfs", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_as_mount_point_is_explained()
    {
        var (exitCode, message) = await MountHostProcess.RefuseAsync("/etc/passwd");

        Assert.Equal(1, exitCode);
        Assert.Contains("/etc/passwd is not a directory", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Full_mount_point_is_explained()
    {
        var (exitCode, message) = await MountHostProcess.RefuseAsync("/etc");

        Assert.Equal(1, exitCode);
        Assert.Contains("/etc is not empty", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_only_mount_refuses_each_change()
    {
        await using var host = await MountHostProcess.StartAsync("--read-only");
        Assert.Equal("ok", await host.CommandAsync("write f content"));

        var (exitCode, output) = await host.TryShellAsync("cat f; mkdir d; echo x > f; rm f; mv f g; touch g");

        Assert.NotEqual(0, exitCode);
        Assert.StartsWith("content", output, StringComparison.Ordinal);
        Assert.Equal(5, output.Split('\n').Count(line => line.Contains("Read-only file system", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Killed_program_in_the_mount_leaves_no_open_handle()
    {
        await using var host = await MountHostProcess.StartAsync();

        await host.ShellAsync("sleep 1000 > f & sleep_pid=$!; until [ -e f ]; do :; done; kill -9 $sleep_pid; wait $sleep_pid || true");

        await Eventually.AsyncTrue(async () => (await host.StatsAsync()).Handles == 0);
    }
}
