namespace KeepFs.Fuse.Tests;

/// <summary>Files that the kernel reads from a local file. Needs root and Linux 6.9, and fails without, as passthrough is then off.</summary>
public sealed class PassthroughTests
{
    [Fact]
    public async Task Whole_local_file_is_read_without_asking()
    {
        await using var host = await MountHostProcess.StartAsync("--backing");
        Assert.Equal("ok", await host.CommandAsync("write f from-the-backing-file"));
        using (var file = Open(host, "f"))
        {
            Assert.Equal("1", await host.CommandAsync("passthrough"));
            Assert.Equal(21, file.Read(new byte[100]));
            Assert.Equal("from-the-backing-file", await host.ShellAsync("cat f; test \"$(tail -c 4 f)\" = file"));
            Assert.Equal("0", await host.CommandAsync("calls ReadAsync"));
        }

        await Eventually.AsyncTrue(async () => await host.CommandAsync("passthrough") == "0" && (await host.StatsAsync()).Handles == 0);
    }

    [Fact]
    public async Task Changed_file_is_read_anew_by_who_opens_it_and_as_it_was_by_who_has_it_open()
    {
        await using var host = await MountHostProcess.StartAsync("--backing");
        Assert.Equal("ok", await host.CommandAsync("write f old"));
        using var old = Open(host, "f");
        Assert.Equal("ok", await host.CommandAsync("write f newer"));

        await Eventually.AsyncTrue(async () => await host.ShellAsync("cat f") == "newer");
        Assert.Equal(3, old.Read(new byte[100]));
    }

    [Fact]
    public async Task Usual_and_passed_through_opens_do_not_meet()
    {
        await using var host = await MountHostProcess.StartAsync("--backing");
        Assert.Equal("ok", await host.CommandAsync("write f content"));
        Assert.Equal("content\ncontent", await host.ShellAsync(
            """
            exec 3<> f                     # read and write: the usual way
            cat f; echo
            exec 4< f; exec 3>&-; cat <&4; echo
            """));

        // The kernel tells of the last close after it has returned.
        await Eventually.AsyncTrue(async () => (await host.StatsAsync()).Handles == 0);
        Assert.Equal("content\nText file busy\ncontent", await host.ShellAsync(
            """
            exec 5< f; cat <&5; echo       # passed through
            (exec 6<> f) 2>&1 | grep -o 'Text file busy'
            exec 7> /dev/null; cat f; echo
            """));
        await Eventually.AsyncTrue(async () => (await host.StatsAsync()).Handles == 0);
    }

    [Fact]
    public async Task Mapped_file_is_read_from_the_backing_file()
    {
        await using var host = await MountHostProcess.StartAsync("--backing");
        Assert.Equal("ok", await host.CommandAsync("write f mapped-bytes"));

        Assert.Equal("mapped-bytes", await host.ShellAsync(
            "python3 -c \"import mmap; f = open('f', 'rb'); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); print(m[:].decode())\""));
        Assert.Equal("0", await host.CommandAsync("calls ReadAsync"));
    }

    [Fact]
    public async Task Open_passed_through_file_survives_its_process()
    {
        var saved = Directory.CreateTempSubdirectory("keepfs-saved-");
        await File.WriteAllTextAsync(Path.Combine(saved.FullName, "f"), "content");
        await using (var host = await MountHostProcess.StartAsync("--hold", "--backing", "--load", saved.FullName))
        {
            host.ExpectsLog = true;
            using (var file = Open(host, "f"))
            {
                await MountHostProcess.ShellInAsync("/", $"kill -9 {await host.CommandAsync("pid")}");
                Assert.Equal("ready", await host.ReadLineAsync());

                Assert.Equal(7, file.Read(new byte[100]));
                Assert.Equal("content", await host.ShellAsync("cat f"));
                Assert.Equal("1", await host.CommandAsync("passthrough"));
            }

            await Eventually.AsyncTrue(async () => await host.CommandAsync("passthrough") == "0");
            Assert.Equal("content", await host.ShellAsync("cat f"));
        }

        saved.Delete(recursive: true);
    }

    private static FileStream Open(MountHostProcess host, string name) =>
        new(Path.Combine(host.MountPoint, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
}
