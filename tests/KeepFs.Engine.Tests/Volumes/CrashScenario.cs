using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Tests.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes;

/// <summary>
/// Drives a <see cref="DirectoryVolume"/> on a <see cref="CrashDisk"/>, notes what it promised and after which step, and then checks
/// every disk that a crash after every step may leave.
/// </summary>
internal sealed class CrashScenario
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly CrashDisk _disk;
    private readonly Dictionary<BlockHash, byte[]> _blocks = [];
    private readonly HashSet<BlockHash> _damaged = [];
    private readonly List<Promise> _promises = [];
    private readonly List<Promise> _recoverable = [];
    private readonly BlockBufferPool _buffers = new(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 });
    private int _firstStep;

    public CrashScenario(bool shares, Carelessness carelessness = Carelessness.None)
    {
        _disk = new CrashDisk(Time);
        Volume = Open(carelessness == Carelessness.None ? _disk : new CarelessDisk(_disk, carelessness), Time, shares);
    }

    public ManualTime Time { get; } = new();

    public CrashDisk Disk => _disk;

    public DirectoryVolume Volume { get; }

    /// <summary>Crashes are tried from here on, not in what was only preparation.</summary>
    public void Begin() => _firstStep = _disk.StepCount;

    public Task WriteAsync(string text) => WriteAsync([text]);

    /// <summary>Writes at the same time; each is promised as soon as it is acknowledged.</summary>
    public async Task WriteAsync(params string[] texts)
    {
        var writes = texts.Select(text =>
        {
            var data = Encoding.UTF8.GetBytes(text);
            var hash = BlockHash.Compute(data);
            _blocks[hash] = data;
            return PromiseAsync(Volume.WriteAsync(hash, data, None).AsTask(), hash);
        }).ToArray();
        await SettleAsync(Task.WhenAll(writes));
    }

    public async Task TouchAsync(string text)
    {
        var hash = HashOf(text);
        await SettleAsync(PromiseAsync(Volume.TouchAsync(hash, None).AsTask(), hash));
    }

    /// <summary>Wrong bytes under a block's name.</summary>
    public async Task DamageAsync(string text)
    {
        var hash = HashOf(text);
        _blocks[hash] = Encoding.UTF8.GetBytes(text);
        _damaged.Add(hash);
        await SettleAsync(Volume.WriteAsync(hash, "damaged"u8.ToArray(), None).AsTask());
    }

    /// <summary>As a pull list does it: without looking what is there.</summary>
    public async Task PullAsync(string text)
    {
        var data = Encoding.UTF8.GetBytes(text);
        var hash = BlockHash.Compute(data);
        _blocks[hash] = data;
        var events = new RecordedEvents();
        var keepstore = KeepstoreOf(Volume, events);
        var pull = new PullWorker(keepstore, _buffers, new Fetcher(data), events).PullAsync(new PullItem(Locator.Parse($"{hash}+{data.Length}"), [], ""), None);
        await SettleAsync(PromiseAsync(pull.AsTask(), hash));
        Assert.Equal(["pulled 0"], events.Lines);
    }

    /// <summary>From its first step on the block may be in the trash instead.</summary>
    public async Task TrashAsync(string text)
    {
        var hash = HashOf(text);
        var step = _disk.StepCount;
        End(_promises, hash);
        _recoverable.Add(new Promise(hash, step, 0));
        Assert.Equal(TrashOutcome.Trashed, await Volume.TrashAsync(hash, None));
    }

    public async Task UntrashAsync(string text)
    {
        var hash = HashOf(text);
        Assert.True(await Volume.UntrashAsync(hash, None));
        _promises.Add(new Promise(hash, _disk.StepCount, 0));
    }

    /// <summary>From here on the named block need not be in the trash any more.</summary>
    public async Task EmptyTrashAsync(params string[] expired)
    {
        foreach (var text in expired)
        {
            End(_recoverable, HashOf(text));
        }

        Assert.Equal(expired.Length, (await Volume.EmptyTrashAsync(1, None)).DeletedBlocks);
    }

    /// <summary>Crashes everywhere and checks; the number of disks that were tried.</summary>
    public async Task<int> CheckAsync(int mostPerStep)
    {
        var disks = 0;
        for (var steps = _firstStep; steps <= _disk.StepCount; steps++)
        {
            foreach (var disk in _disk.AfterCrash(steps, mostPerStep, seed: steps))
            {
                var before = disk.Describe();
                try
                {
                    await CheckAsync(disk, steps);
                }
                catch (Exception e)
                {
                    throw new CrashFoundException($"After a crash at step {steps} of\n{_disk.Describe(_disk.StepCount)}\nthe disk\n{before}\nis wrong: {e.Message}", e);
                }

                disks++;
            }
        }

        return disks;
    }

    private async Task CheckAsync(CrashDisk disk, int steps)
    {
        await using var volume = Open(disk, Time, shares: false);
        var keepstore = KeepstoreOf(volume, new RecordedEvents());
        foreach (var (hash, data) in _blocks)
        {
            var state = await volume.CompareAsync(hash, data, None);
            Assert.True(state != CopyState.Corrupt || _damaged.Contains(hash), $"{hash} is served wrong");
            var promises = _promises.Where(promise => promise.Hash == hash && promise.HoldsAt(steps)).ToArray();
            if (promises.Length > 0)
            {
                await AssertReadableAsync(keepstore, hash, data);
                var (mtime, promised) = (await volume.GetMtimeAsync(hash, None), promises.Max(promise => promise.MtimeNanoseconds));
                Assert.True(mtime >= promised, $"{hash} has mtime {mtime}, but {promised} was promised");
            }
        }

        foreach (var hash in _recoverable.Where(promise => promise.HoldsAt(steps)).Select(promise => promise.Hash))
        {
            if (await volume.CompareAsync(hash, _blocks[hash], None) == CopyState.Absent)
            {
                Assert.True(await volume.UntrashAsync(hash, None), $"{hash} is neither there nor in the trash");
                await AssertReadableAsync(keepstore, hash, _blocks[hash]);
            }
        }

        await AssertIndexIsTrueAsync(volume);
        await AssertUsableAsync(disk, volume);
    }

    private static async Task AssertIndexIsTrueAsync(DirectoryVolume volume)
    {
        BlockHash? last = null;
        await foreach (var entry in volume.IndexAsync("", None))
        {
            Assert.True(last is null || last.Value.CompareTo(entry.Hash) < 0);
            last = entry.Hash;
            Assert.Equal(entry.SizeBytes, await volume.ReadAsync(entry.Hash, default, None));
            Assert.Equal(entry.MtimeNanoseconds, await volume.GetMtimeAsync(entry.Hash, None));
        }
    }

    /// <summary>Everything can be written again, and what the crash left behind goes away after a day.</summary>
    private async Task AssertUsableAsync(CrashDisk disk, DirectoryVolume volume)
    {
        var later = new ManualTime();
        later.Advance(TimeSpan.FromDays(400));
        await using var nextYear = Open(disk, later, shares: false);
        var totals = await nextYear.EmptyTrashAsync(1, None);
        Assert.Equal(0, totals.Failures);
        Assert.DoesNotContain("tmp", disk.Describe(), StringComparison.Ordinal);
        foreach (var (hash, data) in _blocks)
        {
            await nextYear.WriteAsync(hash, data, None);
            Assert.Equal(CopyState.Identical, await volume.CompareAsync(hash, data, None));
        }
    }

    private static async Task AssertReadableAsync(Keepstore keepstore, BlockHash hash, byte[] data)
    {
        var block = await keepstore.ReadAsync(hash, data.Length, None);
        try
        {
            Assert.True(block.Memory.Span.SequenceEqual(data));
        }
        finally
        {
            block.Release();
        }
    }

    private async Task PromiseAsync(Task acknowledged, BlockHash hash)
    {
        var mtime = Time.Nanoseconds;
        await acknowledged;
        _promises.Add(new Promise(hash, _disk.StepCount, mtime));
    }

    private void End(List<Promise> promises, BlockHash hash)
    {
        foreach (var promise in promises.Where(promise => promise.Hash == hash))
        {
            promise.UntilStep = Math.Min(promise.UntilStep, _disk.StepCount);
        }
    }

    private Keepstore KeepstoreOf(IVolume volume, RecordedEvents events) =>
        new(new MountTable([new Mount { Uuid = "zzzzz-nyw5e-000000000000000", Volume = volume }]), _buffers, events);

    private async Task SettleAsync(Task task)
    {
        while (!task.IsCompleted && Volume.CommitByHand())
        {
        }

        Assert.True(task.IsCompleted, "It waits for something that nobody does.");
        await task;
    }

    private static DirectoryVolume Open(IDisk disk, ManualTime time, bool shares) => new(
        new DirectoryVolumeOptions
        {
            Root = CrashDisk.Root,
            Trash = new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(2), time),
            Threads = 0,
            ShareSyncsFrom = shares ? 1 : 0,
        },
        disk);

    private static BlockHash HashOf(string text) => BlockHash.Compute(Encoding.UTF8.GetBytes(text));

    /// <summary>A block is readable, with this mtime or a later one, after a crash at any step from one to the other.</summary>
    private sealed class Promise(BlockHash hash, int fromStep, long mtimeNanoseconds)
    {
        public BlockHash Hash => hash;

        public long MtimeNanoseconds => mtimeNanoseconds;

        public int UntilStep { get; set; } = int.MaxValue;

        public bool HoldsAt(int step) => fromStep <= step && step <= UntilStep;
    }

    private sealed class Fetcher(byte[] data) : IBlockFetcher
    {
        public ValueTask FetchAsync(Locator locator, IReadOnlyList<string> servers, BlockBuffer destination, CancellationToken cancellationToken)
        {
            data.CopyTo(destination.Capacity);
            destination.Length = data.Length;
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A crash may break a promise.</summary>
internal sealed class CrashFoundException(string message, Exception inner) : Exception(message, inner);
