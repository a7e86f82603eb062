using System.Diagnostics;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes.Gateway;

public sealed class FileObjectsTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private FileObjects _objects = null!;

    private string Root => Path.Combine(_folder.Path, "root");

    public Task InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(Root, "sub"));
        File.WriteAllText(Path.Combine(_folder.Path, "secret"), "secret");
        File.WriteAllText(Path.Combine(Root, "sub", "file"), "inside");
        _objects = new FileObjects(Root, TimeProvider.System);
        return Task.CompletedTask;
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _objects.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("sub/../../secret")]
    [InlineData("/etc/passwd")]
    [InlineData("out")]
    [InlineData("outdir/secret")]
    [InlineData("absolute")]
    [InlineData("")]
    [InlineData("sub")]
    [InlineData("pipe")]
    [InlineData("nowhere")]
    [InlineData("sub/file/below")]
    [InlineData("nul\0")]
    public async Task Nothing_but_files_below_the_root_is_found(string key)
    {
        File.CreateSymbolicLink(Path.Combine(Root, "out"), "../secret");
        File.CreateSymbolicLink(Path.Combine(Root, "absolute"), Path.Combine(_folder.Path, "secret"));
        Directory.CreateSymbolicLink(Path.Combine(Root, "outdir"), "..");
        using (var make = Process.Start("mkfifo", [Path.Combine(Root, "pipe")]))
        {
            await make.WaitForExitAsync();
        }

        Assert.Null(await _objects.StatAsync(new ObjectKey(key), default));
        Assert.Null(await _objects.OpenAsync(new ObjectKey(key), 0, 1, default));
    }

    [Theory]
    [InlineData("sub/file")]
    [InlineData("sub/../sub/file")]
    [InlineData("link")]
    public async Task Ways_that_stay_below_the_root_are_followed(string key)
    {
        File.CreateSymbolicLink(Path.Combine(Root, "link"), "sub/file");

        Assert.Equal("side", await ReadAsync(new ObjectKey(key), 2, 4));
    }

    [Theory]
    [InlineData(6, 1)]
    [InlineData(3, 4)]
    [InlineData(long.MaxValue, 1)]
    public async Task Range_beyond_the_end_is_gone(long offset, int length) =>
        Assert.Null(await _objects.OpenAsync(new ObjectKey("sub/file"), offset, length, default));

    [Fact]
    public async Task Names_that_are_not_utf8_are_opened()
    {
        using (var make = Process.Start("bash", ["-c", $"printf odd > \"{Root}\"/$'\\xff\\xfe\\n'"]))
        {
            await make.WaitForExitAsync();
        }

        Assert.Equal("odd", await ReadAsync(new ObjectKey([0xff, 0xfe, (byte)'\n']), 0, 3));

        // The runtime cannot delete what it cannot name.
        using var remove = Process.Start("rm", ["-rf", Root]);
        await remove.WaitForExitAsync();
    }

    [Fact]
    public async Task Version_changes_with_content_and_with_times_that_were_put_back()
    {
        var path = Path.Combine(Root, "sub", "file");
        var key = new ObjectKey("sub/file");
        var before = await _objects.StatAsync(key, default);
        var time = File.GetLastWriteTimeUtc(path);
        await File.WriteAllTextAsync(path, "INSIDE");
        File.SetLastWriteTimeUtc(path, time);

        var after = await _objects.StatAsync(key, default);
        Assert.Equal((before!.SizeBytes, before.LastModifiedSeconds), (after!.SizeBytes, after.LastModifiedSeconds));
        Assert.NotEqual(before.ETag, after.ETag);
    }

    [Fact]
    public void Root_that_is_no_directory_is_refused() =>
        Assert.Equal(KeepErrorKind.BadRequest, Assert.Throws<KeepException>(() => new FileObjects(Path.Combine(Root, "nowhere"), TimeProvider.System)).Kind);

    private async Task<string> ReadAsync(ObjectKey key, long offset, int length)
    {
        await using var reader = await _objects.OpenAsync(key, offset, length, default);
        var bytes = new byte[length + 1];
        var done = 0;
        while (await reader!.ReadAsync(bytes.AsMemory(done), default) is > 0 and var count)
        {
            done += count;
        }

        return System.Text.Encoding.UTF8.GetString(bytes, 0, done);
    }
}
