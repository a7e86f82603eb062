namespace KeepFs.Conformance.Tests.Mount;

/// <summary>The mount as a process: background, <c>--exec</c>, unmounting, users, what it says when it cannot (mount.md section 1).</summary>
[Collection(ClusterTests.Name)]
public sealed class MountProcessTests(SharedCluster shared)
{
    private readonly KeepFsProcess _cluster = shared.Process;

    [Fact]
    public async Task Arv_mount_by_a_link_goes_into_the_background_read_only_and_unmount_ends_it()
    {
        var folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync(
            $$"""
            cd {{folder}}; ln -s "$K" arv-mount; ./arv-mount mnt > out 2>&1
            test ! -s out; ls mnt/home; ! mkdir mnt/home/new 2> err; grep 'Read-only file system' err
            grep " {{folder}}/mnt fuse.keepfs ro" /proc/mounts; pid=$(pgrep -f "keepfs arv-mount mn[t]" | head -n 1); test "$(ps -o sid= -p $pid | tr -d ' ')" != "$(ps -o sid= -p $$ | tr -d ' ')"
            ./arv-mount --unmount mnt; ! grep " {{folder}}/mnt " /proc/mounts; tail --pid=$pid -f /dev/null; ./arv-mount --unmount mnt
            """)).Ok();
    }

    [Fact]
    public async Task Arv_mount_saves_on_close()
    {
        var folder = _cluster.NewFolder();
        var name = Path.GetFileName(folder);
        (await _cluster.ScriptAsync(
            $$"""
            cd {{folder}}; "$K" arv-mount --read-write mnt --logfile log --debug; mkdir mnt/home/{{name}}; echo closed > mnt/home/{{name}}/file
            uuid=$("$K" ls | grep {{name}} | cut -c1-27); test "$("$K" get $uuid/file -)" = closed
            "$K" arv-mount --unmount-all .; ! grep " {{folder}}" /proc/mounts; grep 'mounted at .*, read-write' log
            """)).Ok();
    }

    [Fact]
    public async Task Start_failures_are_told_by_the_process_that_was_started()
    {
        var folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync(
            $$"""
            cd {{folder}}; set +e
            ARVADOS_API_TOKEN=wrong "$K" arv-mount mnt 2> err; test $? = 1 || exit 9; grep -i 'not logged in' err || exit 8
            env -u ARVADOS_API_TOKEN "$K" arv-mount mnt 2> err; test $? = 1 || exit 7; grep ARVADOS_API_TOKEN err || exit 6
            "$K" mount 2> err; test $? = 2 || exit 5; grep MOUNT_DIR err || exit 4
            ! grep {{folder}} /proc/mounts
            """)).Ok();
    }

    [Theory]
    [InlineData("--home --shared", "only one of them")]
    [InlineData("--home --mount-tmp t", "cannot be combined")]
    [InlineData("--mount-tmp a/b", "single name")]
    [InlineData("--mount-tmp ..", "single name")]
    [InlineData("--mount-tmp t --mount-home t", "named by two")]
    [InlineData("--custom", "--mount-home")]
    [InlineData("--read-only --read-write", "contradict")]
    [InlineData("--disk-cache --ram-cache", "contradict")]
    [InlineData("--encoding latin1", "UTF-8")]
    [InlineData("--file-cache 1X", "number of bytes")]
    [InlineData("--refresh-time 0", "seconds")]
    public async Task Options_that_do_not_fit_are_refused_with_a_reason(string options, string reason)
    {
        var result = await _cluster.KeepFsAsync(["mount", "nowhere", .. options.Split(' ')]);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(reason, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_gives_the_command_our_streams_and_us_its_status()
    {
        (await _cluster.ScriptAsync(
            """
            mkdir x; set +e
            test "$(echo in | "$K" mount x --exec sh -c 'cat; ls -d x/home; exit 7')" = "$(printf 'in\nx/home')" || exit 20
            "$K" mount x --exec sh -c 'exit 7'; test $? = 7 || exit 21
            "$K" arv-mount --exec sh -c 'test -d x/home && exit 9' -- x; test $? = 9 || exit 22
            "$K" mount x --exec no-such-command 2> err; test $? = 2 || exit 23; grep no-such-command err || exit 24
            "$K" mount x --exec sh -c 'kill -9 $$'; test $? = 137 || exit 25
            "$K" mount x --exec 2> err; test $? = 2 || exit 26
            ! grep "$W/x " /proc/mounts
            """)).Ok();
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task Exec_forwards_signals_and_waits_for_the_command(string signal)
    {
        var folder = _cluster.NewFolder();
        var script = $"trap 'ls {folder}/mnt/home > {folder}/seen; exit 42' {signal}; touch {folder}/ready; while :; do sleep 0.05; done";

        // Whoever runs the tests in the background of a shell has them ignore INT and QUIT, and no shell can trap what was ignored when it started.
        using var mount = Shell.Start("env", ["--default-signal=INT,QUIT", KeepFsProcess.Program, "mount", folder + "/mnt", "--exec", "sh", "-c", script], _cluster.Env, folder);
        await Eventually.TrueAsync(() => File.Exists(folder + "/ready"), "the command runs");
        await Shell.SignalAsync(mount, signal);
        await mount.WaitForExitAsync().WaitAsync(Shell.Limit);

        Assert.Equal(42, mount.ExitCode);
        Assert.True(File.Exists(folder + "/seen"));
        Assert.False(Mounts.Has(folder + "/mnt"));
    }

    [Fact]
    public async Task Replace_takes_away_what_is_mounted_there()
    {
        var folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync(
            $$"""
            cd {{folder}}; "$K" arv-mount mnt --subtype first; grep ' {{folder}}/mnt fuse.first ' /proc/mounts
            ! "$K" arv-mount mnt 2> err; grep 'not empty' err
            ! "$K" arv-mount mnt --replace --subtype second 2> err; grep 'fuse.first, not fuse.second' err
            "$K" arv-mount mnt --replace --read-write; grep ' {{folder}}/mnt fuse.keepfs rw' /proc/mounts; ! grep fuse.first /proc/mounts
            mkdir -p deep/er; "$K" arv-mount deep/er; "$K" arv-mount --unmount-all {{folder}}; ! grep {{folder}} /proc/mounts
            ! "$K" arv-mount --unmount /proc 2> err; grep 'type proc' err
            """)).Ok();
    }

    [Fact]
    public async Task Unmount_takes_a_hung_mount_away()
    {
        var folder = _cluster.NewFolder();
        using var mount = Shell.Start(KeepFsProcess.Program, ["mount", folder + "/mnt"], _cluster.Env, folder);
        Assert.StartsWith("mounted at", await mount.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit), StringComparison.Ordinal);
        await Shell.SignalAsync(mount, "STOP");
        try
        {
            // A program that waits for an answer which never comes keeps it busy.
            using var waiting = Shell.Start("ls", [folder + "/mnt/home"], _cluster.Env, folder);
            var result = await _cluster.KeepFsAsync("arv-mount", "--unmount", "--unmount-timeout", "1", folder + "/mnt");
            result.Ok();
            Assert.False(Mounts.Has(folder + "/mnt"));
            await waiting.WaitForExitAsync().WaitAsync(Shell.Limit);
        }
        finally
        {
            await Shell.SignalAsync(mount, "CONT");
        }

        await mount.WaitForExitAsync().WaitAsync(Shell.Limit);
    }

    [Fact]
    public async Task Statistics_have_the_form_of_crunchstat()
    {
        var result = await _cluster.ScriptAsync(
            """
            mkdir s; "$K" mount s --crunchstat-interval 0.2 --exec sh -c 'for i in 1 2 3 4 5 6; do ls s/home > /dev/null; sleep 0.1; done' 2>&1
            """);
        Assert.Matches(@"(?m)^crunchstat: keepcalls \d+ put \d+ get -- interval \d+\.\d{4} seconds \d+ put \d+ get$", result.Ok());
        Assert.Matches(@"(?m)^crunchstat: net:keep0 \d+ tx \d+ rx -- interval", result.Output);
        Assert.Matches(@"(?m)^crunchstat: blkio:0:0 \d+ write \d+ read -- interval", result.Output);
        Assert.Matches(@"(?m)^crunchstat: fuseop:lookup [1-9]\d* count \d+\.\d{6} time -- interval \d+\.\d{4} seconds \d+ count \d+\.\d{6} time$", result.Output);
    }

    [Fact]
    public async Task An_ordinary_user_mounts_with_fusermount3_and_is_told_what_is_missing()
    {
        if (Environment.UserName != "root")
        {
            // Then every other test has shown it already.
            return;
        }

        var folder = Directory.CreateTempSubdirectory("keepfs-user-").FullName;
        try
        {
            (await _cluster.ScriptAsync(
                $$"""
                chmod 755 {{folder}}; mkdir {{folder}}/mine; chown nobody {{folder}}/mine; chmod a+rw /dev/fuse
                env > /dev/null; cat > {{folder}}/run <<'END'
                set -e; cd {{folder}}/mine; export HOME=$PWD XDG_CACHE_HOME=$PWD/cache
                "$K" arv-mount --read-write mnt; n=user-$$; mkdir mnt/home/$n; echo hello > mnt/home/$n/file; test "$(stat -c %U mnt/home/$n/file)" = nobody
                test "$("$K" get $("$K" ls | grep $n | cut -c1-27)/file -)" = hello; "$K" arv-mount --unmount mnt
                if ! grep -q '^user_allow_other' /etc/fuse.conf; then ! "$K" mount other --allow-other --exec true 2> err; grep user_allow_other err; fi
                ! PATH=/nowhere "$K" mount none --exec true 2> err; grep 'package fuse3' err
                END
                chmod 644 {{folder}}/run
                """)).Ok();
            (await ReachableAsync()).Ok();
            (await Shell.RunAsync("su", ["-s", "/bin/bash", "-p", "nobody", folder + "/run"], _cluster.Env, "/")).Ok();
        }
        finally
        {
            await Mounts.RemoveBelowAsync(folder);
            await Shell.RunAsync("rm", ["-rf", "--one-file-system", folder]);
        }
    }

    /// <summary>The program must be readable by everybody; a checkout below /root is not.</summary>
    private static Task<ShellResult> ReachableAsync() => Shell.RunAsync("su", ["-s", "/bin/sh", "nobody", "-c", $"test -x {KeepFsProcess.Program}"]);
}
