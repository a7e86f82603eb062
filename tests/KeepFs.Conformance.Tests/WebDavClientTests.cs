using System.Globalization;
using System.Text.RegularExpressions;

namespace KeepFs.Conformance.Tests;

/// <summary>WebDAV as a whole against the real <c>keepfs up</c>: litmus, davfs2 used like a folder, rclone's sync, and listings of 100,000 members.</summary>
[Collection(ClusterTests.Name)]
public sealed partial class WebDavClientTests(SharedCluster shared)
{
    /// <summary>KEEPFS_TEST_FULL=1 writes 2 GiB through davfs2 and 4.5 GiB through curl.</summary>
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1";

    private readonly KeepFsProcess _cluster = shared.Process;

    [Fact]
    public async Task Litmus_passes_every_test_of_every_suite_without_a_warning()
    {
        var output = (await RunAsync(
            """
            cd "$FOLDER"
            curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -X MKCOL "${KEEPFS_WEBDAV_URL}home/litmus%20COLLECTION"
            litmus -k "${KEEPFS_WEBDAV_URL}home/litmus%20COLLECTION/" user "$ARVADOS_API_TOKEN" 2>&1
            """)).Output;
        var summaries = Summary().Matches(output);
        Assert.True(summaries.Select(match => match.Groups[1].Value).SequenceEqual(["basic", "copymove", "props", "locks", "http"]), output);
        Assert.All(summaries, match => Assert.True(match.Groups[2].Value == match.Groups[3].Value && match.Groups[4].Value == "100.0", output));
        Assert.DoesNotContain("WARNING", output, StringComparison.Ordinal);
        Assert.DoesNotContain("SKIPPED", output, StringComparison.Ordinal);
    }

    /// <summary>
    /// The kernel asks for as much of a directory as the program's buffer holds (32 KiB for ls), and davfs2 answers EINVAL when that is more than its own buffer of 16
    /// KiB: buf_size must be larger.
    /// </summary>
    [Fact]
    public async Task Davfs2_folder_works_like_any_other()
    {
        await RunAsync(
            $$"""
            cd "$FOLDER"; mkdir davfs plain; URL="${KEEPFS_WEBDAV_URL}home/davfs-COLLECTION/"
            curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -X MKCOL "$URL"
            root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
            printf 'buf_size 1024\nuse_locks 1\ndelay_upload 0\n' > davfs.conf
            printf 'any\n%s\n' "$ARVADOS_API_TOKEN" | root mount.davfs -o "conf=$PWD/davfs.conf,uid=$(id -u),gid=$(id -g)" "$URL" davfs > mount.log 2>&1 || { cat mount.log >&2; exit 1; }
            trap 'root umount "$FOLDER/davfs"' EXIT
            work() {
                mkdir -p 'a dir/ü' hollow; printf 'hello\n' > 'a dir/ü/日本 😀 100%'; head -c 3000000 "$FOLDER/random" > big; : > empty
                cp big 'a dir/copy of big'; cp -r 'a dir' 'second dir'; mv 'second dir/ü' third; mv big 'renamed & moved'; mv empty hollow/
                printf 'more\n' >> 'a dir/ü/日本 😀 100%'; sed -i s/hello/HELLO/ 'a dir/ü/日本 😀 100%'; rm 'second dir/copy of big'; rmdir 'second dir'
                head -c 1000 "$FOLDER/random" | dd of='renamed & moved' bs=1 seek=500 conv=notrunc status=none; rm -r hollow; mkdir hollow
            }
            head -c 3000000 /dev/urandom > random
            (cd plain; work); (cd davfs; work)
            ls -lR davfs > listing; grep -q 'renamed & moved' listing
            diff -r -x lost+found plain davfs
            trap - EXIT; root umount davfs
            printf 'any\n%s\n' "$ARVADOS_API_TOKEN" | root mount.davfs -o "conf=$PWD/davfs.conf,uid=$(id -u),gid=$(id -g)" "$URL" davfs > mount.log 2>&1
            trap 'root umount "$FOLDER/davfs"' EXIT
            diff -r -x lost+found plain davfs
            {{(IsFull ? "head -c 2147483648 /dev/urandom > davfs/huge; md5sum < davfs/huge > sum; trap - EXIT; root umount davfs; curl -sS -u any:$ARVADOS_API_TOKEN \"${URL}huge\" | md5sum | diff - sum" : "")}}
            """,
            TimeSpan.FromMinutes(IsFull ? 15 : 3));
    }

