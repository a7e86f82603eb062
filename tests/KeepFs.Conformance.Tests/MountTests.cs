namespace KeepFs.Conformance.Tests;

/// <summary>Work in the mount with ordinary programs, seen by the other ways.</summary>
[Collection(ClusterTests.Name)]
public sealed class MountTests(SharedCluster shared)
{
    /// <summary>Makes and changes files in the empty collection directory C; the result is that of <see cref="CheckWork"/>.</summary>
    private const string DoWork =
        """
        cd "$C"; head -c 2000000 /dev/urandom > "$W/random"
        cp "$W/random" copy; cp "$W/random" patched; cp "$W/random" moved-away; cp "$W/random" removed
        printf 'one\n' > appended; echo two >> appended; echo three >> appended
        printf PATCH | dd of=patched bs=1 seek=1000000 conv=notrunc status=none
        mkdir dir dir/sub gone; mv moved-away 'dir/sub/moved ü'; rm removed; rmdir gone
        printf new > .tmp; mv .tmp copied-over; cp "$W/random" short; truncate -s 10 short; mkdir keeps-empty
        cd "$W"; sync "$C/appended"
        """;

    /// <summary>Checks the result in the directory D.</summary>
    private const string CheckWork =
        """
        cp "$W/random" "$W/patched"; printf PATCH | dd of="$W/patched" bs=1 seek=1000000 conv=notrunc status=none
        cmp "$W/random" "$D/copy"; cmp "$W/patched" "$D/patched"; cmp "$W/random" "$D/dir/sub/moved ü"
        test "$(cat "$D/appended")" = $'one\ntwo\nthree'; test "$(cat "$D/copied-over")" = new; cmp <(head -c 10 "$W/random") "$D/short"
        test "$(cd "$D" && find . -mindepth 1 | sort | tr '\n' ' ')" = './appended ./copied-over ./copy ./dir ./dir/sub ./dir/sub/moved ü ./keeps-empty ./patched ./short '
        """;

    [Fact]
    public async Task Synced_work_in_the_mount_is_seen_by_get_and_webdav()
    {
        var cluster = shared.Process;
        var name = await WorkAsync(cluster);
        await CheckGetAsync(cluster, await UuidAsync(cluster, name));
        await CheckWebDavAsync(cluster, await UuidAsync(cluster, name));
    }

    [Fact]
    public async Task Closed_files_are_saved_in_the_background_without_sync()
    {
        var cluster = shared.Process;
        var name = Name();
        (await cluster.ScriptAsync($"mkdir \"$HOME_DIR/{name}\" && echo closed > \"$HOME_DIR/{name}/file\"")).Ok();
        var uuid = await UuidAsync(cluster, name);

        await Eventually.TrueAsync(async () => (await cluster.KeepFsAsync("ls", uuid)).Output == "./file\n", "the file is in the catalogue");

        Assert.Equal("closed", (await cluster.KeepFsAsync("get", uuid + "/file", "-")).Ok());
    }

    [Fact]
    public async Task Collections_are_made_renamed_and_removed_as_directories_of_the_home()
    {
        var cluster = shared.Process;
        var name = Name();
        (await cluster.ScriptAsync(
            $"""
            cd "$HOME_DIR"; mkdir '{name}' '{name} empty'; echo x > '{name}/file'; sync '{name}/file'
            ! mkdir '{name}'; ! rmdir '{name}'; mv '{name}' '{name} ü'; test "$(cat '{name} ü/file')" = x; rmdir '{name} empty'; test ! -e '{name}'
            """)).Ok();
        var uuid = await UuidAsync(cluster, name + " ü");

        Assert.Equal("x", (await cluster.KeepFsAsync("get", uuid + "/file", "-")).Ok());
        Assert.Single((await cluster.KeepFsAsync("ls")).Lines, line => line.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_synced_under_home_appears_under_by_id_and_the_other_way_round()
    {
        var cluster = shared.Process;
        var name = Name();
        (await cluster.ScriptAsync($"mkdir \"$HOME_DIR/{name}\"; echo one > \"$HOME_DIR/{name}/file\"; sync \"$HOME_DIR/{name}/file\"")).Ok();
        var byId = "$ID/" + await UuidAsync(cluster, name);

        await Eventually.TrueAsync(async () => (await cluster.ScriptAsync($"cat {byId}/file")).Output == "one\n", "by_id shows the file");
        (await cluster.ScriptAsync($"echo two >> {byId}/file; sync {byId}/file")).Ok();
        await Eventually.TrueAsync(async () => (await cluster.ScriptAsync($"cat \"$HOME_DIR/{name}/file\"")).Output == "one\ntwo\n", "home shows the change");
    }

    [Fact]
    public async Task Synced_work_is_still_there_by_all_ways_after_kill_9()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        var name = await WorkAsync(cluster);
        var uuid = await UuidAsync(cluster, name);

        await cluster.KillAsync();
        await cluster.StartAgainAsync();

        (await cluster.ScriptAsync($"D=\"$HOME_DIR/{name}\"\n{CheckWork}")).Ok();
        await CheckGetAsync(cluster, uuid);
        (await cluster.ScriptAsync($"echo four >> \"$HOME_DIR/{name}/appended\"; sync \"$HOME_DIR/{name}/appended\"; test \"$(\"$K\" get {uuid}/appended - | tail -n 1)\" = four")).Ok();
        (await cluster.ScriptAsync($"printf 'one\\ntwo\\nthree\\n' > \"$HOME_DIR/{name}/appended\"; sync \"$HOME_DIR/{name}/appended\"")).Ok();
        await CheckWebDavAsync(cluster, uuid);
    }

    [Fact]
    public async Task Whatever_sync_or_webdav_acknowledged_is_there_after_kill_9()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        var name = Name();
        (await cluster.ScriptAsync($"mkdir \"$HOME_DIR/{name}\"; echo > \"$HOME_DIR/{name}/start\"; sync \"$HOME_DIR/{name}/start\"; : > saved; : > uploaded")).Ok();
        var uuid = await UuidAsync(cluster, name);
        const string Script =
            """
            cd "$W"; n=0; while n=$((n+1)); do echo "content $n" > "$D/mount $n" && sync "$D/mount $n" && echo "mount $n" >> saved || exit; done &
            n=0; while n=$((n+1)); do echo "content $n" | curl -sf -u "any:$ARVADOS_API_TOKEN" -T - "${KEEPFS_WEBDAV_URL}by_id/$U/web$n" && echo "web$n" >> uploaded || exit; done
            """;

        using (var writers = Shell.Start("bash", ["-c", $"D=\"$HOME_DIR/{name}\"; U={uuid}\n{Script}"], cluster.Env, null))
        {
            await Eventually.TrueAsync(() => Lines(cluster, "saved") >= 20 && Lines(cluster, "uploaded") >= 20, "20 files are saved in both ways");
            await cluster.KillAsync();
            writers.Kill(entireProcessTree: true);
            await writers.WaitForExitAsync();
        }

        await cluster.StartAgainAsync();
        (await cluster.ScriptAsync(
            $$"""
            "$K" get {{uuid}} got
            cat saved uploaded | while read -r file; do test "$(cat "got/$file")" = "content ${file//[a-z ]/}"; cmp "got/$file" "$HOME_DIR/{{name}}/$file"; done
            """)).Ok();

        static int Lines(KeepFsProcess cluster, string file) => File.ReadAllLines(Path.Combine(cluster.Work, file)).Length;
    }

