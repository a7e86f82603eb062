using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes;

public sealed class DirectoryVolumeTests : VolumeContract, IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private static readonly BlockHash FooHash = BlockHash.Parse(Foo);
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingDisk _recording = new();

    protected override IVolume Create() => new DirectoryVolume(Options());

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Write_is_durable_step_by_step_before_it_succeeds()
    {
        await using var volume = Recorded();

        await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default);

        Assert.Equal(
            ["mkdir dir", "create tmp", "write tmp", "utimes tmp", "fsync tmp", "rename-new block", "fsync dir", "fsync root"], _recording.Steps);
        Assert.Equal(["acb/" + Foo], _folder.Files());
    }

    [Fact]
    public async Task Second_write_to_a_directory_takes_the_lock_of_the_old_copy_and_needs_no_root_sync()
    {
        await using var volume = Recorded();
        await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default);
        _recording.Steps.Clear();

        await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default);

        Assert.Equal(
            ["create tmp", "write tmp", "utimes tmp", "fsync tmp", "rename-new block", "open block", "flock block", "rename block", "fsync dir"], _recording.Steps);
    }

    [Fact]
    public async Task Touch_sets_times_by_path_under_the_lock_and_is_durable()
    {
        await using var volume = Recorded();
        Directory.CreateDirectory(Path.Join(_folder.Path, "acb"));
        await File.WriteAllTextAsync(Path.Join(_folder.Path, "acb", Foo), "foo");

        Assert.True(await volume.TouchAsync(FooHash, default));

        Assert.Equal(["open block", "flock block", "utimes block", "fsync block", "fsync dir", "fsync root"], _recording.Steps);
    }

    [Theory]
    [InlineData("create tmp")]
    [InlineData("write tmp")]
    [InlineData("utimes tmp")]
    [InlineData("fsync tmp")]
    [InlineData("rename block")]
    public async Task Failing_write_leaves_the_previous_copy_and_no_temporary_file(string step)
    {
        await using var volume = Recorded();
        await volume.WriteAsync(FooHash, "old"u8.ToArray(), default);
        _recording.FailAt(step, DiskError.Other);

        var failure = await Assert.ThrowsAsync<KeepException>(async () => await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default));

        Assert.Equal(KeepErrorKind.Unavailable, failure.Kind);
        Assert.Equal(["acb/" + Foo], _folder.Files());
        Assert.Equal("old", await File.ReadAllTextAsync(Path.Join(_folder.Path, "acb", Foo)));
    }

    [Theory]
    [InlineData("fsync dir")]
    [InlineData("fsync root")]
    public async Task Write_whose_name_is_not_durable_does_not_succeed(string step)
    {
        await using var volume = Recorded();
        _recording.FailAt(step, DiskError.Other);

        await Assert.ThrowsAsync<KeepException>(async () => await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default));
        await Assert.ThrowsAsync<KeepException>(async () => await volume.TouchAsync(FooHash, default));

        Assert.Equal(["acb/" + Foo], _folder.Files());
    }

    [Theory]
    [InlineData("write tmp")]
    [InlineData("fsync tmp")]
    public async Task Write_without_room_says_full(string step)
    {
        await using var volume = Recorded();
        _recording.FailAt(step, DiskError.NoSpace);

        var failure = await Assert.ThrowsAsync<KeepException>(async () => await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default));

        Assert.Equal(KeepErrorKind.Full, failure.Kind);
        Assert.Empty(_folder.Files());
    }

    [Fact]
    public async Task Full_mark_is_set_believed_for_an_hour_and_replaced()
    {
        await using var volume = Recorded();
        var mark = new FileInfo(Path.Join(_folder.Path, "full"));
        _recording.Space = new VolumeSpace(Locator.MaxBlockSizeBytes - 1, 1L << 40);
        await AssertFullAsync();
        Assert.Equal($"{Time.GetUtcNow().ToUnixTimeSeconds()}", mark.LinkTarget);

        _recording.Space = new VolumeSpace(Locator.MaxBlockSizeBytes, 1L << 40);
        Time.Advance(TimeSpan.FromSeconds(3599));
        await AssertFullAsync();

        Time.Advance(TimeSpan.FromSeconds(1));
        await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default);

        _recording.Space = new VolumeSpace(0, 1L << 40);
        await AssertFullAsync();
        mark.Refresh();
        Assert.Equal($"{Time.GetUtcNow().ToUnixTimeSeconds()}", mark.LinkTarget);

        async Task AssertFullAsync()
        {
            var failure = await Assert.ThrowsAsync<KeepException>(async () => await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default));
            Assert.Equal(KeepErrorKind.Full, failure.Kind);
        }
    }

    [Fact]
    public async Task Touch_that_waited_while_trash_moved_the_block_misses_it()
    {
        await using var volume = Recorded();
        await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default);
        var path = Path.Join(_folder.Path, "acb", Foo);
        _recording.Before = step =>
        {
            if (step == "flock block")
            {
                File.Move(path, path + ".trash.1999999999");
            }
        };

        Assert.False(await volume.TouchAsync(FooHash, default));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Trash_that_waited_while_the_block_was_written_again_leaves_it()
    {
        await using var volume = Recorded();
        await volume.WriteAsync(FooHash, "bad"u8.ToArray(), default);
        Time.Advance(TimeSpan.FromHours(1));
        await using var other = new DirectoryVolume(Options() with { Threads = 0 });
        _recording.Before = step =>
        {
            if (step == "flock block")
            {
                Assert.True(other.WriteAsync(FooHash, "foo"u8.ToArray(), default).AsTask().IsCompletedSuccessfully);
            }
        };

        Assert.Equal(TrashOutcome.TooYoung, await volume.TrashAsync(FooHash, default));
        Assert.Equal(["acb/" + Foo], _folder.Files());
    }

    [Fact]
    public async Task Untrash_that_cannot_move_the_name_reports_it()
    {
        await using var volume = Recorded();
        await volume.WriteAsync(FooHash, "foo"u8.ToArray(), default);
        Time.Advance(TimeSpan.FromHours(1));
        await volume.TrashAsync(FooHash, default);
        _recording.FailAt("rename-new block", DiskError.Other);

        var failure = await Assert.ThrowsAsync<KeepException>(async () => await volume.UntrashAsync(FooHash, default));

        Assert.Equal(KeepErrorKind.Unavailable, failure.Kind);
    }

    [Fact]
    public async Task Trash_name_carries_the_deadline()
    {
        await WriteAsync("foo");
        Time.Advance(TimeSpan.FromHours(1));
        await Volume.TrashAsync(FooHash, default);

        Assert.Equal([$"acb/{Foo}.trash.{(Time.GetUtcNow() + TimeSpan.FromHours(2)).ToUnixTimeSeconds()}"], _folder.Files());
    }

    [Fact]
    public async Task Emptier_removes_temporary_files_older_than_a_day_and_nothing_else()
    {
        Directory.CreateDirectory(Path.Join(_folder.Path, "acb"));
        foreach (var (name, age) in new[] { ($"tmp{Foo}old", 25), ($"tmp{Foo}new", 23), ("notes", 999), (Foo, 999) })
        {
            var path = Path.Join(_folder.Path, "acb", name);
            await File.WriteAllTextAsync(path, "x");
            File.SetLastWriteTimeUtc(path, (Time.GetUtcNow() - TimeSpan.FromHours(age)).UtcDateTime);
        }

        Assert.Equal(new TrashTotals(0, 0, 0, 0, 1, 0), await Volume.EmptyTrashAsync(4, default));
        Assert.Equal(["acb/" + Foo, "acb/notes", $"acb/tmp{Foo}new"], _folder.Files());
    }

    [Fact]
    public async Task Serialized_volume_keeps_the_contract_under_load()
    {
        await using var volume = new DirectoryVolume(Options() with { Serialize = true });
        await Parallel.ForAsync(0, 50, async (i, token) => await volume.WriteAsync(BlockHash.Compute([(byte)i]), new byte[] { (byte)i }, token));
        Assert.Equal(50, _folder.Files().Length);
    }

    [Fact]
    public void Device_id_is_the_file_system_uuid_and_the_path_below_its_root()
    {
        string[] mounts =
        [
            "21 1 8:1 / / rw - ext4 /dev/sda1 rw",
            "22 21 8:2 /sub /mnt/keep rw,relatime shared:1 - ext4 /dev/sdb1 rw",
            "23 21 8:3 / /mnt/keeper rw - ext4 /dev/sdc1 rw",
        ];
        string? UuidOf(string source) => source == "/dev/sdb1" ? "1234-uuid" : null;

        Assert.Equal("1234-uuid/sub/keep0", DirectoryDeviceId.FromMounts("/mnt/keep/keep0", mounts, UuidOf));
        Assert.Equal("1234-uuid/sub", DirectoryDeviceId.FromMounts("/mnt/keep", mounts, UuidOf));
        Assert.Null(DirectoryDeviceId.FromMounts("/mnt/keeper/x", mounts, UuidOf));
    }

    [Fact]
    public void Missing_root_is_refused() =>
        Assert.Throws<KeepException>(() => new DirectoryVolume(Options() with { Root = Path.Join(_folder.Path, "absent") }));

    private DirectoryVolumeOptions Options() => new() { Root = _folder.Path, Trash = Policy };

    private DirectoryVolume Recorded() => new(Options() with { Threads = 0 }, _recording);
}
