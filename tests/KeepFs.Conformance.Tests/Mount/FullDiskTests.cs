namespace KeepFs.Conformance.Tests.Mount;

/// <summary>The local disk of a mount is full: the one with the block cache, and the one with the journal of unsaved changes.</summary>
[Collection(ClusterTests.Name)]
public sealed class FullDiskTests(SharedCluster shared)
{
    private readonly KeepFsProcess _cluster = shared.Process;

    [Fact]
    public async Task Full_cache_disk_is_noticed_by_no_reader_and_no_writer()
    {
        await using var disk = await TestDisk.CreateAsync(megabytes: 90);
        var folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync($"cd {folder}; head -c 70000000 /dev/urandom > one; head -c 70000000 /dev/urandom > two; for i in $(seq 50); do head -c 30000 /dev/urandom > small$i; done")).Ok();
        var uuid = await _cluster.PutAsync(folder + "/");
        await using var mount = JournaledMount.Prepare(_cluster);
        mount.Options = ["--disk-cache-dir", disk.FromOutside + "/cache", "--file-cache", "10000000000"];
        await mount.StartAgainAsync();
        var mounted = Path.Combine(mount.MountPoint, "by_id", uuid);

        // There is room for one of them, then for none, then for nothing at all.
        await SameAsync();
        await disk.RunAsync("head -c 1G /dev/zero > disk/filler 2>/dev/null || true; cp /etc/passwd disk/more 2>/dev/null || true");
        await SameAsync();
        Assert.Contains("nothing is cached for", mount.Errors, StringComparison.Ordinal);
        (await _cluster.ScriptAsync($"cp {folder}/two {mounted}/written; sync {mounted}/written; cmp {folder}/two {mounted}/written; rm {mounted}/written")).Ok();

        // A mount starts on it, too, also where the cache cannot even be made.
        await mount.StopAsync();
        mount.Options = ["--disk-cache-dir", disk.FromOutside + "/other/cache"];
        await mount.StartAgainAsync();
        await SameAsync();
        await mount.StopAsync();

        async Task SameAsync() => (await _cluster.ScriptAsync($"diff -r {folder} {mounted}; cmp {folder}/one <(dd if={mounted}/one bs=1M iflag=direct status=none)")).Ok();
    }

    [Fact]
    public async Task Full_journal_disk_lets_files_be_saved_at_once_and_without_a_cluster_answers_ENOSPC_and_loses_nothing_that_was_acknowledged()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        await using var disk = await TestDisk.CreateAsync(megabytes: 60);
        await using var mount = JournaledMount.Prepare(cluster);
        mount.StateFolder = disk.FromOutside + "/state";
        await mount.StartAgainAsync();
        var folder = Path.Combine(mount.Home, "full");
        Directory.CreateDirectory(folder);
        (await cluster.ScriptAsync($"head -c 3000000 /dev/urandom > data; cp data {folder}/before; sync {folder}/before; cp data {folder}/open; exec 3>>{folder}/open; cat data >&3; cp data {folder}/journaled")).Ok();

        await FillAsync("filler");
        (await cluster.ScriptAsync($"cd {folder}; cp \"$W/data\" during; mkdir dir; echo text > dir/small; mv before dir/moved; echo more >> journaled; cmp \"$W/data\" during")).Ok();

        // Neither the disk nor the cluster takes anything.
        await cluster.KillOnlyAsync();
        await Mounts.RemoveBelowAsync(cluster.MountPoint);
        var fills = 0;
        ShellResult refused;
        do
        {
            // What was saved at the last moment may give room back after the disk was filled.
            await FillAsync($"more{fills++}");
            refused = await cluster.ScriptAsync($"cp data {folder}/refused", limit: TimeSpan.FromSeconds(100));
        }
        while (refused.ExitCode == 0 && fills < 20);
        Assert.Contains("No space left on device", refused.Failed(), StringComparison.Ordinal);
        Assert.Contains("No space left on device", mount.Errors, StringComparison.Ordinal);

        await cluster.StartAgainAsync();
        await Eventually.TrueAsync(async () => (await cluster.ScriptAsync($"cp data {folder}/later; sync {folder}/later")).ExitCode == 0, "saving goes on");
        await disk.RunAsync("rm -f disk/filler* disk/more*");
        (await cluster.ScriptAsync($"echo again > {folder}/again")).Ok();
        await mount.KillAsync();
        await mount.StartAgainAsync();
        (await cluster.ScriptAsync(
            $"""
            cd {folder}; cmp "$W/data" during; cmp "$W/data" dir/moved; cmp "$W/data" later; test "$(cat dir/small)" = text; test "$(cat again)" = again
            cmp journaled <(cat "$W/data"; echo more); cmp open <(cat "$W/data" "$W/data"); test ! -e before; test -z "$(ls | grep conflict)"
            """)).Ok();
        await mount.StopAsync();
        Assert.Empty(mount.JournalFiles());

        Task FillAsync(string name) => disk.RunAsync($"head -c 1G /dev/zero > disk/{name} 2>/dev/null || head -c 1M /dev/zero > disk/{name}.more 2>/dev/null || true");
    }
}