    [Fact]
    public async Task Kill_9_in_the_middle_of_a_big_write_leaves_what_was_written_so_far_over_the_old_content()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        var name = Name();
        (await cluster.ScriptAsync(
            $"""
            C="$HOME_DIR/{name}"; mkdir "$C"; echo kept > "$C/other"
            head -c 150000000 /dev/urandom > old; head -c 300000000 /dev/urandom > new
            cp old "$C/big"; sync "$C/big"
            """)).Ok();
        var uuid = await UuidAsync(cluster, name);
        var before = Blocks.CountAll(cluster);

        using (var writer = Shell.Start("dd", [$"if={cluster.Work}/new", $"of={cluster.Home}/{name}/big", "bs=1M", "conv=notrunc"], cluster.Env, null))
        {
            await Eventually.TrueAsync(() => Blocks.CountAll(cluster) > before || writer.HasExited, "new blocks are written");
            await cluster.KillAsync();
            writer.Kill();
            await writer.WaitForExitAsync();
        }

        await cluster.StartAgainAsync();
        (await cluster.ScriptAsync(
            $"""
            test "$(cat "$HOME_DIR/{name}/other")" = kept
            "$K" get {uuid} got; test "$(ls got)" = $'big\nother'
            cmp got/big "$HOME_DIR/{name}/big"
            """)).Ok();
        var (got, old, @new) = (Content("got/big"), Content("old"), Content("new"));
        var written = got.AsSpan().CommonPrefixLength(@new);
        Assert.True(got.AsSpan(written).SequenceEqual(old.AsSpan(Math.Min(written, old.Length))), $"after {written} bytes of the new content something else follows");

        (await cluster.ScriptAsync($"cp new \"$HOME_DIR/{name}/big\"; sync \"$HOME_DIR/{name}/big\"; \"$K\" get {uuid}/big - | cmp new -")).Ok();

        byte[] Content(string file) => File.ReadAllBytes(Path.Combine(cluster.Work, file));
    }

    private static string Name() => "work " + Guid.NewGuid().ToString("N");

    private static async Task<string> WorkAsync(KeepFsProcess cluster)
    {
        var name = Name();
        (await cluster.ScriptAsync($"C=\"$HOME_DIR/{name}\"; mkdir \"$C\"\n{DoWork}\nD=\"$C\"\n{CheckWork}")).Ok();
        return name;
    }

    private static async Task<string> UuidAsync(KeepFsProcess cluster, string name) =>
        Assert.Single((await cluster.KeepFsAsync("ls")).Lines, line => line.EndsWith("  " + name, StringComparison.Ordinal))[..27];

    private static async Task CheckGetAsync(KeepFsProcess cluster, string uuid)
    {
        var target = Path.Combine(cluster.NewFolder(), "got");
        (await cluster.ScriptAsync($"\"$K\" get {uuid} {target}; D={target}\n{CheckWork}")).Ok();
    }

    private static async Task CheckWebDavAsync(KeepFsProcess cluster, string uuid)
    {
        using var http = new Http(cluster);
        Assert.Equal(
            ["appended", "copied-over", "copy", "dir/", "dir/sub/", "dir/sub/moved ü", "keeps-empty/", "patched", "short"],
            (await http.WebDavListAsync($"by_id/{uuid}")).Order(StringComparer.Ordinal));
        foreach (var (path, expected) in ((string, string)[])[("copy", "random"), ("dir/sub/moved ü", "random"), ("patched", "patched")])
        {
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(cluster.Work, expected)), await http.WebDavGetAsync($"by_id/{uuid}/{path}"));
        }

        Assert.Equal("one\ntwo\nthree\n"u8.ToArray(), await http.WebDavGetAsync($"by_id/{uuid}/appended"));
    }
}
