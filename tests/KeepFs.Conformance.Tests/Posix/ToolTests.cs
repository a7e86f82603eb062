namespace KeepFs.Conformance.Tests.Posix;

/// <summary>The programs that people use all day, in the mount, compared with what they do on the local disk.</summary>
[Collection(ClusterTests.Name)]
public sealed class ToolTests(SharedCluster shared)
{
    /// <summary>Makes a small tree of ordinary files in the directory <c>tree</c>.</summary>
    private const string MakeTree =
        """
        cd "$W"; rm -rf T; mkdir -p T/tree/src T/tree/docs/deep T/tree/empty; cd T
        for i in $(seq 60); do seq $((i * 37)) > tree/src/file$i.txt; done
        head -c 3000000 /dev/urandom > tree/docs/binary; printf 'a line\nand b\n' > 'tree/docs/deep/with space'; : > tree/docs/zero
        """;

    [Theory]
    [InlineData("tar", "tar -C tree -cf t.tar . && tar -C \"$C\" -xf t.tar && diff -r tree \"$C\" && tar -C \"$C\" -cf back.tar . && mkdir back && tar -C back -xf back.tar && diff -r tree back")]
    [InlineData("cp", "cp -r --reflink=auto tree/. \"$C\" && diff -r tree \"$C\" && cp --reflink=auto \"$C/docs/binary\" \"$C/copy\" && cmp tree/docs/binary \"$C/copy\"")]
    [InlineData("rsync", "rsync -a --checksum tree/ \"$C/\" && diff -r tree \"$C\" && ! rsync -ai --checksum tree/ \"$C/\" | grep '^[<>]f'")]
    [InlineData("sed", "cp -r tree/. \"$C\"; sed -i 's/1/one/g' \"$C\"/src/*.txt tree/src/*.txt && diff -r tree \"$C\"")]
    [InlineData("vim", "cp -r tree/. \"$C\"; for d in tree \"$C\"; do vim.tiny -N -u NONE -es +'%s/line/changed/' +wq \"$d/docs/deep/with space\"; done; diff -r tree \"$C\" && grep -q changed \"$C/docs/deep/with space\"")]
    [InlineData("find", "cp -r tree/. \"$C\"; diff <(cd tree && find . -printf '%P %y %s\\n' | grep -v ' d ' | sort) <(cd \"$C\" && find . -printf '%P %y %s\\n' | grep -v ' d ' | sort) && diff <(cd tree && find . | sort) <(cd \"$C\" && find . | sort)")]
    [InlineData("du", "cp -r tree/. \"$C\"; test \"$(find tree -type f -print0 | du -cb --files0-from=- | tail -1)\" = \"$(find \"$C\" -type f -print0 | du -cb --files0-from=- | tail -1)\"")]
    [InlineData("mv", "cp -r tree/. \"$C\"; mv \"$C/src\" \"$C/moved\"; mv tree/src tree/moved; mv \"$C/docs/binary\" \"$W/out\"; mv tree/docs/binary other; cmp \"$W/out\" other; diff -r tree \"$C\"")]
    [InlineData("gzip", "cp -r tree/. \"$C\"; gzip \"$C/docs/binary\"; gunzip -t \"$C/docs/binary.gz\" && gunzip \"$C/docs/binary.gz\" && diff -r tree \"$C\"")]
    [InlineData("make", "printf 'all: a b\\na: ; cp src/file1.txt a\\nb: a ; cat a a > b\\n' > tree/Makefile; cp -r tree/. \"$C\"; make -s -C \"$C\" && make -s -C tree && diff -r tree \"$C\" && make -C \"$C\" | grep -q 'Nothing to be done\\|up to date\\|^cp'")]
    public Task Tool_does_in_the_mount_what_it_does_on_disk(string tool, string script) => RunAsync(tool, $"{MakeTree}\n{script}");

    [Fact]
    public Task Git_clones_commits_and_finds_nothing_wrong() => RunAsync(
        "git",
        MakeTree + "\n" +
        """
        export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b GIT_CONFIG_NOSYSTEM=1 HOME="$W"
        git config --global safe.directory '*'; git init -q tree; git -C tree add .; git -C tree commit -qm first
        git clone -q --no-hardlinks tree "$C/clone"; cd "$C/clone"
        test -z "$(git status --short)"; echo changed >> src/file1.txt; mv src/file2.txt src/renamed; git add -A; git commit -qm second
        git gc -q; git fsck --full --strict; test -z "$(git status --short)"; git log --oneline | wc -l | grep -qx 2
        cd "$W/T"; git clone -q "$C/clone" again; test "$(git -C again rev-parse HEAD)" = "$(git -C "$C/clone" rev-parse HEAD)"
        """);

    [Theory]
    [InlineData("DELETE")]
    [InlineData("WAL")]
    public Task Sqlite_keeps_a_sound_database(string journal) => RunAsync(
        "sqlite",
        $$"""
        D="$C/data.sqlite"; sqlite3 "$D" "PRAGMA journal_mode={{journal}}; CREATE TABLE t(k INTEGER PRIMARY KEY, v TEXT);"
        for i in 1 2 3 4; do sqlite3 "$D" "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) INSERT INTO t(v) SELECT hex(randomblob(50)) FROM n; COMMIT;"; done
        sqlite3 "$D" "DELETE FROM t WHERE k%3=0; VACUUM;"
        test "$(sqlite3 "$D" 'PRAGMA integrity_check')" = ok; test "$(sqlite3 "$D" 'SELECT count(*) FROM t')" = 5334
        """);

    [Fact]
    public Task Fio_finds_what_it_wrote() => RunAsync(
        "fio",
        """
        cd "$W"; for rw in write randwrite randrw; do fio --name=$rw --filename="$C/$rw" --rw=$rw --bs=4k-64k --size=16m --verify=crc32c --do_verify=1 --verify_fatal=1 --ioengine=psync --fsync_on_close=1 --minimal > fio.log; done
        fio --name=m --filename="$C/m" --rw=randwrite --bs=4k --size=8m --verify=crc32c --do_verify=1 --verify_fatal=1 --ioengine=mmap --minimal > fio.log
        """);

    private async Task RunAsync(string name, string script) =>
        (await shared.Process.ScriptAsync($"C=\"$HOME_DIR/tool {name} {Guid.NewGuid():n}\"; mkdir \"$C\"\n{script}")).Ok();
}
