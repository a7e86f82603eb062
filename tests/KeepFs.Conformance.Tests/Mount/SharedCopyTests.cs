namespace KeepFs.Conformance.Tests.Mount;

/// <summary>Copies within a mount refer to the blocks of the source where that is possible, and are copies all the same.</summary>
[Collection(ClusterTests.Name)]
public sealed class SharedCopyTests(SharedCluster shared)
{
    private readonly KeepFsProcess _cluster = shared.Process;

    [Fact]
    public async Task Copy_of_a_saved_file_uploads_nothing_and_is_independent_of_it()
    {
        await using var mount = await JournaledMount.StartAsync(_cluster);
        var names = new[] { Guid.NewGuid().ToString("N"), Guid.NewGuid().ToString("N") };
        (await _cluster.ScriptAsync(
            $$"""
            cd {{mount.Home}}; mkdir {{names[0]}} {{names[1]}}; head -c 70000000 /dev/urandom > $W/source; cp $W/source {{names[0]}}/a; sync {{names[0]}}/a
            blocks() { getfattr --only-values -n user.keepfs.locators "$1" | cut -d+ -f1; }
            cp --reflink=auto {{names[0]}}/a {{names[0]}}/b; cp --reflink=auto {{names[0]}}/a {{names[1]}}/c; sync {{names[0]}}/b; sync {{names[1]}}/c
            test "$(blocks {{names[0]}}/a)" = "$(blocks {{names[0]}}/b)"; test "$(blocks {{names[0]}}/a)" = "$(blocks {{names[1]}}/c)"
            printf xyz | dd of={{names[0]}}/b bs=1 seek=1000 conv=notrunc status=none; cmp {{names[0]}}/a $W/source; cmp {{names[1]}}/c $W/source; ! cmp -s {{names[0]}}/b $W/source
            cat {{names[0]}}/a > {{names[0]}}/unsaved; cp {{names[0]}}/unsaved {{names[1]}}/d; cmp {{names[1]}}/d $W/source
            cp {{names[0]}}/a {{names[0]}}/e; cp {{names[0]}}/a {{names[1]}}/e
            """)).Ok();
        await mount.KillAsync();
        await mount.StartAgainAsync();
        (await _cluster.ScriptAsync($"cd {mount.Home}; for f in {names[0]}/a {names[0]}/e {names[0]}/unsaved {names[1]}/c {names[1]}/d {names[1]}/e; do cmp $f $W/source; done; test $(dd if={names[0]}/b bs=1 skip=1000 count=3 status=none) = xyz")).Ok();
        await mount.StopAsync();
        Assert.Empty(mount.JournalFiles());
    }
}
