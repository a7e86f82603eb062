using System.Globalization;

namespace KeepFs.Conformance.Tests;

/// <summary>Many files, and files larger than anybody's memory for them. KEEPFS_TEST_FULL=1 takes 5 GiB instead of 300 MiB.</summary>
[Collection(ClusterTests.Name)]
public sealed class LargeTests(SharedCluster shared)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly long SparseBytes = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 5L << 30 : 300L << 20;
    private readonly KeepFsProcess _cluster = shared.Process;

    [Fact]
    public async Task A_hundred_thousand_empty_files_in_one_directory_are_put_listed_and_got()
    {
        var folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync($"mkdir {folder}/many && cd {folder}/many && seq -f 'file %06.0f' 100000 | tr '\\n' '\\0' | xargs -0 touch")).Ok();
        var uuid = await _cluster.PutAsync(Path.Combine(folder, "many") + "/");

        var counts = await _cluster.ScriptAsync(
            $"""
            "$K" ls {uuid} | wc -l
            find $ID/{uuid} -type f -empty | wc -l
            "$K" get {uuid} {folder}/got && find {folder}/got -type f -empty | wc -l
            diff <(cd {folder}/many && ls -f | sort) <(ls -f $ID/{uuid} | sort)
            rm -rf {folder}
            """,
            Limit);

        Assert.Equal("100000\n100000\n100000", counts.Ok());
    }

    [Fact]
    public async Task A_large_sparse_file_put_by_the_command_is_the_same_through_the_mount()
    {
        var folder = _cluster.NewFolder();
        var (size, middle) = (SparseBytes, SparseBytes / 2 - 3);
        (await _cluster.ScriptAsync($"truncate -s {size} {folder}/sparse; printf middle | dd of={folder}/sparse bs=1 seek={middle} conv=notrunc status=none; printf end >> {folder}/sparse")).Ok();
        var uuid = await _cluster.PutAsync(Path.Combine(folder, "sparse"));

        var result = await _cluster.ScriptAsync(
            $"""
            stat -c %s $ID/{uuid}/sparse
            dd if=$ID/{uuid}/sparse bs=1 skip={middle} count=6 status=none; echo
            tail -c 3 $ID/{uuid}/sparse; echo
            cmp {folder}/sparse $ID/{uuid}/sparse
            "$K" get {uuid}/sparse - | cmp {folder}/sparse -
            rm -rf {folder}
            """,
            Limit);

        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{size + 3}\nmiddle\nend"), result.Ok());
    }

    [Fact]
    public async Task A_large_sparse_file_made_through_the_mount_is_the_same_by_get()
    {
        var folder = _cluster.NewFolder();
        var (size, middle) = (SparseBytes, SparseBytes / 2 - 3);
        var name = Path.GetFileName(folder);

        var result = await _cluster.ScriptAsync(
            $"""
            C="$HOME_DIR/{name}"; mkdir "$C"; F="$C/sparse"
            truncate -s {size} "$F"; printf middle | dd of="$F" bs=1 seek={middle} conv=notrunc status=none; printf end >> "$F"
            stat -c %s "$F"; sync "$F"
            truncate -s {size} {folder}/sparse; printf middle | dd of={folder}/sparse bs=1 seek={middle} conv=notrunc status=none; printf end >> {folder}/sparse
            U=$("$K" ls | awk '$2 == "{name}" {"{print $1}"}')
            "$K" get $U/sparse {folder}/got; stat -c %s {folder}/got; cmp {folder}/sparse {folder}/got
            cmp {folder}/sparse "$F"
            rm "$F"; rm -rf {folder}
            """,
            Limit);

        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{size + 3}\n{size + 3}"), result.Ok());
    }
}
