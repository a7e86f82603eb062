using System.Net;

namespace KeepFs.Conformance.Tests;

/// <summary>One of two keepstores cannot be used: its disk went away, or the service does not answer.</summary>
[Collection(ClusterTests.Name)]
public sealed class LostKeepstoreTests : IAsyncLifetime
{
    private KeepFsProcess _cluster = null!;
    private string _uuid = "";

    public async Task InitializeAsync()
    {
        _cluster = await KeepFsProcess.StartAsync();
        (await _cluster.ScriptAsync("mkdir tree && cd tree && head -c 70000000 /dev/urandom > big && for i in $(seq 20); do echo $i > small$i; done")).Ok();
        _uuid = await _cluster.PutAsync(Path.Combine(_cluster.Work, "tree") + "/");
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Without_one_disk_everything_is_read_by_all_ways(int lost)
    {
        Directory.Move(_cluster.Volumes[lost], _cluster.Volumes[lost] + ".away");

        (await _cluster.ScriptAsync($"\"$K\" get {_uuid} got; diff -r tree got; diff -r tree $ID/{_uuid}")).Ok();
        using var http = new Http(_cluster);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(_cluster.Work, "tree", "big")), await http.WebDavGetAsync($"by_id/{_uuid}/big"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Without_one_keepstore_answering_get_reads_everything(int lost)
    {
        (await _cluster.ScriptAsync($"{OneClosedPort(lost)}; \"$K\" get {_uuid} got; diff -r tree got")).Ok();
    }

    [Fact]
    public async Task Without_one_keepstore_answering_put_says_how_many_copies_it_wanted_and_wrote()
    {
        var put = await _cluster.ScriptAsync($"{OneClosedPort(1)}; echo unique $RANDOM$RANDOM > file; \"$K\" put file");

        Assert.Matches("wanted 2 copies.* but only 1 could be written", put.Failed());
        Assert.Equal(1, put.ExitCode);
        Assert.Empty(put.Output);
        Assert.Single((await _cluster.KeepFsAsync("ls")).Lines);
    }

    [Fact]
    public async Task Without_one_disk_put_says_how_many_copies_it_wanted_and_wrote()
    {
        Directory.Move(_cluster.Volumes[1], _cluster.Volumes[1] + ".away");
        var put = await _cluster.ScriptAsync("echo unique $RANDOM$RANDOM > file; \"$K\" put file");

        Assert.Matches("wanted 2 copies.* but only 1 could be written", put.Failed());
        Assert.Empty(put.Output);
        Assert.Single((await _cluster.KeepFsAsync("ls")).Lines);
    }

    [Fact]
    public async Task Without_one_disk_fsync_in_the_mount_fails_and_nothing_is_lost_when_the_disk_is_back()
    {
        (await _cluster.ScriptAsync("mkdir \"$HOME_DIR/work\"; echo first > \"$HOME_DIR/work/a\"; sync \"$HOME_DIR/work/a\"")).Ok();
        Directory.Move(_cluster.Volumes[1], _cluster.Volumes[1] + ".away");
        var sync = await _cluster.ScriptAsync("head -c 100000 /dev/urandom > late; cat late > \"$HOME_DIR/work/late\"; sync \"$HOME_DIR/work/late\"");

        Assert.Contains("Input/output error", sync.Failed(), StringComparison.Ordinal);
        await _cluster.SaysAsync("wanted 2 copies.* but only 1 could be written");

        Directory.Move(_cluster.Volumes[1] + ".away", _cluster.Volumes[1]);
        (await _cluster.ScriptAsync("sync \"$HOME_DIR/work/late\"; cmp late \"$HOME_DIR/work/late\"; test \"$(cat \"$HOME_DIR/work/a\")\" = first")).Ok();
        await _cluster.KillAsync();
        await _cluster.StartAgainAsync();
        (await _cluster.ScriptAsync("cmp late \"$HOME_DIR/work/late\"")).Ok();
    }

    [Fact]
    public async Task Without_one_disk_an_upload_by_webdav_is_refused()
    {
        Directory.Move(_cluster.Volumes[1], _cluster.Volumes[1] + ".away");
        using var http = new Http(_cluster);
        using var response = await http.WebDavAsync("PUT", $"by_id/{_uuid}/new", _cluster.Token, Guid.NewGuid().ToByteArray());

        Assert.True((int)response.StatusCode >= 500, $"{response.StatusCode}");
        using var read = await http.WebDavAsync("GET", $"by_id/{_uuid}/new", _cluster.Token);
        Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
    }

    /// <summary>Clients are told two keepstores, of which one is a port that nobody listens on.</summary>
    private string OneClosedPort(int lost)
    {
        string[] urls = [$"http://127.0.0.1:{_cluster.KeepstorePort(0)}/", $"http://127.0.0.1:{_cluster.KeepstorePort(1)}/"];
        urls[lost] = "http://127.0.0.1:9/";
        return $"export ARVADOS_KEEP_SERVICES='{urls[0]} {urls[1]}'";
    }
}
