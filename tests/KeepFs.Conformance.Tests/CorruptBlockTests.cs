using System.Net;
using System.Security.Cryptography;

namespace KeepFs.Conformance.Tests;

/// <summary>Wrong bytes on disk never reach anybody. Every test uses blocks that no process has read before, since caches hold verified ones.</summary>
[Collection(ClusterTests.Name)]
public sealed class CorruptBlockTests(SharedCluster shared)
{
    private const int BlockBytes = 64 << 20;
    private readonly KeepFsProcess _cluster = shared.Process;
    private readonly string _folder = shared.Process.NewFolder();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task One_corrupt_copy_is_passed_over_by_get_and_mount(int corrupt)
    {
        var (data, uuid) = await PutCorruptAsync(100_000, corrupt);
        Assert.Equal(data, await GetAsync(uuid));

        (data, uuid) = await PutCorruptAsync(200_000, corrupt);
        Assert.Equal(data, await File.ReadAllBytesAsync($"{_cluster.MountPoint}/by_id/{uuid}/file"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task One_corrupt_copy_is_passed_over_by_webdav(int corrupt)
    {
        var (data, uuid) = await PutCorruptAsync(300_000, corrupt);
        using var http = new Http(_cluster);
        Assert.Equal(data, await http.WebDavGetAsync($"by_id/{uuid}/file"));
    }

    [Fact]
    public async Task All_copies_corrupt_get_fails_and_leaves_no_file()
    {
        var (_, uuid) = await PutCorruptAsync(100_000, 0, 1);
        var target = Path.Combine(_folder, "got");

        Assert.NotEmpty((await _cluster.KeepFsAsync("get", uuid, target)).Failed());
        Assert.Empty(Directory.Exists(target) ? Directory.GetFileSystemEntries(target) : []);
        var piped = await _cluster.KeepFsAsync("get", uuid + "/file", "-");
        piped.Failed();
        Assert.Empty(piped.Output);
    }

    [Fact]
    public async Task All_copies_corrupt_reading_in_the_mount_is_an_input_output_error()
    {
        var (_, uuid) = await PutCorruptAsync(100_000, 0, 1);
        var read = await _cluster.ScriptAsync($"cat $ID/{uuid}/file");

        Assert.Contains("Input/output error", read.Failed(), StringComparison.Ordinal);
        Assert.Empty(read.Output);
    }

    [Fact]
    public async Task All_copies_corrupt_webdav_answers_bad_gateway()
    {
        var (_, uuid) = await PutCorruptAsync(100_000, 0, 1);
        using var http = new Http(_cluster);
        using var response = await http.WebDavAsync("GET", $"by_id/{uuid}/file", _cluster.Token);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    [Fact]
    public async Task A_later_block_corrupt_the_mount_gives_the_first_and_then_an_error()
    {
        var (data, uuid) = await PutSecondBlockCorruptAsync();
        var read = await _cluster.ScriptAsync($"head -c {BlockBytes} $ID/{uuid}/file | cmp - {_folder}/file -n {BlockBytes}; tail -c 1000 $ID/{uuid}/file");

        Assert.Contains("Input/output error", read.Failed(), StringComparison.Ordinal);
        Assert.Empty(read.Output);
        Assert.Equal(BlockBytes + 1_000_000, data.Length);
    }

    [Fact]
    public async Task A_later_block_corrupt_webdav_cuts_the_connection()
    {
        var (data, uuid) = await PutSecondBlockCorruptAsync();
        var curl = await _cluster.ScriptAsync($"curl -sS -u any:$ARVADOS_API_TOKEN -o {_folder}/part \"$KEEPFS_WEBDAV_URL\"by_id/{uuid}/file");

        curl.Failed();
        var part = await File.ReadAllBytesAsync(Path.Combine(_folder, "part"));
        Assert.True(part.Length <= BlockBytes, $"{part.Length} bytes came");
        Assert.True(part.AsSpan().SequenceEqual(data.AsSpan(0, part.Length)));
    }

    [Fact]
    public async Task Putting_a_corrupt_block_again_repairs_it()
    {
        var (data, uuid) = await PutCorruptAsync(100_000, 0, 1);
        await _cluster.PutAsync(Path.Combine(_folder, "file"));

        Assert.Equal(data, await GetAsync(uuid));
        Assert.All(_cluster.Volumes, volume => Assert.Equal(data, File.ReadAllBytes(Blocks.PathOf(volume, Blocks.Hash(data)))));
    }

    private async Task<byte[]> GetAsync(string uuid)
    {
        var target = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
        (await _cluster.KeepFsAsync("get", uuid + "/file", target)).Ok();
        return await File.ReadAllBytesAsync(target);
    }

    private async Task<(byte[] Data, string Uuid)> PutCorruptAsync(int bytes, params int[] volumes)
    {
        var data = RandomNumberGenerator.GetBytes(bytes);
        return (data, await PutAsync(data, data, volumes));
    }

    private async Task<(byte[] Data, string Uuid)> PutSecondBlockCorruptAsync()
    {
        var data = RandomNumberGenerator.GetBytes(BlockBytes + 1_000_000);
        return (data, await PutAsync(data, data.AsMemory(BlockBytes), [0, 1]));
    }

    private async Task<string> PutAsync(byte[] data, ReadOnlyMemory<byte> block, int[] volumes)
    {
        var path = Path.Combine(_folder, "file");
        await File.WriteAllBytesAsync(path, data);
        var uuid = await _cluster.PutAsync(path);
        foreach (var volume in volumes)
        {
            Blocks.Corrupt(_cluster.Volumes[volume], Blocks.Hash(block.Span));
        }

        return uuid;
    }
}
