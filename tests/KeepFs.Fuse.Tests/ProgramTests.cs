namespace KeepFs.Fuse.Tests;

/// <summary>Locks, attributes, mappings and appends, as several programs of one host use them at once.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task Flock_excludes_other_programs()
    {
        await using var host = await MountHostProcess.StartAsync();

        Assert.Equal("busy\nfree\nshared", await host.ShellAsync(
            """
            echo x > f
            exec 3< f; flock 3
            flock -n f true || echo busy
            flock -u 3; flock -n f echo free
            flock -s 3; flock -n -s f echo shared; flock -n f echo never || true
            """));
    }

    [Fact]
    public async Task Fcntl_locks_exclude_ranges_of_other_programs()
    {
        await using var host = await MountHostProcess.StartAsync();

        Assert.Equal("busy\nfree\nfree", await host.ShellAsync(
            """
            echo 0123456789 > f
            python3 - <<'END'
            import fcntl, os, subprocess, sys
            other = '''
            import fcntl, os, sys
            d = os.open('f', os.O_RDWR)
            try:
                fcntl.lockf(d, fcntl.LOCK_EX | fcntl.LOCK_NB, 5, int(sys.argv[1]))
                print('free', flush=True)
            except OSError:
                print('busy', flush=True)
            '''
            d = os.open('f', os.O_RDWR)
            fcntl.lockf(d, fcntl.LOCK_EX, 5, 0)
            for start in ['0', '5']:
                subprocess.run([sys.executable, '-c', other, start], check=True)
            fcntl.lockf(d, fcntl.LOCK_UN, 5, 0)
            subprocess.run([sys.executable, '-c', other, '0'], check=True)
            END
            """));
    }

    [Fact]
    public async Task Extended_attributes_are_read_and_not_written()
    {
        await using var host = await MountHostProcess.StartAsync("--attributes");

        Assert.Equal(
            "['user.keepfs.pdh', 'user.keepfs.uuid']\nzzzzz-4zz18-0123456789abcde ä\n61\n95\n95\n95\n95\n34",
            await host.ShellAsync(
            """
            echo x > f
            python3 - <<'END'
            import ctypes, os
            print(sorted(os.listxattr('f')))
            print(os.getxattr('f', 'user.keepfs.uuid').decode(), os.getxattr('.', 'user.keepfs.pdh').decode())
            def error(call, *arguments):
                try: call(*arguments); print('none')
                except OSError as e: print(e.errno)
            error(os.getxattr, 'f', 'user.other')
            error(os.getxattr, 'f', 'security.capability')
            error(os.getxattr, 'f', 'system.posix_acl_access')
            error(os.setxattr, 'f', 'user.a', b'b')
            error(os.removexattr, 'f', 'user.keepfs.uuid')
            libc = ctypes.CDLL(None, use_errno=True)
            libc.getxattr(b'f', b'user.keepfs.uuid', ctypes.create_string_buffer(5), 5); print(ctypes.get_errno())
            END
            """));
    }

    [Fact]
    public async Task Shared_mapping_is_written_back_and_seen_by_other_programs()
    {
        await using var host = await MountHostProcess.StartAsync();

        Assert.Equal("seen\nkept", await host.ShellAsync(
            """
            head -c 100000 /dev/zero > f
            python3 - <<'END'
            import mmap, os, subprocess
            f = open('f', 'r+b')
            m = mmap.mmap(f.fileno(), 0)
            m[70000:70004] = b'seen'
            f.close()
            print(subprocess.check_output(['sh', '-c', 'head -c 70004 f | tail -c 4']).decode(), flush=True)
            m[10:14] = b'kept'
            m.close()
            END
            head -c 14 f | tail -c 4
            """));
    }

    [Fact]
    public async Task Appending_programs_overwrite_nothing_of_each_other()
    {
        await using var host = await MountHostProcess.StartAsync();

        Assert.Equal("4000\n4000", await host.ShellAsync(
            """
            cat > /tmp/keepfs-append-$$.py <<'END'
            import os, sys
            d = os.open('log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for i in range(1000):
                os.write(d, b'%s-%04d\n' % (sys.argv[1].encode() * 20, i))
            END
            for p in a b c d; do python3 /tmp/keepfs-append-$$.py $p & done
            wait; rm /tmp/keepfs-append-$$.py
            wc -l < log; sort -u log | grep -cE '^(a{20}|b{20}|c{20}|d{20})-[0-9]{4}$'
            """));
    }

    [Fact]
    public async Task Removed_open_file_is_read_and_written_on()
    {
        await using var host = await MountHostProcess.StartAsync();

        Assert.Equal("content\ncontent and more", await host.ShellAsync(
            """
            printf content > f
            python3 - <<'END'
            import os
            d = os.open('f', os.O_RDWR)
            os.remove('f')
            print(os.pread(d, 100, 0).decode())
            os.pwrite(d, b' and more', 7)
            print(os.pread(d, os.fstat(d).st_size, 0).decode())
            assert not os.path.exists('f')
            END
            """));
    }

    [Fact]
    public async Task Statx_and_what_the_kernel_does_without_us_work()
    {
        await using var host = await MountHostProcess.StartAsync();

        Assert.Equal("- 6 regular file\nhello\nhello\n10", await host.ShellAsync(
            """
            echo hello > f
            stat -c '%w %s %F' f
            cp --reflink=auto f g; cat g
            python3 -c "import os; i = os.open('f', 0); o = os.open('h', os.O_WRONLY | os.O_CREAT); os.copy_file_range(i, o, 10)"; cat h
            python3 -c "import os; d = os.open('k', os.O_RDWR | os.O_CREAT); os.posix_fallocate(d, 0, 10)"; stat -c %s k
            """));
    }
}
