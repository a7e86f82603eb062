using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Engine.Tests.FileSystems;

/// <summary><c>@versions</c> and <c>@at</c>: what a collection was.</summary>
public sealed class SiteVersionsTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly SiteWorld _world = new();
    private string _uuid = "";

    public async Task InitializeAsync()
    {
        _uuid = await _world.CollectionAsync("c");
        await _world.OpenAsync();
        foreach (var text in (string[])["one", "two", "three"])
        {
            await _world.WriteAsync("home/c/file", text);
            await _world.Site.SyncAllAsync(default);
        }
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Versions_are_listed_by_number_and_hold_what_was_saved_then()
    {
        Assert.Equal(["1", "2", "3", "4"], await _world.ListAsync("home/c/@versions"));
        Assert.Empty(await _world.ListAsync("home/c/@versions/1"));
        Assert.Equal("one", await _world.ReadAsync("home/c/@versions/2/file"));
        Assert.Equal("two", await _world.ReadAsync("home/c/@versions/3/file"));
        Assert.Equal(["file"], await _world.ListAsync("home/c"));
        Assert.Null(await _world.Ops.StatAsync("home/c/@versions/5"));
    }

    [Fact]
    public async Task Past_versions_cannot_be_changed_and_have_no_versions_themselves()
    {
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateFileAsync("home/c/@versions/2/new")));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateDirectoryAsync("home/c/@versions/new")));
        Assert.Null(await _world.Ops.StatAsync("home/c/@versions/2/@versions"));
        var home = (IDirectoryNode)await _world.Ops.NodeAsync("home/c");
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => home.RenameAsync("@versions", home, "x", true, default).AsTask()));
    }

    [Fact]
    public async Task Current_version_does_not_change_under_a_reader()
    {
        var current = (IDirectoryNode)await _world.Ops.NodeAsync("home/c/@versions/4");
        await current.ListAsync(default);
        await _world.WriteAsync("home/c/file", "four!");
        await _world.Site.SyncAllAsync(default);
        var file = (IFileNode)(await current.LookupAsync("file", default))!;
        Assert.Equal(5, (await file.GetAttributesAsync(default)).SizeBytes);
    }

    [Fact]
    public async Task A_moment_shows_the_version_that_was_saved_by_then()
    {
        var times = (await _world.Catalog.ListVersionsAsync(_uuid, default)).ToDictionary(version => version.Version, version => version.ModifiedAt!.Value.UtcDateTime);
        Assert.Equal("one", await _world.ReadAsync($"home/c/@at/{times[2]:yyyy-MM-ddTHH:mm:ss}Z/file"));
        Assert.Equal("two", await _world.ReadAsync($"home/c/@at/{times[4].AddSeconds(-1):yyyy-MM-ddTHH:mm:ss}Z/file"));
        Assert.Equal("three", await _world.ReadAsync("home/c/@at/2026-01-01/file"));
        Assert.Null(await _world.Ops.StatAsync($"home/c/@at/{times[1].AddSeconds(-1):yyyy-MM-ddTHH:mm:ss}Z"));
        Assert.Null(await _world.Ops.StatAsync("home/c/@at/yesterday"));
        Assert.Empty(await _world.ListAsync("home/c/@at"));
    }

    [Theory]
    [InlineData("2026-11-01", "2026-11-01T22:59:59.9999999Z")]
    [InlineData("2026-11-01T12:00", "2026-11-01T11:00:00Z")]
    [InlineData("2026-11-01 12:00:07.5", "2026-11-01T11:00:07.5Z")]
    [InlineData("2026-11-01T12:00Z", "2026-11-01T12:00:00Z")]
    [InlineData("2026-11-01T12:00:01+02:00", "2026-11-01T10:00:01Z")]
    public void Moments_are_read_as_people_write_them(string text, string expected)
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(1), "test", "test");
        Assert.True(VersionTime.TryParse(text, zone, out var time));
        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), time.ToUniversalTime());
    }

    [Theory]
    [InlineData("")]
    [InlineData("12:00")]
    [InlineData("2026-13-01")]
    [InlineData("2026-11-01T12")]
    [InlineData("2026-11-01T12:00 CET")]
    public void Other_texts_are_no_moments(string text) => Assert.False(VersionTime.TryParse(text, TimeZoneInfo.Utc, out _));

    [Fact]
    public void The_newest_version_of_a_moment_is_taken()
    {
        Collection[] versions = [Of(3, 30), Of(2, 20), Of(1, 10)];
        Assert.Equal([null, 1, 1, 2, 3], new[] { 9, 10, 19, 20, 99 }.Select(second => VersionTime.At(versions, DateTimeOffset.UnixEpoch.AddSeconds(second))?.Version));

        static Collection Of(int version, int second) => new() { Version = version, ModifiedAt = DateTimeOffset.UnixEpoch.AddSeconds(second) };
    }
}
