using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;
using Xunit.Abstractions;

namespace KeepFs.Engine.Tests.Volumes;

/// <summary>
/// What a directory volume acknowledged survives a crash at every step, with every state that the disk may then have; each scenario
/// with a write's own syncs and with shared ones.
/// </summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    // All states of the small scenarios; a sample of the others'. The full run takes more of them.
    private static readonly int Most = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 20_000 : 1000;
    private static readonly string TwoSectors = new('x', 700);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task First_write(bool shares) => CheckAsync(shares, scenario => scenario.WriteAsync(TwoSectors), atLeast: 100);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Empty_block(bool shares) => CheckAsync(shares, scenario => scenario.WriteAsync(""), atLeast: 20);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Write_over_a_damaged_copy(bool shares) => CheckAsync(
        shares,
        async scenario =>
        {
            await scenario.DamageAsync(TwoSectors);
            scenario.Begin();
            await scenario.WriteAsync(TwoSectors);
        },
        atLeast: 100);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Touch_of_an_old_block(bool shares) => CheckAsync(
        shares,
        async scenario =>
        {
            await scenario.WriteAsync("foo");
            scenario.Begin();
            scenario.Time.Advance(TimeSpan.FromHours(3));
            await scenario.TouchAsync("foo");
        },
        atLeast: 4);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Pull_over_a_damaged_copy(bool shares) => CheckAsync(
        shares,
        async scenario =>
        {
            await scenario.DamageAsync("foo");
            scenario.Begin();
            await scenario.PullAsync("foo");
        },
        atLeast: 40);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Writes_at_the_same_time(bool shares) => CheckAsync(
        shares,
        async scenario =>
        {
            // The first two share a directory (a8c), the last is there already.
            await scenario.WriteAsync("foo");
            scenario.Begin();
            scenario.Time.Advance(TimeSpan.FromSeconds(1));
            await scenario.WriteAsync("block 8", "block 144", TwoSectors, "foo");
            await scenario.WriteAsync("bar");
        },
        atLeast: shares ? 5000 : 400);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Trash_and_untrash(bool shares) => CheckAsync(
        shares,
        async scenario =>
        {
            await scenario.WriteAsync("foo");
            scenario.Time.Advance(TimeSpan.FromHours(1));
            scenario.Begin();
            await scenario.TrashAsync("foo");
            await scenario.UntrashAsync("foo");
            await scenario.TouchAsync("foo");
        },
        atLeast: 6);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Write_after_trash_then_untrash_and_emptier(bool shares) => CheckAsync(
        shares,
        async scenario =>
        {
            await scenario.WriteAsync("foo", "bar");
            scenario.Time.Advance(TimeSpan.FromHours(1));
            scenario.Begin();
            await scenario.TrashAsync("foo");
            await scenario.TrashAsync("bar");
            await scenario.WriteAsync("foo");
            await scenario.UntrashAsync("foo");
            scenario.Time.Advance(TimeSpan.FromHours(2));
            await scenario.EmptyTrashAsync("foo", "bar");
            await scenario.WriteAsync("bar");
        },
        atLeast: 200);

    [Fact]
    public Task Full_mark() => CheckAsync(
        shares: false,
        async scenario =>
        {
            await scenario.WriteAsync("foo");
            scenario.Begin();
            scenario.Disk.Space = new VolumeSpace(0, 1L << 40);
            await Assert.ThrowsAsync<KeepException>(() => scenario.WriteAsync("bar"));
            scenario.Disk.Space = new VolumeSpace(1L << 40, 1L << 40);
            scenario.Time.Advance(TimeSpan.FromHours(1));
            await scenario.WriteAsync("bar");
        },
        atLeast: 50);

    /// <summary>The checks above can fail: each step that a volume might forget is missed.</summary>
    [Theory]
    [InlineData(Carelessness.NoFileSync, false)]
    [InlineData(Carelessness.NameBeforeSync, false)]
    [InlineData(Carelessness.NoDirectorySync, false)]
    [InlineData(Carelessness.NoRootSync, false)]
    [InlineData(Carelessness.NoSharedSync, true)]
    [InlineData(Carelessness.HalfSharedSync, true)]
    public async Task Volume_that_forgets_a_step_is_found_out(Carelessness carelessness, bool shares)
    {
        var scenario = new CrashScenario(shares, carelessness);
        await scenario.WriteAsync("foo");
        output.WriteLine((await Assert.ThrowsAsync<CrashFoundException>(() => scenario.CheckAsync(Most))).Message);
    }

    [Fact]
    public async Task Forgotten_sync_of_a_touch_is_found_out()
    {
        var scenario = new CrashScenario(shares: false, Carelessness.NoTouchSync);
        await scenario.WriteAsync("foo");
        scenario.Time.Advance(TimeSpan.FromHours(1));
        await scenario.TouchAsync("foo");
        Assert.Contains("mtime", (await Assert.ThrowsAsync<CrashFoundException>(() => scenario.CheckAsync(Most))).Message, StringComparison.Ordinal);
    }

    private async Task CheckAsync(bool shares, Func<CrashScenario, Task> play, int atLeast)
    {
        var scenario = new CrashScenario(shares);
        await play(scenario);
        var disks = await scenario.CheckAsync(Most);
        output.WriteLine($"{disks} disks after {scenario.Disk.StepCount} steps");
        Assert.True(disks >= atLeast, $"only {disks} disks were tried");
    }
}
