using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Mounts;

public sealed class ScrubberTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();
    private readonly BlockBufferPool _buffers = new(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
    private readonly ManualTime _time = new();
    private readonly RecordedEvents _events = new();
    private readonly ScrubEvents _scrubbed = new();
    private readonly ScrubOptions _options = new() { BytesPerSecond = 0, StartDelay = TimeSpan.Zero, Interval = TimeSpan.FromDays(7) };

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
        Assert.Equal(0, _buffers.OutBytes);
    }

    [Fact]
    public async Task Good_blocks_are_read_and_left_alone()
    {
        await using var keepstore = Keepstore(Directory(_one));
        await WriteAsync(keepstore, 0, "foo", "bar", "");
        var status = await PassAsync(keepstore);

        Assert.Equal(new ScrubTotals { CheckedBlocks = 3, CheckedBytes = 6 }, status.State.LastPass);
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds(), status.State.LastCompleteAt);
        Assert.Equal(["complete 0"], _scrubbed.Lines);
        Assert.Equal(4, _one.Files().Length); // Its state is the fourth.
    }

    [Fact]
    public async Task Bad_copy_goes_to_the_quarantine_and_a_good_one_comes_from_another_mount()
    {
        await using var keepstore = Keepstore(Directory(_one), Directory(_two));
        await WriteAsync(keepstore, 0, "foo", "bar");
        await WriteAsync(keepstore, 1, "foo");
        Damage(_one, "foo");
        var status = await PassAsync(keepstore);

        Assert.Equal(new ScrubTotals { CheckedBlocks = 2, CheckedBytes = 6, CorruptBlocks = 1, HealedBlocks = 1 }, status.State.LastPass);
        Assert.Equal("foo", File.ReadAllText(PathOf(_one, "foo")));
        Assert.Equal("foX", File.ReadAllText(Path.Join(_one.Path, "quarantine", $"{Hash("foo")}.{_time.GetUtcNow().ToUnixTimeSeconds()}")));
        Assert.Equal(["corrupt 0 aside", "healed 0 from zzzzz-nyw5e-111111111111111"], _scrubbed.Lines.Where(line => !line.StartsWith("complete", StringComparison.Ordinal)));
        Assert.Equal(0, status.State.LostBlocks);
    }

    [Fact]
    public async Task Bad_copy_of_the_wrong_size_is_healed_from_another_server()
    {
        await using var keepstore = Keepstore(Directory(_one));
        await WriteAsync(keepstore, 0, "foo");
        File.WriteAllText(PathOf(_one, "foo"), "fo");
        var status = await PassAsync(keepstore, new OtherServer(_buffers, "foo"));

        Assert.Equal(1, status.State.LastPass!.HealedBlocks);
        Assert.Equal("foo", File.ReadAllText(PathOf(_one, "foo")));
        Assert.Contains("healed 0 from elsewhere", _scrubbed.Lines);
    }

    [Fact]
    public async Task Block_without_any_good_copy_is_lost_keeps_its_bytes_and_is_healed_once_a_copy_turns_up()
    {
        await using var keepstore = Keepstore(Directory(_one), Directory(_two));
        await WriteAsync(keepstore, 0, "foo");
        await WriteAsync(keepstore, 1, "foo");
        Damage(_one, "foo");
        Damage(_two, "foo");
        var status = await PassAsync(keepstore);

        Assert.Equal(1, status.State.LostBlocks);
        Assert.Contains("lost 0", _scrubbed.Lines);
        Assert.Contains("lost 1", _scrubbed.Lines);
        Assert.Equal("foX", File.ReadAllText(Assert.Single(System.IO.Directory.GetFiles(Path.Join(_one.Path, "quarantine")))));
        Assert.Equal("foX", File.ReadAllText(Assert.Single(System.IO.Directory.GetFiles(Path.Join(_two.Path, "quarantine")))));
        Assert.False(File.Exists(PathOf(_one, "foo")));

        await WriteAsync(keepstore, 1, "foo");
        status = await PassAsync(keepstore);
        Assert.Equal(0, status.State.LostBlocks);
        Assert.Equal("foo", File.ReadAllText(PathOf(_one, "foo")));
    }

    [Fact]
    public async Task Copy_that_cannot_be_looked_for_now_counts_as_lost_and_is_tried_again()
    {
        await using var keepstore = Keepstore(Directory(_one));
        await WriteAsync(keepstore, 0, "foo");
        Damage(_one, "foo");
        Assert.Equal(1, (await PassAsync(keepstore, new OtherServer(_buffers, text: null))).State.LostBlocks);
        Assert.Equal(0, (await PassAsync(keepstore, new OtherServer(_buffers, "foo"))).State.LostBlocks);
        Assert.Equal("foo", File.ReadAllText(PathOf(_one, "foo")));
    }

    [Fact]
    public async Task Volume_without_quarantine_is_healed_in_place_and_keeps_what_cannot_be_healed()
    {
        await using var keepstore = Keepstore(new MemoryVolume(Policy), Directory(_one));
        await keepstore.Mounts.All[0].Volume.WriteAsync(Hash("foo"), "foX"u8.ToArray(), None);
        await keepstore.Mounts.All[0].Volume.WriteAsync(Hash("bar"), "baX"u8.ToArray(), None);
        await WriteAsync(keepstore, 1, "foo");
        var status = await PassAsync(keepstore);

        Assert.Equal((2, 1), (status.State.LastPass!.CorruptBlocks, status.State.LastPass.HealedBlocks));
        Assert.Equal(CopyState.Identical, await keepstore.Mounts.All[0].Volume.CompareAsync(Hash("foo"), "foo"u8.ToArray(), None));
        Assert.Equal(3, await keepstore.Mounts.All[0].Volume.ReadAsync(Hash("bar"), new byte[3], None));
    }

    [Fact]
    public async Task Read_only_mount_is_checked_and_not_changed()
    {
        var volume = Directory(_one);
        await volume.WriteAsync(Hash("foo"), "foX"u8.ToArray(), None);
        await using var keepstore = new Keepstore(new MountTable([new Mount { Uuid = Uuid(0), Volume = volume, AllowWrite = false }]), _buffers, _events);
        var status = await PassAsync(keepstore, new OtherServer(_buffers, "foo"));

        Assert.Equal(1, status.State.LastPass!.CorruptBlocks);
        Assert.Equal(["corrupt 0 in place", "complete 0"], _scrubbed.Lines);
        Assert.Single(_one.Files());
    }

    [Fact]
    public async Task Block_that_was_written_again_meanwhile_is_not_put_aside()
    {
        var volume = Directory(_one);
        await using var keepstore = Keepstore(volume);
        await WriteAsync(keepstore, 0, "foo");

        Assert.False(await volume.QuarantineAsync(Hash("foo"), None));
        Assert.False(await volume.QuarantineAsync(Hash("bar"), None));
        Assert.Equal("foo", File.ReadAllText(PathOf(_one, "foo")));
    }

    [Fact]
    public async Task Killed_scrub_goes_on_where_it_was_saved()
    {
        await using var keepstore = Keepstore(Directory(_one));
        await WriteAsync(keepstore, 0, [.. Enumerable.Range(0, 100).Select(i => $"block {i}")]);
        Scrubber? first = null;
        var options = _options with { SaveEvery = TimeSpan.Zero, BusyPatience = TimeSpan.MaxValue };
        await using var killed = first = new Scrubber(keepstore, _buffers, null, options, () => first!.Status.Mounts[0].State.Pass.CheckedBlocks < 40, _scrubbed, _time);
        killed.Start();
        await UntilAsync(() => killed.Status.Mounts[0].Activity == "yielding");

        // As after kill -9: nobody has said goodbye. Another process opens the volume.
        var disk = new RecordingDisk();
        await using var again = Keepstore(new DirectoryVolume(new DirectoryVolumeOptions { Root = _one.Path, Trash = Policy, Threads = 0 }, disk));
        var status = await PassAsync(again);

        Assert.Equal(100, status.State.LastPass!.CheckedBlocks);
        Assert.Equal(60, disk.Steps.Count(step => step == "read block"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"position\":\"zzz\"}")]
    [InlineData("nonsense")]
    public async Task Unusable_state_is_no_obstacle(string saved)
    {
        File.WriteAllText(Path.Join(_one.Path, ".keepfs-scrub"), saved);
        await using var keepstore = Keepstore(Directory(_one));
        await WriteAsync(keepstore, 0, "foo");
        Assert.Equal(1, (await PassAsync(keepstore)).State.LastPass!.CheckedBlocks);
    }

    [Fact]
    public async Task Pass_that_is_not_due_waits_until_somebody_asks()
    {
        await using var keepstore = Keepstore(Directory(_one));
        await WriteAsync(keepstore, 0, "foo");
        await PassAsync(keepstore);
        await using var scrubber = new Scrubber(keepstore, _buffers, null, _options, () => true, _scrubbed, _time);
        scrubber.Start();
        await UntilAsync(() => scrubber.Status.Mounts[0].Activity == "waiting");
        Assert.Equal(0, scrubber.Status.Mounts[0].Done);

        var complete = _scrubbed.NextPass;
        scrubber.Begin();
        await complete.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Scrubber_that_is_off_does_nothing_until_it_is_started_and_stops_when_told()
    {
        await using var keepstore = Keepstore(Directory(_one));
        await WriteAsync(keepstore, 0, "foo", "bar", "baz");
        await using var scrubber = new Scrubber(keepstore, _buffers, null, _options with { Enabled = false, BytesPerSecond = 1 }, () => true, _scrubbed, _time);
        scrubber.Start();
        Assert.Equal("off", scrubber.Status.Mounts[0].Activity);

        scrubber.Begin();
        await UntilAsync(() => scrubber.Status.Mounts[0].State.Pass.CheckedBlocks > 0);
        scrubber.Pause();
        await UntilAsync(() => scrubber.Status.Mounts[0].Activity == "off");
        Assert.InRange(scrubber.Status.Mounts[0].State.Pass.CheckedBlocks, 1, 2);

        var complete = _scrubbed.NextPass;
        scrubber.SetRate(0);
        scrubber.Begin();
        await complete.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(3, scrubber.Status.Mounts[0].State.LastPass!.CheckedBlocks);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), limit.Token);
        }
    }

    private TrashPolicy Policy => new(TimeSpan.FromHours(1), TimeSpan.FromHours(2), _time);

    private static string Uuid(int i) => $"zzzzz-nyw5e-{new string((char)('0' + i), 15)}";

    private static BlockHash Hash(string text) => BlockHash.Compute(Encoding.UTF8.GetBytes(text));

    private static string PathOf(TemporaryFolder folder, string text) => Path.Join(folder.Path, Hash(text).ToString().AsSpan(0, 3), Hash(text).ToString());

    private static void Damage(TemporaryFolder folder, string text) => File.WriteAllText(PathOf(folder, text), text[..^1] + "X");

    private DirectoryVolume Directory(TemporaryFolder folder) => new(new DirectoryVolumeOptions { Root = folder.Path, Trash = Policy, Threads = 2 });

    private Keepstore Keepstore(params IVolume[] volumes) =>
        new(new MountTable(volumes.Select((volume, i) => new Mount { Uuid = Uuid(i), Volume = volume })), _buffers, _events);

    private static async Task WriteAsync(Keepstore keepstore, int mount, params string[] texts)
    {
        foreach (var text in texts)
        {
            await keepstore.Mounts.All[mount].Volume.WriteAsync(Hash(text), Encoding.UTF8.GetBytes(text), None);
        }
    }

    /// <summary>One pass over the first mount, in a process of its own; where it stands then.</summary>
    private async Task<MountScrubStatus> PassAsync(Keepstore keepstore, ICopyFinder? others = null)
    {
        await using var scrubber = new Scrubber(keepstore, _buffers, others, _options, () => true, _scrubbed, _time);
        var complete = _scrubbed.AllPasses(keepstore.Mounts.All.Count);
        scrubber.Begin();
        scrubber.Start();
        await complete.WaitAsync(TimeSpan.FromSeconds(60));
        return scrubber.Status.Mounts[0];
    }

    private sealed class OtherServer(BlockBufferPool buffers, string? text) : ICopyFinder
    {
        public async ValueTask<FoundCopy?> FindAsync(BlockHash hash, CancellationToken cancellationToken)
        {
            var data = Encoding.UTF8.GetBytes(text ?? throw new KeepException(KeepErrorKind.Unavailable, "the other server does not answer"));
            Assert.Equal(BlockHash.Compute(data), hash);
            var buffer = await buffers.RentAsync(data.Length, cancellationToken);
            data.CopyTo(buffer.Capacity);
            buffer.Length = data.Length;
            return new FoundCopy(buffer, "elsewhere");
        }
    }

    private sealed class ScrubEvents : IScrubEvents
    {
        private readonly Lock _lock = new();
        private readonly List<string> _lines = [];
        private TaskCompletionSource _passes = new();
        private int _awaited;

        public string[] Lines
        {
            get
            {
                lock (_lock)
                {
                    return [.. _lines];
                }
            }
        }

        public Task NextPass => AllPasses(1);

        public Task AllPasses(int count)
        {
            lock (_lock)
            {
                _awaited = count;
                _passes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return _passes.Task;
            }
        }

        public void FoundCorrupt(BlockHash hash, string mountUuid, bool isQuarantined) => Add($"corrupt {mountUuid[^1]} {(isQuarantined ? "aside" : "in place")}");

        public void Healed(BlockHash hash, string mountUuid, string source) => Add($"healed {mountUuid[^1]} from {source}");

        public void Lost(BlockHash hash, string mountUuid, string reason) => Add($"lost {mountUuid[^1]}");

        public void PassComplete(string mountUuid, ScrubTotals totals)
        {
            Add($"complete {mountUuid[^1]}");
            lock (_lock)
            {
                if (--_awaited == 0)
                {
                    _passes.SetResult();
                }
            }
        }

        public void Failed(string mountUuid, Exception failure) => Add($"failed {mountUuid[^1]}");

        private void Add(string line)
        {
            lock (_lock)
            {
                _lines.Add(line);
            }
        }
    }
}
