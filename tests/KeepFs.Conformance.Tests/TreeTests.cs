namespace KeepFs.Conformance.Tests;

/// <summary>A tree with everything that names and files can be, put once and read back in all ways.</summary>
[Collection(ClusterTests.Name)]
public sealed class TreeTests(SharedCluster shared) : IAsyncLifetime
{
    /// <summary>What a collection can hold.</summary>
    private const string MakeTree =
        """
        mkdir "$T" && cd "$T"
        printf hello > 'with space'; printf q > "quote'and\"double"; printf n > $'new\nline'; printf b > 'back\slash'; printf t > $'tab\there'
        printf e > 'Grüße 😀 日本語'; printf c > $'combining e\u0301'; printf s > ' leading and trailing '; printf d > '-dash'; printf h > '.hidden'
        printf p > '100% #1?&;:*|<>[]{}^~`$=+,@!'; printf o > '\040'; printf z > '%2F%00'
        printf long > "$(printf 'x%.0s' $(seq 255))"; printf long > "$(printf '\360\237\230\200%.0s' $(seq 63))abc"
        : > empty; mkdir emptydir; mkdir -p 'a dir/ü/nested empty'; printf 1 > 'a dir/ü/one'
        head -c 3000000 /dev/urandom > random; head -c 70000000 /dev/urandom > 'more than a block'; cp random 'same content'
        p=deep; for i in $(seq 199); do p=$p/d; done; mkdir -p $p; printf deep > $p/file
        """;

    /// <summary>What it cannot hold: skipped aloud.</summary>
    private const string AddUnstorable = """cd "$T"; ln -s empty link; ln -s nowhere dangling; mkfifo pipe; printf x > $'not\xffutf8'""";

    private readonly KeepFsProcess _cluster = shared.Process;
    private string _folder = "";
    private string _uuid = "";
    private ShellResult _put = null!;

    private string Expected => Path.Combine(_folder, "expected");

    public async Task InitializeAsync()
    {
        _folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync(
            $"""
            T={_folder}/expected; {MakeTree}
            cp -a "$T" {_folder}/source; T={_folder}/source; {AddUnstorable}
            """)).Ok();
        _put = await _cluster.KeepFsAsync("put", Path.Combine(_folder, "source") + "/", "--name", Path.GetFileName(_folder));
        _put.Ok();
        _uuid = Assert.Single(_put.Lines);
    }

    public async Task DisposeAsync() => await Shell.RunAsync("rm", ["-rf", _folder]);

    [Fact]
    public async Task A_tree_that_was_put_is_the_same_by_get_mount_and_webdav()
    {
        foreach (var way in (string[])[Path.Combine(_cluster.MountPoint, "by_id", _uuid), Path.Combine(_cluster.Home, Path.GetFileName(_folder)), await GetAsync()])
        {
            (await _cluster.ScriptAsync(
                $"""
                diff -r --no-dereference '{Expected}' '{way}'
                (cd '{Expected}'; find . -mindepth 1 -printf '%y %p\0' | sort -z) > {_folder}/wanted
                (cd '{way}'; find . -mindepth 1 -printf '%y %p\0' | sort -z) > {_folder}/found
                cmp {_folder}/wanted {_folder}/found
                """)).Ok();
        }

        await CompareWebDavAsync();
    }

    [Fact]
    public void What_a_collection_cannot_hold_is_named_with_its_reason()
    {
        Assert.Contains("/link: it is a symbolic link", _put.Errors, StringComparison.Ordinal);
        Assert.Contains("/dangling: it is a symbolic link", _put.Errors, StringComparison.Ordinal);
        Assert.Contains("/pipe: it is not a regular file", _put.Errors, StringComparison.Ordinal);
        Assert.Contains("utf8: its name is not valid UTF-8", _put.Errors, StringComparison.Ordinal);
        Assert.Equal(4, _put.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Ls_lists_every_file_and_the_home_lists_the_collection()
    {
        var listed = (await _cluster.KeepFsAsync("ls", _uuid)).Ok();
        var wanted = Directory.EnumerateFiles(Expected, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, MaxRecursionDepth = 300 })
            .Select(file => "./" + Path.GetRelativePath(Expected, file));

        Assert.Equal(string.Join('\n', wanted.Order(StringComparer.Ordinal)).Split('\n').Order(StringComparer.Ordinal), listed.Split('\n').Order(StringComparer.Ordinal));
        Assert.Contains($"{_uuid}  {Path.GetFileName(_folder)}", (await _cluster.KeepFsAsync("ls")).Lines);
        Assert.Contains("      2930 ./random", (await _cluster.KeepFsAsync("ls", "-s", _uuid)).Lines);
        Assert.Equal("./one", (await _cluster.KeepFsAsync("ls", _uuid + "/a dir/ü")).Ok());
    }

    [Fact]
    public async Task Get_of_one_file_goes_to_standard_output_and_does_not_overwrite()
    {
        Assert.Equal("deep", (await _cluster.KeepFsAsync("get", $"{_uuid}/deep{string.Concat(Enumerable.Repeat("/d", 199))}/file", "-")).Ok());
        var target = Path.Combine(_folder, "precious");
        await File.WriteAllTextAsync(target, "mine");

        Assert.Contains("exists already", (await _cluster.KeepFsAsync("get", _uuid + "/random", target)).Failed(), StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(target));
        (await _cluster.KeepFsAsync("get", "-f", _uuid + "/random", target)).Ok();
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(Expected, "random")), await File.ReadAllBytesAsync(target));
    }

    [Fact]
    public async Task Many_puts_and_gets_at_once_do_not_mix()
    {
        (await _cluster.ScriptAsync(
            $"""
            cd {_folder}; for i in $(seq 6); do mkdir many$i; head -c 3000000 /dev/urandom > many$i/own; cp expected/random many$i/same; done
            pids=; for i in $(seq 6); do ("$K" put many$i/ > uuid$i && "$K" get "$(cat uuid$i)" got$i && diff -r many$i got$i) & pids="$pids $!"; done
            for pid in $pids; do wait $pid; done
            """)).Ok();
    }

    private async Task<string> GetAsync()
    {
        var got = Path.Combine(_folder, "got");
        (await _cluster.KeepFsAsync("get", _uuid, got)).Ok();
        return got;
    }

    private async Task CompareWebDavAsync()
    {
        using var http = new Http(_cluster);
        var root = $"by_id/{_uuid}";
        var names = await http.WebDavListAsync(root);
        var wanted = new DirectoryInfo(Expected).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, MaxRecursionDepth = 300 })
            .Select(info => Path.GetRelativePath(Expected, info.FullName) + (info is DirectoryInfo ? "/" : ""));

        Assert.Equal(wanted.Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
        foreach (var file in names.Where(name => !name.EndsWith('/')))
        {
            var (local, remote) = (await File.ReadAllBytesAsync(Path.Combine(Expected, file)), await http.WebDavGetAsync($"{root}/{file}"));
            Assert.True(local.AsSpan().SequenceEqual(remote), file);
        }
    }
}
