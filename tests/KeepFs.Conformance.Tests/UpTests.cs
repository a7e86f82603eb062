using System.Globalization;

namespace KeepFs.Conformance.Tests;

/// <summary>Starting, refusing to start, ending and starting again.</summary>
[Collection(ClusterTests.Name)]
public sealed class UpTests(SharedCluster shared)
{
    [Fact]
    public async Task A_second_up_on_the_same_data_is_refused_and_the_first_goes_on()
    {
        var cluster = shared.Process;
        var second = await cluster.KeepFsAsync("up", "--data", cluster.Data, "--port-base", FreePorts.Base().ToString(CultureInfo.InvariantCulture));

        Assert.Contains($"Another `keepfs up` is running on {cluster.Data}", second.Failed(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", second.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("ready", second.Output, StringComparison.Ordinal);
        (await cluster.KeepFsAsync("ls")).Ok();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(7)]
    public async Task A_port_in_use_is_named(int offset)
    {
        var folder = shared.Process.NewFolder();
        var first = FreePorts.Base();
        using var taken = FreePorts.Take(first + offset);
        var up = await shared.Process.KeepFsAsync("up", "--data", Path.Combine(folder, "data"), "--port-base", first.ToString(CultureInfo.InvariantCulture));

        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"keepfs: Port {first + offset} on 127.0.0.1"), up.Failed(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", up.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_and_secrets_are_readable_by_their_owner_only()
    {
        var cluster = shared.Process;

        // What is in the index of the gateway may be read by a gateway of another user where there is one; here its folder is closed.
        Assert.Equal("", (await cluster.ScriptAsync($"find '{cluster.Data}' -perm /077 ! -path '{cluster.Data}/gateway/*'")).Ok());
    }

    [Fact]
    public async Task Up_again_after_sigterm_goes_on_with_everything()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        (await cluster.ScriptAsync("echo put > file; mkdir \"$HOME_DIR/made\"; echo made > \"$HOME_DIR/made/file\"")).Ok();
        var uuid = await cluster.PutAsync(Path.Combine(cluster.Work, "file"), "--name", "stored");
        var (token, config) = (cluster.Token, await File.ReadAllTextAsync(Path.Combine(cluster.Data, "config.yml")));

        // At once: the background save of "made" has not begun.
        Assert.Equal(0, await cluster.TerminateAsync());
        Assert.False(Mounts.Has(cluster.MountPoint));
        await cluster.StartAgainAsync();

        Assert.Equal(token, cluster.Token);
        Assert.Equal(config, await File.ReadAllTextAsync(Path.Combine(cluster.Data, "config.yml")));
        Assert.Equal("put\nput\nmade", (await cluster.ScriptAsync($"\"$K\" get {uuid}/file -; cat \"$HOME_DIR/stored/file\" \"$HOME_DIR/made/file\"")).Ok());
        Assert.Equal("", cluster.Errors.Trim());
    }

    [Fact]
    public async Task Sigterm_while_files_are_open_saves_unmounts_and_exits_with_0()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        (await cluster.ScriptAsync("mkdir \"$HOME_DIR/made\"; head -c 5000000 /dev/urandom > file; cp file \"$HOME_DIR/made/read\"; sync \"$HOME_DIR/made/read\"")).Ok();
        using var user = Shell.Start(
            "bash", ["-c", "exec 3< \"$HOME_DIR/made/read\"; head -c 1000 <&3 > /dev/null; exec 4> \"$HOME_DIR/made/written\"; echo unsaved >&4; echo open; read -r line"], cluster.Env, null);
        Assert.Equal("open", await user.StandardOutput.ReadLineAsync());

        Assert.Equal(0, await cluster.TerminateAsync());
        Assert.False(Mounts.Has(cluster.MountPoint));
        user.Kill();
        await user.WaitForExitAsync();
        await cluster.StartAgainAsync();

        (await cluster.ScriptAsync("cmp file \"$HOME_DIR/made/read\"; test \"$(cat \"$HOME_DIR/made/written\")\" = unsaved")).Ok();
    }

    [Fact]
    public async Task Sigterm_while_somebody_writes_on_and_on_ends_and_keeps_what_was_synced()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        (await cluster.ScriptAsync("mkdir \"$HOME_DIR/made\"; echo synced > \"$HOME_DIR/made/file\"; sync \"$HOME_DIR/made/file\"")).Ok();
        using var writer = Shell.Start("bash", ["-c", "i=0; while echo line >> \"$HOME_DIR/made/log\"; do i=$((i+1)); test $i != 100 || echo going; done"], cluster.Env, null);
        Assert.Equal("going", await writer.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit));

