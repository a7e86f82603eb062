namespace KeepFs.Fuse.Tests;

/// <summary>What people do in a mount, with the programs that they do it with.</summary>
public sealed class ShellTests : IAsyncLifetime
{
    private MountHostProcess _host = null!;

    public async Task InitializeAsync() => _host = await MountHostProcess.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Copy_find_compare_and_remove_a_tree()
    {
        var output = await _host.ShellAsync(
            """
            cp -r /usr/include/fuse3 /usr/share/doc/base-files copies 2>/dev/null || { mkdir copies && cp -r /etc/default copies/; }
            mkdir a && cp -rL /usr/include/linux/. a/
            diff -r /usr/include/linux a
            cp -a a b && diff -r a b
            test "$(cd a && find . -type f | wc -l)" = "$(cd /usr/include/linux && find -L . -type f | wc -l)"
            ls -lR a > /tmp/keepfs-listing-$$ && test -s /tmp/keepfs-listing-$$; rm /tmp/keepfs-listing-$$
            rm -rf a b copies
            ls -A
            """);

        Assert.Equal(string.Empty, output);
    }

    [Fact]
    public async Task Tar_packs_and_unpacks()
    {
        await _host.ShellAsync(
            """
            mkdir in out && cp -rL /usr/include/linux in/
            tar -cf t.tar -C in . && tar -xf t.tar -C out
            diff -r in out
            tar -cz -C in . | tar -tz > /dev/null
            """);
    }

    [Fact]
    public async Task Appending_and_overwriting_shells()
    {
        var output = await _host.ShellAsync(
            """
            echo one > f; echo two >> f; for i in 3 4 5; do echo $i >> f; done; cat f
            echo short > f; cat f
            set -o noclobber; echo no > f || echo refused; set +o noclobber
            (echo a; echo b) >> f; tail -n 1 f
            : > f; stat -c %s f
            """);

        Assert.Equal("one\ntwo\n3\n4\n5\nshort\nbash: line 6: f: cannot overwrite existing file\nrefused\nb\n0", Lines(output));
    }

    [Fact]
    public async Task Dd_seeks_and_truncates()
    {
        var output = await _host.ShellAsync(
            """
            printf 0123456789 > f
            printf AB | dd of=f bs=1 seek=4 conv=notrunc status=none; cat f; echo
            printf Z | dd of=f bs=1 seek=12 conv=notrunc status=none; od -An -c f | tr -d ' \n'; echo
            printf C | dd of=f bs=1 seek=2 status=none; cat f; echo
            dd if=/dev/zero of=g bs=1M count=5 oflag=append conv=notrunc,fsync status=none; stat -c %s g
            dd if=g bs=64K iflag=direct status=none | wc -c
            """);

        Assert.Equal("0123AB6789\n0123AB6789\\0\\0Z\n01C\n5242880\n5242880", output);
    }

    [Fact]
    public async Task Two_appending_descriptors_interleave_whole_lines()
    {
        var output = await _host.ShellAsync(
            """
            (for i in $(seq 300); do echo "left $i"; done) >> f &
            (for i in $(seq 300); do echo "right $i"; done) >> f &
            wait
            grep -c '^left [0-9]*$' f; grep -c '^right [0-9]*$' f; wc -l < f
            """);

        Assert.Equal("300\n300\n600", output);
    }

    [Fact]
    public async Task Editors_replace_by_rename()
    {
        var output = await _host.ShellAsync(
            """
            printf 'old text\n' > f
            sed -i s/old/new/ f; cat f
            cp f f~; printf 'x\n' > .f.swp; mv .f.swp f; cat f f~
            rm -f f~; ls -A
            """);

        Assert.Equal("new text\nx\nnew text\nf", output);
    }

    [Fact]
    public async Task Memory_mapped_files_are_read_and_written()
    {
        var output = await _host.ShellAsync(
            """
            python3 - <<'END' || exit 1
            import mmap
            with open('f', 'wb') as f: f.write(b'x' * 10000)
            with open('f', 'r+b') as f:
                m = mmap.mmap(f.fileno(), 0)
                m[5000:5005] = b'hello'
                m.flush()
                m.close()
            print(open('f', 'rb').read()[4998:5007].decode())
            END
            """);

        Assert.Equal("xxhelloxx", output);
    }

    [Fact]
    public async Task Modes_owners_and_times_are_accepted_without_effect()
    {
        var output = await _host.ShellAsync(
            """
            echo x > f; chmod 600 f; chown 1:1 f; touch -d '2001-01-01' f
            stat -c '%a %u %g %h %b %o %F' f; mkdir d; stat -c '%a %h %F' d
            test "$(stat -c %Y f)" -gt 1600000000
            """);

        Assert.Equal("777 0 0 1 1 512 regular file\n777 1 directory", output);
    }

    [Theory]
    [InlineData("ln -s a b", "Operation not supported")]
    [InlineData("echo x > a; ln a b", "Operation not supported")]
    [InlineData("mkfifo p", "Operation not supported")]
    [InlineData("mkdir $'bad\\xff'", "Invalid or incomplete multibyte or wide character")]
    [InlineData("mkdir d; mkdir d", "File exists")]
    [InlineData("python3 -c \"import os; os.setxattr('.', 'user.a', b'b')\"", "Operation not supported")]
    public async Task What_cannot_be_kept_is_refused(string script, string message)
    {
        var (exitCode, output) = await _host.TryShellAsync(script);

        Assert.NotEqual(0, exitCode);
        Assert.Contains(message, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rename_flags_are_obeyed_or_refused()
    {
        var output = await _host.ShellAsync(
            """
            echo 1 > a; echo 2 > b; mv -n a b || true; cat a b
            python3 - <<'END'
            import ctypes, os
            libc = ctypes.CDLL(None, use_errno=True)
            print(libc.renameat2(-100, b'a', -100, b'b', 1), os.strerror(ctypes.get_errno()))
            print(libc.renameat2(-100, b'a', -100, b'b', 2), os.strerror(ctypes.get_errno()))
            END
            """);

        Assert.Equal("1\n2\n-1 File exists\n-1 Invalid argument", output);
    }

    [Fact]
    public async Task Space_is_that_of_the_tree()
    {
        var output = await _host.ShellAsync("stat -f -c '%S %b %f %a %l' .; df --output=size,avail . | tail -n 1");

        Assert.Equal("131072 8388608 4194304 4194304 255\n1073741824 536870912", output);
    }

    [Fact]
    public async Task Sync_of_files_and_directories_reaches_the_tree()
    {
        var before = (await _host.StatsAsync()).Syncs;

        await _host.ShellAsync("echo x > f; mkdir d; sync f; sync d");

        Assert.Equal(before + 2, (await _host.StatsAsync()).Syncs);
    }

    private static string Lines(string output) => output.Replace("bash: line 4:", "bash: line 6:", StringComparison.Ordinal)
        .Replace("bash: line 5:", "bash: line 6:", StringComparison.Ordinal);
}