    [Fact]
    public async Task Rclone_sync_makes_both_sides_equal_and_check_agrees()
    {
        await RunAsync(
            """
            cd "$FOLDER"; mkdir -p 'src/x & y/ü' src/gone; curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -X MKCOL "${KEEPFS_WEBDAV_URL}home/rclone%20COLLECTION"
            export RCLONE_CONFIG=/dev/null RCLONE_CONFIG_K_TYPE=webdav RCLONE_CONFIG_K_VENDOR=other RCLONE_CONFIG_K_URL="${KEEPFS_WEBDAV_URL}home/rclone%20COLLECTION/"
            export RCLONE_CONFIG_K_BEARER_TOKEN="$ARVADOS_API_TOKEN"
            for i in $(seq 60); do printf "$i" > "src/x & y/ü/file $i"; done; head -c 10000000 /dev/urandom > src/large; printf 1 > src/gone/f
            rclone sync --retries 1 src K:; rclone check --retries 1 --download src K:
            rm -r src/gone; printf changed > 'src/x & y/ü/file 7'; mv src/large src/moved
            rclone sync --retries 1 --checksum --size-only src K:; printf longer-now > 'src/x & y/ü/file 7'
            rclone sync --retries 1 src K:; rclone check --retries 1 --download src K:
            rclone cat 'K:x & y/ü/file 7' | grep -q longer-now; test "$(rclone lsf -R --files-only K: | wc -l)" = 61
            """);
    }

    [Fact]
    public async Task Listing_of_100000_members_takes_bounded_memory()
    {
        // One empty block serves all: the catalogue holds the names.
        var result = await RunAsync(
            """
            cd "$FOLDER"
            python3 - > body <<'EOF'
            import json
            print(json.dumps({"collection": {"name": "many COLLECTION", "manifest_text": ". d41d8cd98f00b204e9800998ecf8427e+0 " + " ".join("0:0:file%06d.txt" % i for i in range(100000)) + "\n"}}))
            EOF
            curl -sSk --fail-with-body -H "Authorization: Bearer $ARVADOS_API_TOKEN" -H 'Content-Type: application/json' -d @body "https://$ARVADOS_API_HOST/arvados/v1/collections?select=\[\"uuid\"\]" > made
            URL="${KEEPFS_WEBDAV_URL}by_id/$(grep -o '[a-z0-9]*-4zz18-[a-z0-9]*' made)/"
            ask() { curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -X PROPFIND -H "Depth: $1" "$URL${2:-}"; }
            ask 0 > /dev/null; ask 0 file050000.txt | grep -c '<D:response>'
            awk '/^VmRSS/ { print $2 }' "/proc/$PID/status"
            for i in 1 2 3; do ask 1 '' | grep -o '<D:response>' | wc -l; done
            awk '/^VmRSS/ { print $2 }' "/proc/$PID/status"
            curl -sS -o /dev/null -w '%{http_code}\n' -u "any:$ARVADOS_API_TOKEN" -X PROPFIND -H 'Depth: infinity' "$URL"
            """);
        var numbers = result.Lines.Select(line => long.Parse(line.Trim(), CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal((1, 100_001, 100_001, 100_001, 403), (numbers[0], numbers[2], numbers[3], numbers[4], numbers[6]));
        Assert.InRange(numbers[5] - numbers[1], long.MinValue, 100 << 10);
    }

    [Fact]
    public async Task File_larger_than_four_gib_goes_in_and_out()
    {
        var size = IsFull ? 4_800_000_000 : 300_000_000;
        await RunAsync(
            $"""
            cd "$FOLDER"; curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -X MKCOL "${"{"}KEEPFS_WEBDAV_URL{"}"}home/huge%20COLLECTION"
            URL="${"{"}KEEPFS_WEBDAV_URL{"}"}home/huge%20COLLECTION/huge"; truncate -s {size} huge; printf end | dd of=huge bs=1 seek={size - 3} conv=notrunc status=none
            curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -H 'Transfer-Encoding: chunked' -T huge "$URL"
            curl -sS -u "any:$ARVADOS_API_TOKEN" -X PROPFIND -H 'Depth: 0' "$URL" | grep -q '<D:getcontentlength>{size}</D:getcontentlength>'
            test "$(curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -r {size - 3}- "$URL")" = end
            curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" "$URL" | cmp huge -
            curl -sS --fail-with-body -u "any:$ARVADOS_API_TOKEN" -X DELETE "${"{"}KEEPFS_WEBDAV_URL{"}"}home/huge%20COLLECTION"
            """,
            TimeSpan.FromMinutes(IsFull ? 15 : 3));
    }

    [GeneratedRegex(@"<- summary for `(\w+)': of (\d+) tests run: (\d+) passed, 0 failed\. ([\d.]+)%")]
    private static partial Regex Summary();

    /// <summary>In a folder of its own; COLLECTION becomes a name that no other test has.</summary>
    private async Task<ShellResult> RunAsync(string script, TimeSpan? limit = null)
    {
        var folder = _cluster.NewFolder();
        var result = await _cluster.ScriptAsync(
            $"""
            for tool in curl litmus rclone mount.davfs python3; do command -v $tool > /dev/null || {"{"} echo "The tests need the program $tool, see check.sh" >&2; exit 1; {"}"}; done
            export FOLDER='{folder}' HOME='{folder}'; PID={_cluster.Process.Id}
            {script.Replace("COLLECTION", Path.GetFileName(folder), StringComparison.Ordinal)}
            """,
            limit);
        result.Ok();
        return result;
    }
}
