namespace KeepFs.Conformance.Tests;

/// <summary>Collections by WebDAV with the programs that people use: curl, cadaver and rclone.</summary>
[Collection(ClusterTests.Name)]
public sealed class WebDavTests(SharedCluster shared) : IAsyncLifetime
{
    private readonly KeepFsProcess _cluster = shared.Process;
    private string _folder = "";
    private string _uuid = "";

    /// <summary>Defines URL, CURL (an array) and the configuration files of cadaver and rclone in a home of their own.</summary>
    private string Prepare =>
        $"""
        for tool in curl cadaver rclone; do command -v $tool > /dev/null || {"{"} echo "The tests need the program $tool: apt-get install $tool" >&2; exit 1; {"}"}; done
        export HOME='{_folder}/home'; mkdir -p "$HOME"; cd '{_folder}'
        URL="$KEEPFS_WEBDAV_URL"by_id/{_uuid}/; CURL=(curl -sS --fail-with-body -u "anybody:$ARVADOS_API_TOKEN")
        printf 'machine 127.0.0.1\nlogin anybody\npassword %s\n' "$ARVADOS_API_TOKEN" > "$HOME/.netrc"; chmod 600 "$HOME/.netrc"
        export RCLONE_CONFIG_KEEP_TYPE=webdav RCLONE_CONFIG_KEEP_VENDOR=other RCLONE_CONFIG_KEEP_URL="$URL" RCLONE_CONFIG_KEEP_USER=anybody
        export RCLONE_CONFIG_KEEP_PASS="$(rclone obscure "$ARVADOS_API_TOKEN")" RCLONE_CONFIG=/dev/null
        """;

    public async Task InitializeAsync()
    {
        _folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync(
            $"""
            mkdir -p '{_folder}/tree/a dir/ü' && cd '{_folder}/tree'
            head -c 3000000 /dev/urandom > big; printf hello > 'with space'; printf 1 > 'a dir/ü/日本 😀 100%'; : > empty; mkdir hollow
            """)).Ok();
        _uuid = await _cluster.PutAsync(Path.Combine(_folder, "tree") + "/");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Curl_lists_reads_ranges_writes_and_deletes()
    {
        await RunAsync(
            """
            "${CURL[@]}" -X PROPFIND -H 'Depth: 1' "$URL" > list; grep -q 'with%20space' list; grep -q 'a%20dir/' list
            "${CURL[@]}" "${URL}big" | cmp tree/big -
            "${CURL[@]}" -r 1000000-1999999 "${URL}big" | cmp <(tail -c +1000001 tree/big | head -c 1000000) -
            test "$("${CURL[@]}" "${URL}a%20dir/%C3%BC/%E6%97%A5%E6%9C%AC%20%F0%9F%98%80%20100%25")" = 1
            "${CURL[@]}" -I "${URL}big" | tr -d '\r' | grep -qi '^content-length: 3000000$'
            "${CURL[@]}" -T tree/big "${URL}uploaded%20%C3%BC"; "${CURL[@]}" -X MKCOL "${URL}new%20dir"
            "${CURL[@]}" -X MOVE -H "Destination: ${URL}new%20dir/moved" "${URL}uploaded%20%C3%BC"
            "${CURL[@]}" -X COPY -H "Destination: ${URL}copied" "${URL}new%20dir/moved"
            "${CURL[@]}" -X DELETE "${URL}with%20space"; test "$(curl -s -o /dev/null -w '%{http_code}' -u any:$ARVADOS_API_TOKEN "${URL}with%20space")" = 404
            "$K" get UUID got; cmp tree/big 'got/new dir/moved'; cmp tree/big got/copied; test ! -e 'got/with space'; test ! -e 'got/uploaded ü'
            """);
    }

    [Fact]
    public async Task Cadaver_lists_downloads_uploads_and_deletes()
    {
        await RunAsync(
            """
            printf 'ls\nget big cad-big\nget "with space" cad-space\nput tree/big "up ü"\nmkcol made\nmove "up ü" made/moved\ndelete empty\nrmcol hollow\ncd "a dir"\nls\nquit\n' > commands
            cadaver "$URL" < commands > log 2>&1
            cat log >&2
            grep -q 'with space' log; grep -q 'ü' log; ! grep -qi 'failed' log
            cmp tree/big cad-big; cmp 'tree/with space' cad-space
            "$K" get UUID got; cmp tree/big got/made/moved; test ! -e got/empty; test ! -e got/hollow
            """);
    }

    [Fact]
    public async Task Rclone_lists_downloads_uploads_checks_and_deletes()
    {
        await RunAsync(
            """
            rclone lsf -R keep: | sort > list; (cd tree; find . -mindepth 1 -type d -printf '%P/\n' -o -printf '%P\n' | sort) | diff - list
            rclone copy --create-empty-src-dirs keep: down; diff -r tree down
            mkdir -p 'up/x y/ü' && printf 2 > 'up/x y/ü/日本 2' && head -c 5000000 /dev/urandom > up/large && : > up/nothing
            rclone copy up 'keep:in ü'; rclone check --download up 'keep:in ü'
            rclone moveto 'keep:in ü/large' 'keep:moved'; rclone deletefile 'keep:with space'; rclone purge 'keep:a dir'
            "$K" get UUID got; cmp up/large got/moved; cmp 'up/x y/ü/日本 2' 'got/in ü/x y/ü/日本 2'
            test -f 'got/in ü/nothing'; test ! -e 'got/with space'; test ! -e 'got/a dir'; test ! -e 'got/in ü/large'
            """);
    }

    [Fact]
    public async Task An_upload_is_seen_in_the_mount()
    {
        (await _cluster.ScriptAsync(
            $$"""
            {{Prepare}}
            cmp tree/big $ID/{{_uuid}}/big; test "$(cat "$ID/{{_uuid}}/with space")" = hello
            printf uploaded > new; "${CURL[@]}" -T new "${URL}new%20%C3%BC"; printf HELLO > changed; "${CURL[@]}" -T changed "${URL}with%20space"
            """)).Ok();

        await Eventually.TrueAsync(async () => (await _cluster.ScriptAsync($"cat \"$ID/{_uuid}/new ü\"")).Output == "uploaded", "the mount shows the new file");
        await Eventually.TrueAsync(async () => (await _cluster.ScriptAsync($"cat \"$ID/{_uuid}/with space\"")).Output == "HELLO", "the mount shows the changed file");
    }

    [Fact]
    public async Task An_upload_that_breaks_off_changes_nothing()
    {
        await RunAsync(
            """
            head -c 100000000 /dev/urandom > large
            timeout -s KILL 1 curl -sS --limit-rate 20M -u "any:$ARVADOS_API_TOKEN" -T large "${URL}big" || broke=$?; test ${broke:-0} = 137
            "${CURL[@]}" "${URL}big" | cmp tree/big -
            "$K" get UUID/big - | cmp tree/big -
            """);
    }

    private async Task RunAsync(string script) =>
        (await _cluster.ScriptAsync($"{Prepare}\n{script.Replace("UUID", _uuid, StringComparison.Ordinal)}")).Ok();
}
