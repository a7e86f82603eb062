namespace KeepFs.Conformance.Tests;

/// <summary>Folders that are published without copying them: by the command, the mount and WebDAV.</summary>
[Collection(ClusterTests.Name)]
public sealed class GatewayTests(SharedCluster shared) : IAsyncLifetime
{
    private readonly KeepFsProcess _cluster = shared.Process;
    private string _folder = "";

    public async Task InitializeAsync()
    {
        _folder = _cluster.NewFolder();
        (await RunAsync(
            """
            mkdir -p 'src/a dir/ü' src/hollow && cd src
            head -c 68157440 /dev/urandom > large; printf 'hello gateway' > greeting; cp greeting again; : > empty
            printf 1 > 'a dir/ü/日本 😀 100%'; printf 2 > $'a dir/line\nbreak'; printf 3 > 'back\slash'; printf 4 > 'colon: name'; printf 5 > 'with  spaces '
            ln -s greeting link; mkfifo pipe
            """)).Ok();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Published_folder_is_read_by_every_client_and_copied_by_none()
    {
        var stored = await _cluster.ScriptAsync($"du -sk --apparent-size {_cluster.Volumes[0]} {_cluster.Volumes[1]} | cut -f 1");
        var uuid = await PublishAsync("--name", "a published folder");
        (await RunAsync(
            $$"""
            "$K" get {{uuid}} got; diff -r --no-dereference -x link -x pipe src got; test ! -e got/link
            test -d got/hollow
            diff -r -x link -x pipe src "$ID/{{uuid}}"
            test "$(curl -sS --fail -u "any:$ARVADOS_API_TOKEN" "${KEEPFS_WEBDAV_URL}by_id/{{uuid}}/greeting")" = 'hello gateway'
            curl -sS --fail -u "any:$ARVADOS_API_TOKEN" -r 67108000-67109999 "${KEEPFS_WEBDAV_URL}by_id/{{uuid}}/large" | cmp <(tail -c +67108001 src/large | head -c 2000) -
            test -f "$HOME_DIR/a published folder/greeting"
            """)).Ok();
        Assert.Equal(stored.Output, (await _cluster.ScriptAsync($"du -sk --apparent-size {_cluster.Volumes[0]} {_cluster.Volumes[1]} | cut -f 1")).Output);
    }

    [Fact]
    public async Task Changed_file_is_an_error_and_never_wrong_bytes_until_it_is_published_again()
    {
        (await RunAsync("rm src/again; printf 'only here %s' $RANDOM$RANDOM > src/lost; printf 'will stay' > src/kept")).Ok();
        var uuid = await PublishAsync();
        (await RunAsync(
            $$"""
            old=$(cat src/lost); tr a-z A-Z < src/lost > x; cat x > src/lost
            if "$K" get {{uuid}}/lost - > out 2> err; then test "$(cat out)" = "$old"; echo 'read what is not there' >&2; exit 1; fi
            test ! -s out; grep -q 'is on none of the keepstores' err
            ! cat "$ID/{{uuid}}/lost"
            test "$("$K" get {{uuid}}/kept -)" = 'will stay'
            """)).Ok();

        Assert.Equal(uuid, await PublishAsync());
        (await RunAsync($"\"$K\" get {uuid}/lost - | cmp src/lost -")).Ok();
    }

    [Fact]
    public async Task Second_copy_serves_when_the_first_is_gone()
    {
        (await RunAsync("printf 'twin %s' $RANDOM$RANDOM > src/one; cp src/one src/two")).Ok();
        var uuid = await PublishAsync();

        (await RunAsync($"mv src/one kept; \"$K\" get {uuid}/one - | cmp kept -; \"$K\" get {uuid}/two - | cmp kept -")).Ok();
    }

    [Fact]
    public async Task Killed_index_goes_on_where_it_was_and_what_it_had_stays()
    {
        (await RunAsync(
            """
            mkdir many; for i in $(seq 3000); do echo "file $i $RANDOM" > many/$i; done
            "$K" gateway index many --mappings map --jobs 1 -q > /dev/null & index=$!
            until test "$(find map/objects -type f 2> /dev/null | wc -l)" -gt 50; do kill -0 $index; done
            kill -9 $index; wait $index || true
            had=$(find map/objects -type f ! -name 'tmp*' | wc -l); test $had -lt 3000
            sleep 2.1
            "$K" gateway index many --mappings map > out; cat out >&2
            read=$(sed -n 's/.*objects: \([0-9,]*\) read.*/\1/p' out | tr -d ,)
            test $read -le $((3000 - had)) || test $had -lt 60
            test "$(find map/objects -type f ! -name 'tmp*' | wc -l)" = 3000
            for i in 1 17 3000; do hash=$(md5sum < many/$i | cut -c 1-32); grep -q ":$i\$" map/${hash:0:3}/$hash; done
            rm many/17; "$K" gateway index many --mappings map | grep -q '2,999 known, 1 removed'
            rm -r many/*; ! "$K" gateway index many --mappings map 2> err; grep -q 'nothing was removed' err
            "$K" gateway index many --mappings map --remove-all | grep -q '2,999 removed'
            """)).Ok();
    }

    [Fact]
    public async Task Publishing_what_cannot_be_is_told()
    {
        Assert.Contains("No such file", (await _cluster.KeepFsAsync("gateway", "publish", _folder + "/nowhere", "--data", _cluster.Data)).Failed(), StringComparison.Ordinal);
        Assert.Contains("is not a directory", (await _cluster.KeepFsAsync("gateway", "publish", _folder + "/src/greeting", "--data", _cluster.Data)).Failed(), StringComparison.Ordinal);
        Assert.Contains("start `keepfs up` first", (await _cluster.KeepFsAsync("gateway", "publish", _folder + "/src", "--data", _folder)).Failed(), StringComparison.Ordinal);
    }

    private Task<ShellResult> RunAsync(string script) => _cluster.ScriptAsync($"cd '{_folder}'\n{script}");

    private async Task<string> PublishAsync(params string[] arguments)
    {
        var result = await _cluster.KeepFsAsync(["gateway", "publish", _folder + "/src", "--data", _cluster.Data, "-q", .. arguments]);
        result.Ok();
        return Assert.Single(result.Lines);
    }
}
