using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace KeepFs.Conformance.Tests;

/// <summary>
/// A real keepstore whose disk fills up, goes away, becomes read-only, or whose files run out: a clear error, nothing acknowledged that is not
/// there, and it works again without a restart.
/// </summary>
public sealed class DiskFaultTests : IAsyncLifetime
{
    private TestDisk? _disk;
    private KeepstoreDaemon? _daemon;

    private TestDisk Disk => _disk!;

    private KeepstoreDaemon Daemon => _daemon!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_daemon is not null)
        {
            await _daemon.DisposeAsync();
        }

        if (_disk is not null)
        {
            await _disk.DisposeAsync();
        }
    }

    [Fact]
    public async Task Disk_without_inodes_says_insufficient_storage_and_takes_blocks_again_when_some_are_free()
    {
        await StartAsync(inodes: 200);
        var stored = new List<byte[]>();
        var status = await FillAsync(stored, () => RandomNumberGenerator.GetBytes(1000));

        Assert.Equal(HttpStatusCode.InsufficientStorage, status);
        Assert.NotEmpty(stored);
        await AssertHasAllAsync(stored);
        await Disk.RunAsync($"rm -r disk/{Blocks.Hash(stored[0])[..3]}");
        Assert.Equal(HttpStatusCode.OK, await Daemon.PutAsync(stored[0]));
        await AssertHasAllAsync(stored);
    }

    [Fact]
    public async Task Disk_that_fills_up_during_writes_loses_nothing_acknowledged_and_keeps_no_part()
    {
        // Enough room for each of them when it starts, and not for all.
        await StartAsync();
        await Disk.RunAsync("fallocate -l $(( $(stat -f -c '%a * %S' disk) - (100 << 20) )) disk/filler");
        var blocks = Enumerable.Range(0, 6).Select(_ => RandomNumberGenerator.GetBytes(30 << 20)).ToArray();
        var statuses = await Task.WhenAll(blocks.Select(Daemon.PutAsync));

        Assert.All(statuses, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.InsufficientStorage, $"{status}"));
        Assert.Contains(HttpStatusCode.InsufficientStorage, statuses);
        await AssertHasAllAsync(blocks.Where((_, i) => statuses[i] == HttpStatusCode.OK));
        Assert.Empty(await Disk.RunAsync("find disk -name 'tmp*'"));
        await Disk.RunAsync("rm -f disk/filler disk/full");
        Assert.All(await Task.WhenAll(blocks.Take(2).Select(Daemon.PutAsync)), status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Fact]
    public async Task Unmounted_disk_is_an_error_and_no_empty_volume_and_is_served_again_once_mounted()
    {
        await StartAsync();
        var stored = await PutAsync(20);
        await Disk.UnmountAsync();

        var (status, _) = await Daemon.GetAsync(Blocks.Hash([1, 2, 3]), 3);
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Equal(HttpStatusCode.InternalServerError, await Daemon.IndexStatusAsync());
        var refused = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Daemon.PutAsync(RandomNumberGenerator.GetBytes(1000))));
        Assert.All(refused, status => Assert.Equal(HttpStatusCode.ServiceUnavailable, status));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Daemon.PutAsync(stored[0]));
        Assert.Empty(await Disk.RunAsync("ls -A disk"));
        await AssertLoggedAsync("mount its disk again");

        await Disk.MountAsync();
        Assert.Equal(stored.Count, (await Daemon.IndexAsync()).Count);
        await AssertHasAllAsync([.. stored, .. await PutAsync(20)]);
    }

    [Fact]
    public async Task Disk_that_is_unmounted_under_load_never_acknowledges_what_is_not_on_it()
    {
        await StartAsync();
        var acknowledged = new System.Collections.Concurrent.ConcurrentBag<byte[]>();
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 16).Select(async i =>
        {
            while (!stop.IsCancellationRequested)
            {
                var block = RandomNumberGenerator.GetBytes(2000 + i);
                if (await Daemon.PutAsync(block) == HttpStatusCode.OK)
                {
                    acknowledged.Add(block);
                }
            }
        }).ToArray();
        for (var round = 0; round < 5; round++)
        {
            var before = acknowledged.Count;
            await Eventually.TrueAsync(() => acknowledged.Count > before + 50, "writes go on");
            await Disk.UnmountAsync();
            await Disk.MountAsync();
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        await AssertHasAllAsync(acknowledged);
    }

    [Fact]
    public async Task Disk_that_becomes_read_only_is_read_and_takes_blocks_again_afterwards()
    {
        await StartAsync();
        var stored = await PutAsync(5);
        await Disk.MakeReadOnlyAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Daemon.PutAsync(RandomNumberGenerator.GetBytes(1000)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Daemon.PutAsync(stored[0]));
        await AssertLoggedAsync("Read-only file system");
        await AssertHasAllAsync(stored);
        Assert.Equal(5, (await Daemon.IndexAsync()).Count);

        await Disk.MakeWritableAsync();
        Assert.Equal(HttpStatusCode.OK, await Daemon.PutAsync(stored[0]));
        await AssertHasAllAsync(await PutAsync(5));
    }

    [Fact]
    public async Task Daemon_started_on_a_read_only_disk_serves_it()
    {
        await StartAsync();
        var stored = await PutAsync(5);
        await Daemon.KillAsync();
        await Disk.MakeReadOnlyAsync();
        await Daemon.StartAgainAsync();

        await AssertHasAllAsync(stored);
        Assert.Equal(5, (await Daemon.IndexAsync()).Count);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Daemon.PutAsync(RandomNumberGenerator.GetBytes(1000)));
        await AssertLoggedAsync("Read-only file system");
    }

    [Fact]
    public async Task Daemon_without_file_handles_refuses_and_goes_on_when_it_has_some()
    {
        await StartAsync();
        var stored = await PutAsync(5);
        var process = Daemon.Process.Id;
        var open = Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Select(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)).ToHashSet();
        var firstFree = Enumerable.Range(0, int.MaxValue).First(number => !open.Contains(number));
        var before = (await Disk.RunAsync($"prlimit --pid {process} --nofile --raw --noheadings --output SOFT")).Trim();
        (await Shell.RunAsync("prlimit", ["--pid", $"{process}", $"--nofile={firstFree}:"])).Ok();

        // The connection that is there still works; one that nobody accepts now is served later.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Daemon.PutAsync(RandomNumberGenerator.GetBytes(1000)));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Daemon.PutAsync(stored[0]));
        await AssertLoggedAsync("Too many open files");
        var waiting = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Daemon.PutAsync(RandomNumberGenerator.GetBytes(1000))));

        (await Shell.RunAsync("prlimit", ["--pid", $"{process}", $"--nofile={before}:"])).Ok();
        Assert.All(await waiting, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable or null, $"{status}"));
        await AssertHasAllAsync([.. stored, .. await PutAsync(20)]);
    }

    private async Task StartAsync(int inodes = 20_000)
    {
        _disk = await TestDisk.CreateAsync(inodes: inodes);
        _daemon = await KeepstoreDaemon.StartAsync(_disk);
    }

    private async Task<List<byte[]>> PutAsync(int count)
    {
        var blocks = Enumerable.Range(0, count).Select(_ => RandomNumberGenerator.GetBytes(3000)).ToList();
        Assert.All(await Task.WhenAll(blocks.Select(Daemon.PutAsync)), status => Assert.Equal(HttpStatusCode.OK, status));
        return blocks;
    }

    /// <summary>Puts until one is refused.</summary>
    private async Task<HttpStatusCode?> FillAsync(List<byte[]> stored, Func<byte[]> next)
    {
        while (true)
        {
            var block = next();
            var status = await Daemon.PutAsync(block);
            if (status != HttpStatusCode.OK)
            {
                return status;
            }

            stored.Add(block);
            Assert.True(stored.Count < 10_000, "The disk does not become full.");
        }
    }

    /// <summary>The log is written a moment after the answer.</summary>
    private Task AssertLoggedAsync(string text) => Eventually.TrueAsync(() => Daemon.Errors.Contains(text, StringComparison.Ordinal), $"the log says \"{text}\"");

    private async Task AssertHasAllAsync(IEnumerable<byte[]> blocks)
    {
        foreach (var block in blocks)
        {
            await Daemon.AssertHasAsync(block);
        }
    }
}
