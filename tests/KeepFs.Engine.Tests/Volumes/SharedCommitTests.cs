using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes;

/// <summary>Writes and touches that share syncs; every cycle by hand, so that the steps are known.</summary>
public sealed class SharedCommitTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private static readonly BlockHash FooHash = BlockHash.Parse(Foo);
    private static readonly byte[] FooBytes = "foo"u8.ToArray();
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingDisk _recording = new();
    private readonly ManualTime _time = new();
    private readonly DirectoryVolume _volume;

    public SharedCommitTests() => _volume = new DirectoryVolume(
        new DirectoryVolumeOptions
        {
            Root = _folder.Path,
            Trash = new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(2), _time),
            Threads = 0,
            ShareSyncsFrom = 1,
        },
        _recording);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Write_is_named_after_one_sync_and_answered_after_another()
    {
        var write = _volume.WriteAsync(FooHash, FooBytes, default).AsTask();
        Assert.True(_volume.CommitByHand());
        Assert.Equal(["acb/" + Foo], _folder.Files());
        Assert.False(write.IsCompleted);

        Assert.True(_volume.CommitByHand());
        await write;

        Assert.Equal(["mkdir dir", "create tmp", "write tmp", "utimes tmp", "syncfs root", "rename-new block", "syncfs root"], _recording.Steps);
        Assert.False(_volume.CommitByHand());
    }

    [Fact]
    public async Task Writes_share_syncs_and_a_cycle_names_some_while_it_finishes_others()
    {
        var first = Enumerable.Range(0, 10).Select(WriteAsync).ToArray();
        _volume.CommitByHand();
        var second = Enumerable.Range(10, 10).Select(WriteAsync).ToArray();
        _volume.CommitByHand();
        await Task.WhenAll(first);
        Assert.DoesNotContain(second, write => write.IsCompleted);
        _volume.CommitByHand();
        await Task.WhenAll(second);

        Assert.Equal(3, _recording.Steps.Count(step => step == "syncfs root"));
        Assert.DoesNotContain(_recording.Steps, step => step.StartsWith("fsync", StringComparison.Ordinal));
        Assert.Equal(20, _folder.Files().Length);
    }

    [Fact]
    public async Task Touch_needs_one_cycle()
    {
        await CommitAsync(_volume.WriteAsync(FooHash, FooBytes, default).AsTask());
        _recording.Steps.Clear();
        _time.Advance(TimeSpan.FromHours(1));

        var touch = _volume.TouchAsync(FooHash, default).AsTask();
        Assert.False(touch.IsCompleted);
        _volume.CommitByHand();

        Assert.True(await touch);
        Assert.Equal(["open block", "flock block", "utimes block", "syncfs root"], _recording.Steps);
        Assert.Equal(_time.Nanoseconds, await _volume.GetMtimeAsync(FooHash, default));
    }

    [Fact]
    public async Task Failed_sync_fails_what_it_was_for_and_leaves_no_temporary_file()
    {
        var named = WriteAsync(1);
        _volume.CommitByHand();
        var fresh = WriteAsync(2);
        _recording.FailAt("syncfs root", DiskError.Other);
        _volume.CommitByHand();

        await AssertUnavailableAsync(named);
        await AssertUnavailableAsync(fresh);
        Assert.DoesNotContain(_folder.Files(), file => file.Contains("tmp", StringComparison.Ordinal));

        _recording.Before = _ => { };
        await CommitAsync(WriteAsync(2));
    }

    [Fact]
    public async Task Write_that_runs_while_a_sync_fails_fails_too()
    {
        // The failing sync may have been the one that met the lost bytes, and the next one does not tell again.
        Task? late = null;
        var early = WriteAsync(1);
        _recording.Before = step =>
        {
            if (step == "syncfs root")
            {
                _recording.Before = _ => { };
                late = WriteAsync(2);
                throw new DiskException(DiskError.Other, "lost bytes");
            }
        };
        _volume.CommitByHand();
        _volume.CommitByHand();

        await AssertUnavailableAsync(early);
        await AssertUnavailableAsync(late!);
        Assert.Empty(_folder.Files());
    }

    [Fact]
    public async Task Write_over_a_copy_that_somebody_has_locked_waits_for_the_lock_elsewhere()
    {
        await CommitAsync(_volume.WriteAsync(FooHash, FooBytes, default).AsTask());
        var holder = new PosixDisk().Open(Path.Join(_folder.Path, "acb", Foo), DiskAccess.Append);
        holder.Lock();
        var write = _volume.WriteAsync(FooHash, FooBytes, default).AsTask();
        _recording.Before = step =>
        {
            // The cycle itself did not wait; whoever waits for the lock now gets it.
            if (step == "flock block")
            {
                holder.Dispose();
            }
        };
        await CommitAsync(write);

        Assert.Contains("try flock block", _recording.Steps);
        Assert.Equal(["acb/" + Foo], _folder.Files());
    }

    [Fact]
    public async Task Nothing_is_acknowledged_when_the_root_became_another_directory_meanwhile()
    {
        var write = _volume.WriteAsync(FooHash, FooBytes, default).AsTask();
        _recording.Before = step =>
        {
            if (step == "syncfs root")
            {
                (_recording.Place, _recording.FileSystem) = (new DiskPlace(1, 1), "an empty mount point");
            }
        };
        _volume.CommitByHand();

        await AssertUnavailableAsync(write);
    }

    [Fact]
    public async Task Large_write_does_it_alone_and_keeps_small_ones_from_sharing()
    {
        var large = new byte[(1 << 20) + 1];
        Task? small = null;
        _recording.Before = step =>
        {
            if (step == "fsync tmp")
            {
                _recording.Before = _ => { };
                small = WriteAsync(1);
            }
        };
        await _volume.WriteAsync(BlockHash.Compute(large), large, default);
        await small!;

        Assert.DoesNotContain("syncfs root", _recording.Steps);
    }

    [Fact]
    public async Task Concurrent_writes_and_touches_on_a_real_disk_end_and_are_readable()
    {
        await using var volume = new DirectoryVolume(new DirectoryVolumeOptions
        {
            Root = _folder.Path,
            Trash = new TrashPolicy(TimeSpan.Zero, TimeSpan.FromHours(2), TimeProvider.System),
        });
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, token) =>
        {
            var data = BitConverter.GetBytes(i % 300);
            var hash = BlockHash.Compute(data);
            switch (i % 5)
            {
                case 0:
                    await volume.TouchAsync(hash, token);
                    break;
                case 1:
                    await volume.TrashAsync(hash, token);
                    await volume.UntrashAsync(hash, token);
                    break;
                default:
                    await volume.WriteAsync(hash, data, token);
                    Assert.NotEqual(CopyState.Corrupt, await volume.CompareAsync(hash, data, token));
                    break;
            }
        });

        Assert.DoesNotContain(_folder.Files(), file => file.Contains("tmp", StringComparison.Ordinal));
    }

    private Task WriteAsync(int number)
    {
        var data = BitConverter.GetBytes(number);
        return _volume.WriteAsync(BlockHash.Compute(data), data, default).AsTask();
    }

    private async Task CommitAsync(Task write)
    {
        while (!write.IsCompleted && _volume.CommitByHand())
        {
        }

        await write;
    }

    private static async Task AssertUnavailableAsync(Task write) =>
        Assert.Equal(KeepErrorKind.Unavailable, (await Assert.ThrowsAsync<KeepException>(() => write)).Kind);
}
