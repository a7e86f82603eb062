using System.Text.Json.Nodes;

namespace KeepFs.Conformance.Tests.Mount;

/// <summary>What the mount shows in each mode, seen through the kernel, with a second user who shares (mount.md sections 1 to 5).</summary>
[Collection(ClusterTests.Name)]
public sealed class MountModeTests(SharedCluster shared) : IDisposable
{
    private readonly KeepFsProcess _cluster = shared.Process;
    private readonly Http _http = new(shared.Process);

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Each_mode_has_its_root()
    {
        var uuid = await NewCollectionAsync("mode " + Id());
        var hash = (string)(await _http.ApiOkAsync(HttpMethod.Get, $"arvados/v1/collections/{uuid}"))["portable_data_hash"]!;
        var project = (string)(await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/groups", new JsonObject { ["group_class"] = "project", ["name"] = "p " + Id() }))["uuid"]!;
        var inside = await NewCollectionAsync("inside", project);

        // arv-mount in the background of one shell after the other: one process each, so all modes in one script.
        (await _cluster.ScriptAsync(
            $$"""
            mkdir modes; m() { "$K" arv-mount modes "$@"; }
            m --exec sh -c 'test "$(echo modes/*)" = "modes/README modes/by_id modes/by_tag modes/home modes/shared"; ls modes/by_id/{{uuid}}; ls modes/by_id/{{project}}/inside'
            m --home --exec test -e 'modes/.arvados#project'
            m --project {{project}} --exec sh -c 'test "$(ls modes)" = inside'
            m --collection {{uuid}} --exec sh -c 'test -e "modes/.arvados#collection"; test "$(ls -A modes)" = file'
            m --collection {{hash}} --exec test -e modes/file
            m --by-id --exec sh -c 'ls modes/by_id/{{uuid}}/file; ls modes/{{hash}}/file; ls modes/{{inside}}; test "$(ls modes | wc -l)" = 4'
            m --by-pdh --exec sh -c 'ls modes/{{hash}}; ! test -e modes/{{uuid}}; test "$(ls modes | wc -l)" = 3'
            m --shared --exec ls modes; m --by-tag --exec ls modes; m --users --exec sh -c 'ls modes/*'
            m --mount-home h --mount-by-id 'i d' --mount-tmp t --mount-tmp u --exec sh -c 'test "$(ls modes)" = "$(printf "README\nh\ni d\nt\nu")"'
            ! m --project {{project[..^1]}}{{(project[^1] == 'x' ? 'y' : 'x')}} --exec true 2> err; grep 'There is no project' err
            """)).Ok();
    }

    [Fact]
    public async Task Temporary_collections_are_independent_and_their_record_has_the_manifest()
    {
        var result = await _cluster.ScriptAsync(
            """
            mkdir tmps; "$K" arv-mount tmps --mount-tmp a --mount-tmp b --mount-home home --exec sh -ec '
                printf foo > tmps/a/foo; mkdir tmps/b/dir; test "$(ls tmps/a tmps/b | tr "\n" " ")" = "tmps/a: foo  tmps/b: dir "
                ! mkdir tmps/home/x 2> err; grep "Read-only file system" err > /dev/null
                cat "tmps/a/.arvados#collection"'
            """);
        var record = JsonNode.Parse(result.Ok())!;
        Assert.Null(record["uuid"]);
        Assert.Matches(@"^\. acbd18db4cc2f85cedef654fccc4a4d8\+3(\+\S+)? 0:3:foo\n$", (string)record["manifest_text"]!);
    }

    [Fact]
    public async Task Special_files_errors_and_attributes_are_those_of_the_specification()
    {
        var name = "table " + Id();
        (await _cluster.ScriptAsync($"mkdir \"$HOME_DIR/{name}\" \"$HOME_DIR/{name}/dir\"; printf foo > \"$HOME_DIR/{name}/file\"")).Ok();
        var script =
            """
            import os, stat, sys, errno, json
            home, by_id, root = os.environ["HOME_DIR"], os.environ["ID"], os.environ["MNT"]
            c = os.path.join(home, sys.argv[1])
            def fails(number, call, *args):
                try:
                    call(*args)
                except OSError as e:
                    assert e.errno == number, (call.__name__, args, e)
                else:
                    raise AssertionError(("worked", call.__name__, args))
            record = json.load(open(c + "/.arvados#collection"))
            assert record["name"] == sys.argv[1] and "file" in record["manifest_text"] and "+A" in record["manifest_text"]
            assert list(record) == sorted(record)
            assert json.load(open(home + "/.arvados#project"))["kind"] == "arvados#user"
            s = os.stat(c + "/.arvados#collection")
            assert stat.S_IMODE(s.st_mode) == 0o444, oct(s.st_mode)
            assert sorted(os.listdir(c)) == ["dir", "file"] and "README" in os.listdir(root)
            fails(errno.EPERM, open, c + "/.arvados#collection", "w")
            fails(errno.EPERM, os.unlink, c + "/.arvados#collection")
            fails(errno.ENOENT, open, c + "/dir/.arvados#collection")
            pdh = os.path.join(by_id, record["portable_data_hash"])
            assert stat.S_IMODE(os.stat(pdh).st_mode) == 0o555 and stat.S_IMODE(os.stat(pdh + "/file").st_mode) == 0o555
            assert stat.S_IMODE(os.stat(c + "/file").st_mode) == 0o777 and os.stat(c + "/file").st_nlink == 1
            for directory in (root, by_id, pdh, root + "/by_tag", root + "/shared", root + "/users"):
                fails(errno.EPERM, os.mkdir, directory + "/new")
            fails(errno.EPERM, open, pdh + "/file", "r+")
            fails(errno.EPERM, os.unlink, pdh + "/file")
            fails(errno.EISDIR, open, c, "w")
            fails(errno.EOPNOTSUPP, open, home + "/new", "w")
            fails(errno.EOPNOTSUPP, os.mkfifo, c + "/fifo")
            fails(errno.EEXIST, os.mkdir, c)
            fails(errno.ENOTEMPTY, os.rmdir, c)
            fails(errno.ENOENT, os.rmdir, home + "/none")
            fails(errno.EPERM, os.rename, c, by_id + "/x")
            fails(errno.EPERM, os.rename, c + "/file", home + "/file")
            fails(errno.ENOENT, os.stat, by_id + "/nonsense")
            os.unlink(c + "/file"); os.rmdir(c + "/dir"); os.rmdir(c)
            fails(errno.ENOENT, os.stat, c)
            t = os.statvfs(root)
            assert t.f_blocks > t.f_bavail > 0
            """;
        var file = Path.Combine(_cluster.NewFolder(), "table.py");
        await File.WriteAllTextAsync(file, script);
        (await _cluster.ScriptAsync($"python3 {file} '{name}'")).Ok();
    }

    [Fact]
    public async Task Another_user_sees_what_is_shared_with_the_rights_that_were_given()
    {
        var (user, token) = await NewUserAsync();
        var project = (string)(await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/groups", new JsonObject { ["group_class"] = "project", ["name"] = "shared " + Id() }))["uuid"]!;
        await NewCollectionAsync("in project", project);
        var single = await NewCollectionAsync("single " + Id());
        var readable = await NewCollectionAsync("readable " + Id());
        await LinkAsync("permission", "can_read", user, project);
        await LinkAsync("permission", "can_write", user, single);
        await LinkAsync("permission", "can_read", user, readable);
        var tag = "tag " + Id();
        await LinkAsync("tag", tag, null, readable);
        await using var mount = await MountRun.StartAsync(_cluster, AsUser(token), "--refresh-time", "1");

        (await _cluster.ScriptAsync(
            $$"""
            cd '{{mount.Path}}'; me=$(ls users | head -n 1); test -d home; ls shared
            owner=$(ls shared | head -n 1); ls "shared/$owner"/* | grep 'in project'
            ! mkdir "shared/$owner/$(ls "shared/$owner" | head -n 1)/new" 2> "$W/err"; grep 'Operation not permitted' "$W/err"
            cat by_id/{{readable}}/file; ! touch by_id/{{readable}}/new 2> "$W/err"; grep 'Operation not permitted' "$W/err"
            echo mine > by_id/{{single}}/mine; sync by_id/{{single}}/mine; test "$(stat -c %A by_id/{{single}})" = drwxrwxrwx; test "$(stat -c %A by_id/{{readable}})" = dr-xr-xr-x
            test -e "by_id/{{user}}/.arvados#project"
            """)).Ok();
        Assert.Equal("mine", (await _cluster.KeepFsAsync("get", $"{single}/mine", "-")).Ok());
        (await _cluster.ScriptAsync($"ls \"$MNT/by_tag/{tag}/{readable}/file\"; test \"$(ls \"$MNT/by_tag/{tag}\")\" = {readable}; ! test -e \"$MNT/by_tag/none\"; ls \"$MNT/users\"")).Ok();
    }

    [Fact]
    public async Task Filters_hide_what_does_not_pass()
    {
        var (prefix, other) = ("pass" + Id(), "hide" + Id());
        var shown = await NewCollectionAsync(prefix);
        var hidden = await NewCollectionAsync(other);
        await File.WriteAllTextAsync(Path.Combine(_cluster.Work, prefix), $"""[["collections.name","like","{prefix}%"]]""");
        (await _cluster.ScriptAsync(
            $$"""
            "$K" mount filtered --read-only --filters '[["collections.name","like","{{prefix}}%"]]' --exec sh -ec \
                'ls filtered/home/{{prefix}}; ! test -e filtered/home/{{other}}; ls filtered/by_id/{{shown}}; ! test -e filtered/by_id/{{hidden}}; ! ls filtered/home | grep hide'
            "$K" mount filtered --filters {{prefix}} --exec ls filtered/home/{{prefix}}
            cat {{prefix}} | "$K" mount filtered --filters - --exec ls filtered/home/{{prefix}}
            ! "$K" mount filtered --filters '[["name","="]]' --exec true 2> err; grep 'three elements' err
            """)).Ok();
    }

    [Fact]
    public async Task Versions_can_be_entered_and_compared()
    {
        var name = "versions " + Id();
        var uuid = await NewCollectionAsync(name);
        await _http.ApiOkAsync(HttpMethod.Put, $"arvados/v1/collections/{uuid}", new JsonObject { ["preserve_version"] = true });
        (await _cluster.ScriptAsync(
            $"""
            cd "$HOME_DIR/{name}"; test "$(cat @versions/1/file)" = text; echo changed > file; echo more > more; sync file
            """)).Ok();
        await Eventually.TrueAsync(async () => (await _cluster.ScriptAsync($"ls \"$HOME_DIR/{name}/@versions\"")).Output == "1\n2\n", "the save made a version");

        (await _cluster.ScriptAsync(
            $$"""
            C="$HOME_DIR/{{name}}"; test "$(cat "$C/@versions/1/file")" = text; test "$(cat "$C/@versions/2/file")" = changed; test "$(cat "$C/@at/2199-01-01/file")" = changed
            ! test -e "$C/@at/2020-01-01"; ! test -e "$C/@versions/3"; test "$(ls -A "$C")" = "$(printf 'file\nmore')"; ! touch "$C/@versions/1/new"
            test "$("$K" diff {{uuid}}@1 {{uuid}} || echo $?)" = "$(printf 'M file\nA more\n1')"
            "$K" diff {{uuid}}@2 {{uuid}}; "$K" diff {{uuid}}@2199-01-01 "$C"; test "$("$K" diff {{uuid}} {{uuid}}@2 | wc -c)" = 0
            mkdir local; cp "$C/file" local/file; cp "$C/more" local/renamed; test "$("$K" diff {{uuid}} local || echo $?)" = "$(printf 'R more -> renamed\n1')"
            test "$("$K" diff --json {{uuid}} local || true)" = '{"change":"renamed","path":"renamed","from":"more","size_before":5,"size_after":5}'
            "$K" diff {{uuid}}/file local/file; set +e; "$K" diff {{uuid}}@9 local 2> err; test $? = 2; grep 'has no version 9' err; "$K" diff none local 2> /dev/null; test $? = 2
            """)).Ok();
    }

    [Fact]
    public async Task Extended_attributes_name_collection_and_blocks()
    {
        var name = "attributes " + Id();
        var uuid = await NewCollectionAsync(name);
        (await _cluster.ScriptAsync(
            $"""
            C="$HOME_DIR/{name}"; test "$(getfattr -n user.keepfs.uuid --only-values "$C")" = {uuid}
            test "$(getfattr -n user.keepfs.portable_data_hash --only-values "$C")" = "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]+"/.arvados#collection"))["portable_data_hash"])' "$C")"
            getfattr -d "$C" | grep user.keepfs.version; getfattr -n user.keepfs.locators --only-values "$C/file" | grep -E '^[0-9a-f]+\+[0-9]+ [0-9]+ 5$'
            """)).Ok();
    }

    private static string Id() => Guid.NewGuid().ToString("N")[..8];

    private Dictionary<string, string> AsUser(string token) => new(_cluster.Env) { ["ARVADOS_API_TOKEN"] = token, ["XDG_CACHE_HOME"] = _cluster.NewFolder() };

    private async Task<(string Uuid, string Token)> NewUserAsync()
    {
        var user = (string)(await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/users", new JsonObject { ["username"] = "u" + Id(), ["is_active"] = true }))["uuid"]!;
        var record = await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/api_client_authorizations", new JsonObject { ["owner_uuid"] = user });
        return (user, $"v2/{record["uuid"]}/{record["api_token"]}");
    }

    private async Task LinkAsync(string type, string name, string? tail, string head)
    {
        var link = new JsonObject { ["link_class"] = type, ["name"] = name, ["head_uuid"] = head };
        if (tail is not null)
        {
            link["tail_uuid"] = tail;
        }

        await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/links", link);
    }

    /// <summary>A collection with <c>file</c>, which holds "text" and a newline.</summary>
    private async Task<string> NewCollectionAsync(string name, string? owner = null)
    {
        var file = Path.Combine(_cluster.NewFolder(), "file");
        await File.WriteAllTextAsync(file, "text\n");
        var uuid = await _cluster.PutAsync(file);
        var change = new JsonObject { ["name"] = name };
        if (owner is not null)
        {
            change["owner_uuid"] = owner;
        }

        await _http.ApiOkAsync(HttpMethod.Put, $"arvados/v1/collections/{uuid}", change);
        return uuid;
    }
}
