namespace KeepFs.Conformance.Tests;

/// <summary>Collections by S3 with the programs that people use: awscli, s3cmd, rclone, s3fs and curl.</summary>
[Collection(ClusterTests.Name)]
public sealed class S3Tests(SharedCluster shared) : IAsyncLifetime
{
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1";
    private readonly KeepFsProcess _cluster = shared.Process;
    private readonly string _bucket = "b" + Guid.NewGuid().ToString("N");
    private string _folder = "";

    /// <summary>Programs that are set up by the environment; the token's UUID and secret as access key and secret key.</summary>
    private string Prepare =>
        $$"""
        for tool in aws s3cmd rclone s3fs curl; do command -v $tool > /dev/null || { echo "The tests need the program $tool: apt-get install $tool (aws: awscli)" >&2; exit 1; }; done
        unset AWS_CA_BUNDLE AWS_PROFILE AWS_SESSION_TOKEN
        export HOME='{{_folder}}/home'; mkdir -p "$HOME"; cd '{{_folder}}'
        IFS=/ read -r _ UUID SECRET <<< "$ARVADOS_API_TOKEN"
        export AWS_ACCESS_KEY_ID=$UUID AWS_SECRET_ACCESS_KEY=$SECRET AWS_DEFAULT_REGION=keep AWS_EC2_METADATA_DISABLED=true
        URL=${KEEPFS_WEBDAV_URL%/}; H=${URL#http://}; B={{_bucket}}
        s3() { aws --endpoint-url "$URL" s3 "$@"; }
        s3api() { aws --endpoint-url "$URL" s3api "$@"; }
        cmd() { s3cmd --no-progress --config=/dev/null --access_key="$UUID" --secret_key="$SECRET" --host="$H" --host-bucket="$H" --no-ssl "$@"; }
        sign() { curl -sS --fail-with-body --aws-sigv4 aws:amz:keep:s3 -u "$UUID:$SECRET" "$@"; }
        export RCLONE_CONFIG=/dev/null RCLONE_CONFIG_K_TYPE=s3 RCLONE_CONFIG_K_PROVIDER=Other RCLONE_CONFIG_K_ENDPOINT="$URL"
        export RCLONE_CONFIG_K_ACCESS_KEY_ID="$UUID" RCLONE_CONFIG_K_SECRET_ACCESS_KEY="$SECRET"
        """;

