namespace KeepFs.Conformance.Tests.Mount;

/// <summary>One collection at several places of one mount is one thing: nothing needs to be saved for the one to show what was done through the other.</summary>
[Collection(ClusterTests.Name)]
public sealed class SamePlaceTests(SharedCluster shared)
{
    private readonly KeepFsProcess _cluster = shared.Process;

    /// <summary>Contents are the same at once; names reach the kernel at the other place as soon as it can be told.</summary>
    private const string Soon = "soon() { for i in $(seq 400); do ! eval \"$1\" 2>/dev/null || return 0; sleep 0.05; done; eval \"$1\"; }\n";

    [Fact]
    public Task Edits_at_one_place_show_at_the_other() => RunAsync(
        """
        echo one > $A/f; soon 'test "$(cat $B/f)" = one'; echo two >> $B/f; test "$(cat $A/f)" = "$(printf 'one\ntwo')"
        test $(stat -c %s $A/f) = 8; test $(stat -c %i $A/f) = $(stat -c %i $B/f); : > $A/f; test ! -s $B/f
        ! cat $B/d/e/g 2>/dev/null; mkdir -p $A/d/e; echo g > $A/d/e/g; soon 'test "$(cat $B/d/e/g)" = g'; ls $A/d $B/d > /dev/null
        echo h > $B/d/e/h; soon 'test "$(ls $A/d/e)" = "$(printf "g\nh")"'; soon 'test "$(cat $A/d/e/h)" = h'
        rm $A/d/e/g; soon 'test ! -e $B/d/e/g'; soon 'test "$(ls $B/d/e)" = h'
        mv $B/d/e $B/d/moved; soon 'test "$(cat $A/d/moved/h)" = h'; soon 'test ! -e $A/d/e'; rm -r $A/d; soon 'test ! -e $B/d'; soon 'test "$(ls $B)" = f'
        exec 3>> $A/f; exec 4>> $B/f; for i in $(seq 50); do echo a >&3; echo b >&4; done; test $(wc -l < $A/f) = 100; exec 3>&- 4>&-
        mkdir $B/x; mv $A/f $B/x/f; soon 'test $(wc -l < $A/x/f) = 100'; mv $A/x $B/y; soon 'test $(wc -l < $B/y/f) = 100'; soon 'test $(wc -l < $A/y/f) = 100'; soon 'test ! -e $B/x'
        """);

    [Fact]
    public Task Working_directories_at_both_places_stay_where_they_are() => RunAsync(
        """
        mkdir -p $A/d/sub; soon 'test -d $B/d/sub'
        (cd $A/d/sub; for i in $(seq 20); do test "$(pwd -P)" = "$A/d/sub"; ls ../.. > /dev/null; touch a$i; done) &
        cd $B/d/sub; for i in $(seq 20); do test "$(pwd -P)" = "$B/d/sub"; ls ../.. > /dev/null; touch b$i; done; wait $!
        soon 'test $(ls | wc -l) = 40'; soon 'test "$(ls $A/d/sub)" = "$(ls)"'; test "$(pwd -P)" = "$B/d/sub"; rm a*; soon 'test $(ls $A/d/sub | wc -l) = 20'
        """);

    [Fact]
    public Task Many_unsaved_edits_at_both_places_never_conflict() => RunAsync(
        """
        edit() { for i in $(seq 150); do echo "$2 $i" > $1/both.$((i % 7)); echo $i > $1/$2.$i; mkdir -p $1/dir$((i % 3)); echo $i > $1/dir$((i % 3))/$2.$i; [ $((i % 40)) = 0 ] && sync $1/$2.$i; done; return 0; }
        edit $A a & edit $B b; wait $!
        sync $A; soon 'diff -r $A $B > /dev/null'; test -z "$(find $A $B | grep conflict)"; test $(ls $B | wc -l) = 310; for i in $(seq 150); do test $(cat $B/a.$i) = $i; test $(cat $A/b.$i) = $i; done
        """);

    [Fact]
    public Task A_collection_that_is_moved_or_removed_at_one_place_is_so_at_the_other() => RunAsync(
        """
        echo one > $B/f; mv $A "$A moved"; soon 'test "$(cat "$A moved/f")" = one'; echo two > $B/f; test "$(cat "$A moved/f")" = two
        soon 'test ! -e $A'; rm $B/f; soon 'test ! -e "$A moved/f"'; rmdir "$A moved"; soon 'test ! -e $B'; soon 'test ! -e "$A moved"'
        """, isRemoved: true);

    [Fact]
    public async Task Everything_is_there_when_the_mount_was_killed()
    {
        await using var mount = await JournaledMount.StartAsync(_cluster);
        var (home, id) = await NewAsync(mount);
        (await _cluster.ScriptAsync($"A={home}; B={id}; mkdir $A/d; for i in $(seq 30); do echo $i > $A/d/a$i; echo $i > $B/d/b$i; echo $i >> $A/both; echo $i >> $B/both; done")).Ok();
        await mount.KillAsync();
        await mount.StartAgainAsync();
        (await _cluster.ScriptAsync($"test $(ls {home}/d | wc -l) = 60; test $(wc -l < {id}/both) = 60; test \"$(ls {home})\" = \"$(printf 'both\\nd')\"")).Ok();
        await mount.StopAsync();
    }

    private async Task RunAsync(string script, bool isRemoved = false)
    {
        await using var mount = await JournaledMount.StartAsync(_cluster);
        var (home, id) = await NewAsync(mount);
        (await _cluster.ScriptAsync($"A={home}; B={id}\n{Soon}{script}")).Ok();
        if (!isRemoved)
        {
            (await _cluster.ScriptAsync($"{Soon}soon 'diff -r {home} {id} > /dev/null'")).Ok();
        }

        await mount.StopAsync();
        Assert.DoesNotContain("by somebody else", mount.Errors, StringComparison.Ordinal);
    }

    private async Task<(string Home, string Id)> NewAsync(JournaledMount mount)
    {
        var home = Path.Combine(mount.Home, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(home);
        var uuid = (await _cluster.ScriptAsync($"getfattr --only-values -n user.keepfs.uuid {home}")).Ok();
        return (home, Path.Combine(mount.MountPoint, "by_id", uuid));
    }
}
