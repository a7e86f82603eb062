
namespace KeepFs.Fuse.Tests;

/// <summary>What the kernel keeps, and that announced changes reach it.</summary>
public sealed class KernelCacheTests
{
    [Fact]
    public async Task Announced_change_of_content_and_size_is_seen()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("echo first > f; cat f");

        Assert.Equal("ok", await host.CommandAsync("write f second-and-longer"));

        await Eventually.AsyncTrue(async () => await host.ShellAsync("cat f; stat -c %s f") == "second-and-longer17");
    }

    [Fact]
    public async Task Announced_change_is_seen_through_an_open_descriptor()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("echo first > f");
        using var file = new FileStream(Path.Combine(host.MountPoint, "f"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var buffer = new byte[100];
        Assert.Equal(6, RandomAccess.Read(file.SafeFileHandle, buffer, 0));

        Assert.Equal("ok", await host.CommandAsync("write f 2nd"));

        await Eventually.AsyncTrue(() => Task.FromResult(RandomAccess.Read(file.SafeFileHandle, buffer, 0) == 3 && buffer.AsSpan(0, 3).SequenceEqual("2nd"u8)));
    }

    [Fact]
    public async Task Announced_names_appear_and_vanish_in_cached_listings()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("mkdir d; echo x > d/old; ls d; ls d; cat d/old");

        Assert.Equal("ok", await host.CommandAsync("write d/new content"));
        Assert.Equal("ok", await host.CommandAsync("remove d/old"));

        await Eventually.AsyncTrue(async () => await host.ShellAsync("ls d") == "new");
        Assert.Equal("content", await host.ShellAsync("cat d/new; test ! -e d/old"));
    }

    [Fact]
    public async Task More_changes_than_the_queue_holds_are_all_seen()
    {
        await using var host = await MountHostProcess.StartAsync("--tiny-queue");
        await host.ShellAsync("for i in $(seq 50); do echo old > f$i; done; cat f* > /dev/null");

        for (var i = 1; i <= 50; i++)
        {
            Assert.Equal("ok", await host.CommandAsync($"write f{i} new"));
        }

        await Eventually.AsyncTrue(async () => await host.ShellAsync("cat f* | sed 's/new/new\\n/g' | sort | uniq -c | tr -d ' '") == "50new");
        await host.SignalAsync("TERM");
        Assert.Equal(0, await host.ExitAsync());
    }

    [Fact]
    public async Task Append_goes_to_the_real_end_even_if_the_kernel_does_not_know_it()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("printf first > f; stat f");
        Assert.Equal("ok", await host.CommandAsync("change-silently f moved-the-end"));

        await host.ShellAsync("printf +more >> f");

        await Eventually.AsyncTrue(async () => await host.ShellAsync("cat f") == "moved-the-end+more");
    }

    [Theory]
    [InlineData("", 50)]
    [InlineData("--no-eager-nodes", 0)]
    [InlineData("--uncached", 0)]
    public async Task A_listing_tells_all_of_cheap_entries_while_few_nodes_are_known(string flag, int told)
    {
        await using var host = await MountHostProcess.StartAsync(["--hide-ids", .. flag.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Equal("ok", await host.CommandAsync("fill d 50"));

        await host.ShellAsync("ls -f d");

        // The root and d itself, too: the kernel may have been told to forget that name between the filling and the listing.
        Assert.Equal(2 + told, (await host.StatsAsync()).Nodes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unchanged_nodes_are_answered_by_the_kernel_if_they_are_cacheable(bool isCacheable)
    {
        await using var host = isCacheable ? await MountHostProcess.StartAsync() : await MountHostProcess.StartAsync("--uncached");
        await host.ShellAsync("mkdir d; echo x > d/f; cat d/f; ls -l d; ls -l d");
        var before = await CallsAsync();

        await host.ShellAsync("cat d/f; ls -l d");

        Assert.Equal(isCacheable, before == await CallsAsync());

        async Task<string> CallsAsync() => string.Join(
            ' ', await host.CommandAsync("calls LookupAsync"), await host.CommandAsync("calls ReadAsync"), await host.CommandAsync("calls ListAsync"));
    }

    [Fact]
    public async Task Removed_nodes_are_forgotten()
    {
        await using var host = await MountHostProcess.StartAsync();
        await host.ShellAsync("mkdir d; for i in $(seq 200); do echo $i > d/f$i; done; ls -lR > /dev/null");
        Assert.Equal(202, (await host.StatsAsync()).Nodes);

        await host.ShellAsync("rm -r d");

        await Eventually.AsyncTrue(async () => await host.StatsAsync() is { Nodes: 1, Handles: 0 });
    }

    [Fact]
    public async Task Listing_of_100000_entries_pages_correctly()
    {
        await using var host = await MountHostProcess.StartAsync();
        Assert.Equal("ok", await host.CommandAsync("fill d 100000"));

        Assert.Equal("100000\n100000", await host.ShellAsync("ls -U d | sort -u | wc -l; find d -type f | wc -l"));
        Assert.Equal("100000", await host.ShellAsync("ls -lU d | grep -c ^-"));
    }
}