    public async Task InitializeAsync()
    {
        _folder = _cluster.NewFolder();
        (await _cluster.ScriptAsync(
            $"""
            mkdir -p '{_folder}/tree/a dir/ü' && cd '{_folder}/tree'
            head -c 3000000 /dev/urandom > big; printf hello > 'with space'; printf 1 > 'a dir/ü/日本 😀 100%+&'; : > empty
            head -c {(IsFull ? "1G" : "64M")} /dev/urandom > ../large
            """)).Ok();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Awscli_makes_fills_copies_signs_empties_and_removes_a_bucket()
    {
        await RunAsync(
            """
            s3 mb s3://$B
            s3 sync --quiet tree s3://$B/tree
            test -z "$(s3 sync tree s3://$B/tree)"
            mkdir down; s3 sync --quiet s3://$B/tree down; diff -r tree down
            s3 ls --recursive s3://$B/ > list; grep -q 'tree/a dir/ü/日本 😀 100%+&' list
            s3 cp --quiet large s3://$B/large; s3 cp --quiet s3://$B/large got; cmp large got
            test "$(s3api head-object --bucket $B --key large --query ContentLength)" = "$(stat -c %s large)"
            s3 cp --quiet s3://$B/large s3://$B/copied; s3 mv --quiet s3://$B/copied s3://$B/x/moved
            s3 cp --quiet s3://$B/x/moved - | cmp large -
            curl -sS --fail-with-body "$(s3 presign --expires-in 60 s3://$B/tree/big)" | cmp tree/big -
            test "$(s3api list-multipart-uploads --bucket $B --query 'length(Uploads || `[]`)')" = 0
            ! s3 rb s3://$B 2> refused; grep -q BucketNotEmpty refused
            s3 rm --recursive --quiet s3://$B; s3 rb s3://$B
            ! s3 ls s3://$B 2> gone; grep -q NoSuchBucket gone
            """);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--signature-v2")]
    public async Task S3cmd_works_with_both_versions_of_signatures(string version)
    {
        await RunAsync(
            $"""
            V='{version}'; cmd $V mb s3://$B
            cmd $V sync tree/ s3://$B/tree/; cmd $V sync tree/ s3://$B/tree/ > again; ! grep upload again
            mkdir down; cmd $V sync s3://$B/tree/ down/; diff -r tree down
            cmd $V put large s3://$B/large; cmd $V get s3://$B/large got; cmp large got
            cmd $V cp s3://$B/tree/big s3://$B/c/big; cmd $V mv s3://$B/c/big s3://$B/c/moved; cmd $V get s3://$B/c/moved moved; cmp tree/big moved
            cmd $V info s3://$B/tree/big > info; grep -q "$(md5sum < tree/big | cut -d' ' -f1)" info
            curl -sS --fail-with-body "$(cmd signurl s3://$B/tree/big +60)" | cmp tree/big -
            cmd $V del -r -f s3://$B/tree; cmd $V rb -r -f s3://$B
            """);
    }

    [Fact]
    public async Task Rclone_syncs_checks_moves_and_purges()
    {
        await RunAsync(
            """
            rclone mkdir k:$B; rclone sync tree k:$B/tree; rclone check tree k:$B/tree 2> same; grep -q '0 differences' same
            rclone copy --s3-chunk-size 8M --s3-upload-cutoff 8M large k:$B/in; rclone check --download --one-way . k:$B/in --include /large
            rclone copy k:$B/tree down; diff -r tree down
            printf changed > tree/big; rm tree/empty; rclone sync tree k:$B/tree; rclone check --download tree k:$B/tree
            rclone moveto k:$B/in/large k:$B/moved; rclone copyto k:$B/moved k:$B/again; rclone cat k:$B/again | cmp large -
            rclone lsf k:$B | sort > list; printf 'again\nin/\nmoved\ntree/\n' | diff - list
            rclone purge k:$B; rclone lsf k: > list; ! grep -q $B list
            """);
    }

    [Fact]
    public async Task S3fs_mounts_a_bucket_that_is_used_like_a_folder()
    {
        if (!File.Exists("/dev/fuse"))
        {
            throw new InvalidOperationException("The tests need /dev/fuse.");
        }

        await RunAsync(
            """
            s3 mb s3://$B; mkdir mnt; echo "$UUID:$SECRET" > "$HOME/passwd"; chmod 600 "$HOME/passwd"
            s3fs $B mnt -o url="$URL",use_path_request_style,passwd_file="$HOME/passwd",endpoint=keep
            trap 'fusermount3 -uz mnt' EXIT
            cp -r tree mnt/; diff -r tree mnt/tree; mkdir mnt/made; mv mnt/tree/big mnt/made/moved; cmp tree/big mnt/made/moved
            cp large mnt/large; cmp large mnt/large; mv mnt/large mnt/renamed; cmp large mnt/renamed
            echo more >> mnt/made/moved; (cat tree/big; echo more) | cmp - mnt/made/moved
            rm mnt/made/moved; rmdir mnt/made; ls mnt | sort | tr '\n' ' ' | grep -qx 'renamed tree '
            s3 cp --quiet "s3://$B/tree/with space" - | grep -qx hello
            """);
    }

    [Fact]
    public async Task Curl_signs_requests_and_the_mount_shows_what_came()
    {
        await RunAsync(
            """
            sign -X PUT "$URL/$B"
            sign -T tree/big -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$URL/$B/by%20curl"; sign "$URL/$B/by%20curl" | cmp tree/big -
            sign -r 1000-1999 "$URL/$B/by%20curl" | cmp <(tail -c +1001 tree/big | head -c 1000) -
            sign "$URL/$B?list-type=2" > list; grep -q '<Key>by curl</Key>' list
            sign -X DELETE "$URL/$B/no-such-key"
            test "$(curl -s -o /dev/null -w '%{http_code}' --aws-sigv4 aws:amz:keep:s3 -u "$UUID:wrong" "$URL/$B")" = 403
            """);
        await Eventually.TrueAsync(
            async () => (await _cluster.ScriptAsync($"cmp '{_folder}/tree/big' \"$HOME_DIR/{_bucket}/by curl\"")).ExitCode == 0, "the mount shows the object");
    }

    [Fact]
    public async Task An_upload_that_breaks_off_changes_nothing()
    {
        await RunAsync(
            """
            s3 mb s3://$B; s3 cp --quiet tree/big s3://$B/f
            timeout -s KILL 1 curl -sS --limit-rate 10M --aws-sigv4 aws:amz:keep:s3 -u "$UUID:$SECRET" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -T large "$URL/$B/f" || broke=$?
            test ${broke:-0} = 137
            s3 cp --quiet s3://$B/f - | cmp tree/big -
            """);
    }

    [Fact]
    public async Task An_upload_goes_on_after_the_server_was_killed()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        var folder = cluster.NewFolder();
        var prepare = Prepare.Replace(_folder, folder, StringComparison.Ordinal);
        (await cluster.ScriptAsync(
            $$"""
            {{prepare}}
            head -c 5M /dev/urandom > one; head -c 1M /dev/urandom > two
            s3 mb s3://$B; ID=$(s3api create-multipart-upload --bucket $B --key dir/f --query UploadId --output text); echo $ID > id
            s3api upload-part --bucket $B --key dir/f --upload-id $ID --part-number 1 --body one --query ETag --output text > tag1
            """)).Ok();
        await cluster.KillAsync();
        await cluster.StartAgainAsync();
        (await cluster.ScriptAsync(
            $$"""
            {{prepare}}
            ID=$(cat id); s3api upload-part --bucket $B --key dir/f --upload-id $ID --part-number 2 --body two --query ETag --output text > tag2
            test "$(s3api list-parts --bucket $B --key dir/f --upload-id $ID --query 'length(Parts)')" = 2
            s3api complete-multipart-upload --bucket $B --key dir/f --upload-id $ID --multipart-upload "Parts=[{ETag=$(cat tag1),PartNumber=1},{ETag=$(cat tag2),PartNumber=2}]"
            s3 cp --quiet s3://$B/dir/f - | cmp <(cat one two) -
            """)).Ok();
    }

    private async Task RunAsync(string script) => (await _cluster.ScriptAsync($"{Prepare}\n{script}", TimeSpan.FromMinutes(IsFull ? 20 : 4))).Ok();
}
