using System.Diagnostics;
using System.Globalization;

namespace KeepFs.Conformance.Tests;

/// <summary><c>keepfs mount --supervise</c> on a real cluster: the serving process is killed and replaced while the mount is used.</summary>
[Collection(ClusterTests.Name)]
public sealed class SupervisedMountTests(SharedCluster shared) : IAsyncLifetime
{
    private readonly KeepFsProcess _cluster = shared.Process;
    private string _mountPoint = "";
    private Process? _holder;

    private string Folder => Path.Combine(_mountPoint, "home", "supervised");

    public async Task InitializeAsync()
    {
        _mountPoint = Path.Combine(_cluster.NewFolder(), "mnt");
        _holder = Shell.Start(KeepFsProcess.Program, ["mount", "--supervise", _mountPoint], _cluster.Env, null);
        await AwaitServedAsync();
        (await _cluster.ScriptAsync($"mkdir -p '{Folder}'; cp -rL /usr/include/linux '{Folder}/'; sync '{Folder}'")).Ok();
    }

    public async Task DisposeAsync()
    {
        (await _cluster.ScriptAsync($"rm -r '{Folder}/linux'; rmdir '{Folder}'")).Ok();
        await Shell.SignalAsync(_holder!, "TERM");
        await _holder!.WaitForExitAsync().WaitAsync(Shell.Limit);
        var code = _holder.ExitCode;
        _holder.Dispose();
        Assert.Equal(0, code);
        Assert.False(Mounts.Has(_mountPoint));
    }

    [Fact]
    public async Task Killed_and_upgraded_process_is_followed_by_another_that_has_the_same_files_open()
    {
        var stop = Path.Combine(_cluster.NewFolder(), "stop");
        var use = _cluster.ScriptAsync(
            $"""
            cd '{Folder}/linux'; exec 3< fuse.h
            until [ -e {stop} ]; do cmp fuse.h /usr/include/linux/fuse.h; cmp fs.h /usr/include/linux/fs.h; ls > /dev/null; done
            cmp /dev/fd/3 /usr/include/linux/fuse.h; diff -r . /usr/include/linux; pwd
            """);

        (await _cluster.ScriptAsync(string.Create(CultureInfo.InvariantCulture, $"kill -9 $(pgrep -P {_holder!.Id})"))).Ok();
        await AwaitServedAsync();
        (await _cluster.ScriptAsync($"\"$K\" mount --upgrade '{_mountPoint}'")).Ok();
        await AwaitServedAsync();
        (await _cluster.ScriptAsync($"echo written > '{Folder}/linux/new'; cat '{Folder}/linux/new'; rm '{Folder}/linux/new'")).Ok();
        await File.WriteAllTextAsync(stop, "");

        Assert.Equal($"{Folder}/linux", (await use).Ok());
    }

    private async Task AwaitServedAsync() =>
        Assert.StartsWith("mounted at", await _holder!.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit), StringComparison.Ordinal);
}
