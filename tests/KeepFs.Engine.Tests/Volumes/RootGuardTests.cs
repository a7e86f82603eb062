using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes;

/// <summary>A volume whose root suddenly is something else.</summary>
public sealed class RootGuardTests : IAsyncLifetime, IDisposable
{
    private static readonly BlockHash Foo = BlockHash.Compute("foo"u8);
    private static readonly DiskPlace Elsewhere = new(99, 99);
    private readonly TemporaryFolder _folder = new();
    private readonly RecordingDisk _disk = new();
    private readonly DirectoryVolume _volume;

    public RootGuardTests() => _volume = new DirectoryVolume(
        new DirectoryVolumeOptions { Root = _folder.Path, Trash = new TrashPolicy(TimeSpan.Zero, TimeSpan.FromHours(1), new ManualTime()), Threads = 0 }, _disk);

    public async Task InitializeAsync() => await _volume.WriteAsync(Foo, "foo"u8.ToArray(), default);

    public async Task DisposeAsync() => await _volume.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Uncovered_mount_point_is_neither_written_nor_called_empty()
    {
        (_disk.Place, _disk.FileSystem) = (Elsewhere, "ext4:/dev/root/mnt");
        var absent = BlockHash.Compute("absent"u8);

        await AssertRefusedAsync(() => _volume.WriteAsync(absent, "absent"u8.ToArray(), default).AsTask());
        await AssertRefusedAsync(() => _volume.TouchAsync(Foo, default).AsTask());
        await AssertRefusedAsync(() => _volume.ReadAsync(absent, new byte[8], default).AsTask());
        await AssertRefusedAsync(() => _volume.GetMtimeAsync(absent, default).AsTask());
        await AssertRefusedAsync(() => _volume.CompareAsync(absent, new byte[8], default).AsTask());
        await AssertRefusedAsync(() => _volume.TrashAsync(absent, default).AsTask());
        await AssertRefusedAsync(() => _volume.UntrashAsync(absent, default).AsTask());
        await AssertRefusedAsync(() => _volume.EmptyTrashAsync(1, default).AsTask());
        await AssertRefusedAsync(async () => await _volume.IndexAsync("", default).GetAsyncEnumerator().MoveNextAsync());
        Assert.Single(_folder.Files());
    }

    [Fact]
    public async Task Same_file_system_mounted_again_is_the_volume_again()
    {
        (_disk.Place, _disk.FileSystem) = (Elsewhere, "ext4:/dev/root/mnt");
        await AssertRefusedAsync(() => _volume.TouchAsync(Foo, default).AsTask());

        _disk.FileSystem = null;
        Assert.True(await _volume.TouchAsync(Foo, default));
        _disk.Place = null;
        Assert.True(await _volume.TouchAsync(Foo, default));
    }

    [Fact]
    public async Task Write_during_which_the_disk_went_away_is_not_acknowledged()
    {
        _disk.Before = step =>
        {
            if (step == "fsync dir")
            {
                (_disk.Place, _disk.FileSystem) = (Elsewhere, "ext4:/dev/root/mnt");
            }
        };
        await AssertRefusedAsync(() => _volume.WriteAsync(Foo, "foo"u8.ToArray(), default).AsTask());
    }

    [Fact]
    public async Task Index_of_a_disk_that_goes_away_does_not_end_early()
    {
        await _volume.WriteAsync(BlockHash.Compute("bar"u8), "bar"u8.ToArray(), default);
        _disk.Before = step =>
        {
            if (step == "list dir")
            {
                (_disk.Place, _disk.FileSystem) = (Elsewhere, "ext4:/dev/root/mnt");
            }
        };
        await AssertRefusedAsync(async () =>
        {
            await foreach (var _ in _volume.IndexAsync("", default))
            {
            }
        });
    }

    [Fact]
    public async Task Root_that_is_gone_says_so_and_works_when_it_is_back()
    {
        Directory.Move(_folder.Path, _folder.Path + ".away");
        try
        {
            await AssertRefusedAsync(() => _volume.ReadAsync(Foo, new byte[3], default).AsTask());
            await AssertRefusedAsync(() => _volume.WriteAsync(Foo, "foo"u8.ToArray(), default).AsTask());
            Assert.False(Directory.Exists(_folder.Path));
        }
        finally
        {
            Directory.Move(_folder.Path + ".away", _folder.Path);
        }

        Assert.Equal(3, await _volume.ReadAsync(Foo, new byte[3], default));
    }

    private async Task AssertRefusedAsync(Func<Task> operation)
    {
        var failure = await Assert.ThrowsAsync<KeepException>(operation);
        Assert.Equal(KeepErrorKind.Unavailable, failure.Kind);
        Assert.Contains(_folder.Path, failure.Message, StringComparison.Ordinal);
        Assert.Contains("mount", failure.Message, StringComparison.Ordinal);
    }
}
