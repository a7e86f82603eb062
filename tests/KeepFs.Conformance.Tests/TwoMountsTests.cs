using System.Diagnostics;

namespace KeepFs.Conformance.Tests;

/// <summary>The same home mounted twice, by two processes.</summary>
[Collection(ClusterTests.Name)]
public sealed class TwoMountsTests(SharedCluster shared) : IAsyncLifetime
{
    private readonly KeepFsProcess _cluster = shared.Process;
    private readonly string _name = "shared " + Guid.NewGuid().ToString("N");
    private string _second = "";
    private Process? _mount;

    private string First => Path.Combine(_cluster.Home, _name);

    private string Second => Path.Combine(_second, "home", _name);

    public async Task InitializeAsync()
    {
        _second = Path.Combine(_cluster.NewFolder(), "mnt2");
        _mount = Shell.Start(KeepFsProcess.Program, ["mount", _second], _cluster.Env, null);
        Assert.StartsWith("mounted at", await _mount.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit), StringComparison.Ordinal);
    }

    public async Task DisposeAsync()
    {
        await Shell.SignalAsync(_mount!, "TERM");
        await _mount!.WaitForExitAsync().WaitAsync(Shell.Limit);
        var code = _mount.ExitCode;
        _mount.Dispose();
        Assert.Equal(0, code);
        Assert.False(Mounts.Has(_second));
    }

    [Fact]
    public async Task A_file_saved_in_one_appears_and_changes_in_the_other()
    {
        (await _cluster.ScriptAsync($"mkdir '{First}'; echo one > '{First}/file'; sync '{First}/file'")).Ok();
        await AssertSeenAsync("one");

        // The same size: the kernel's cached pages must go.
        (await _cluster.ScriptAsync($"echo two > '{First}/file'; sync '{First}/file'")).Ok();
        await AssertSeenAsync("two");

        (await _cluster.ScriptAsync($"echo longer text > '{First}/file'; sync '{First}/file'")).Ok();
        await AssertSeenAsync("longer text");

        (await _cluster.ScriptAsync($"rm '{First}/file'; : > '{First}/another'; sync '{First}/another'")).Ok();
        await Eventually.TrueAsync(async () => (await _cluster.ScriptAsync($"ls -A '{Second}'")).Output == "another\n", "the second mount lists what the first left");
    }

    [Fact]
    public async Task Changes_to_different_files_at_the_same_time_are_merged()
    {
        await MakeAsync();
        (await _cluster.ScriptAsync(
            $"""
            echo one > '{First}/left'; echo two > '{Second}/right'
            sync '{First}/left' & sync '{Second}/right'; wait $!
            """)).Ok();

        Assert.Equal(["base", "left", "right"], await SavedNamesAsync());
    }

    [Fact]
    public async Task Changes_to_the_same_file_at_the_same_time_are_both_kept()
    {
        await MakeAsync();
        (await _cluster.ScriptAsync(
            $"""
            exec 3> '{First}/base' 4> '{Second}/base'
            echo by the first >&3; echo by the second >&4
            sync '{First}/base'; sync '{Second}/base'
            exec 3>&- 4>&-
            """)).Ok();

        var names = await SavedNamesAsync();
        Assert.Equal(2, names.Length);
        Assert.Contains("base", names);
        Assert.Contains(names, name => name.StartsWith("base~", StringComparison.Ordinal) && name.EndsWith("~conflict~", StringComparison.Ordinal));
        var contents = await Task.WhenAll(names.Select(async name => (await _cluster.KeepFsAsync("get", $"{await UuidAsync()}/{name}", "-")).Ok()));
        Assert.Equal(["by the first", "by the second"], contents.Order(StringComparer.Ordinal));
    }

    private async Task MakeAsync()
    {
        (await _cluster.ScriptAsync($"mkdir '{First}'; echo base > '{First}/base'; sync '{First}/base'")).Ok();
        await Eventually.TrueAsync(async () => (await _cluster.ScriptAsync($"cat '{Second}/base'")).ExitCode == 0, "the second mount sees the file");
    }

    private Task AssertSeenAsync(string text) =>
        Eventually.TrueAsync(async () => (await _cluster.ScriptAsync($"cat '{Second}/file'")).Output == text + "\n", $"the second mount says \"{text}\"");

    private async Task<string> UuidAsync() => Assert.Single((await _cluster.KeepFsAsync("ls")).Lines, line => line.EndsWith("  " + _name, StringComparison.Ordinal))[..27];

    private async Task<string[]> SavedNamesAsync() => [.. (await _cluster.KeepFsAsync("ls", await UuidAsync())).Lines.Select(line => line[2..])];
}
