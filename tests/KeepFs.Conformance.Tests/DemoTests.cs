namespace KeepFs.Conformance.Tests;

/// <summary>The demo on a small tree.</summary>
[Collection(ClusterTests.Name)]
public sealed class DemoTests(SharedCluster shared)
{
    [Fact]
    public async Task Demo_stores_a_tree_prints_the_table_and_leaves_nothing_behind()
    {
        var folder = shared.Process.NewFolder();
        (await shared.Process.ScriptAsync($"mkdir -p '{folder}/tree/a b'; head -c 1000000 /dev/urandom > '{folder}/tree/a b/ü'; : > {folder}/tree/empty; ln -s empty {folder}/tree/link; mkdir {folder}/tmp")).Ok();
        var demo = await shared.Process.ScriptAsync($"TMPDIR={folder}/tmp TERM=dumb \"$K\" demo {folder}/tree");

        var output = demo.Ok();
        foreach (var way in (string[])["get", "mount", "WebDAV"])
        {
            Assert.Contains(output.Split('\n'), line => line.Contains(way, StringComparison.Ordinal) && line.Contains("identical", StringComparison.Ordinal));
        }

        Assert.Contains("identical: every byte of 2 files came back in three ways", output, StringComparison.Ordinal);
        Assert.Contains("copies of each: 2 (1 blocks)", output, StringComparison.Ordinal);
        Assert.Contains("/link: it is a symbolic link", demo.Errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(folder, "tmp"), "keepfs*"));
    }
}