        Assert.Equal(0, await cluster.TerminateAsync());
        Assert.False(Mounts.Has(cluster.MountPoint));
        writer.Kill();
        await writer.WaitForExitAsync();
        await Mounts.RemoveBelowAsync(cluster.Folder);
        await cluster.StartAgainAsync();

        (await cluster.ScriptAsync("test \"$(cat \"$HOME_DIR/made/file\")\" = synced; test $(wc -l < \"$HOME_DIR/made/log\") -ge 100; ! grep -vx line \"$HOME_DIR/made/log\"")).Ok();
    }

    [Fact]
    public async Task Up_after_kill_9_takes_the_dead_mount_away()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        await cluster.KillOnlyAsync();
        await cluster.StartAgainAsync();
        (await cluster.ScriptAsync("mkdir \"$HOME_DIR/works\"; echo again > \"$HOME_DIR/works/file\"; sync \"$HOME_DIR/works/file\"")).Ok();
    }

    [Fact]
    public async Task The_same_signal_twice_at_once_still_saves_and_unmounts()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        (await cluster.ScriptAsync("mkdir \"$HOME_DIR/twice\"; echo unsaved > \"$HOME_DIR/twice/file\"")).Ok();
        await Shell.SignalAsync(cluster.Process, "TERM");
        Assert.Equal(0, await cluster.TerminateAsync());
        await cluster.StartAgainAsync();
        (await cluster.ScriptAsync("test \"$(cat \"$HOME_DIR/twice/file\")\" = unsaved")).Ok();
    }

    [Fact]
    public async Task A_volume_that_is_missing_is_named_and_nothing_is_made_in_its_place()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        await cluster.TerminateAsync();
        Directory.Move(cluster.Volumes[1], cluster.Volumes[1] + ".away");
        var up = await Shell.RunAsync(KeepFsProcess.Program, cluster.UpArguments);

        Assert.Contains(cluster.Volumes[1] + " is not there", up.Failed(), StringComparison.Ordinal);
        Assert.False(Directory.Exists(cluster.Volumes[1]));
    }

    [Fact]
    public async Task The_folder_where_it_is_started_and_what_is_below_is_not_watched()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        (await cluster.ScriptAsync("mkdir -p \"$HOME_DIR/seen/deep\"; sync \"$HOME_DIR/seen\"")).Ok();
        Assert.DoesNotContain(Directory.EnumerateFiles($"/proc/{cluster.ProcessId}/fd"), file => new FileInfo(file).LinkTarget?.Contains("inotify", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task One_volume_and_no_mount_are_enough()
    {
        var folder = shared.Process.NewFolder();
        var script =
            $"""
            "$K" up --data {folder}/data --port-base {FreePorts.Base()} > {folder}/out & up=$!
            trap 'kill $up; wait $up' EXIT
            until grep -qx ready {folder}/out; do kill -0 $up; sleep 0.1; done
            . {folder}/data/env
            echo one > {folder}/file; "$K" get "$("$K" put {folder}/file)/file" -
            find {folder}/data/volume0 -type f | wc -l
            """;

        Assert.Equal("one\n1", (await shared.Process.ScriptAsync(script)).Ok());
    }
}
