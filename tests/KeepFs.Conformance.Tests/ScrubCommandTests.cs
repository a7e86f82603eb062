using System.Net;
using System.Text.Json.Nodes;

namespace KeepFs.Conformance.Tests;

/// <summary><c>keepfs scrub</c> against a real keepstore.</summary>
public sealed class ScrubCommandTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("keepfs-scrub-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Damage_is_found_put_aside_and_reported_until_the_block_is_stored_again()
    {
        await using var daemon = await KeepstoreDaemon.StartAsync(_root);
        byte[] good = [1, 2, 3];
        byte[] bad = [4, 5, 6, 7];
        Assert.Equal(HttpStatusCode.OK, await daemon.PutAsync(good));
        Assert.Equal(HttpStatusCode.OK, await daemon.PutAsync(bad));
        Blocks.Corrupt(_root, Blocks.Hash(bad));

        var idle = await ScrubAsync(daemon);
        idle.Ok();
        Assert.Contains("never", idle.Output, StringComparison.Ordinal);
        var found = await ScrubAsync(daemon, "--now", "--watch", "--rate", "0", "--json");
        Assert.Equal(1, found.ExitCode);
        var state = JsonNode.Parse(found.Output)!["mounts"]![0]!["state"]!;
        Assert.Equal((2, 1, 1), ((int)state["last_pass"]!["checked_blocks"]!, (int)state["last_pass"]!["corrupt_blocks"]!, (int)state["lost_blocks"]!));
        Assert.Single(Directory.GetFiles(Path.Combine(_root, "quarantine")));
        Assert.Equal([$"{Blocks.Hash(good)}+3"], (await daemon.IndexAsync()).Keys);

        Assert.Equal(HttpStatusCode.OK, await daemon.PutAsync(bad));
        (await ScrubAsync(daemon, "--now", "--watch")).Ok();
        await daemon.AssertHasAsync(bad);
    }

    [Fact]
    public async Task Wrong_token_and_absent_server_are_said_plainly()
    {
        await using var daemon = await KeepstoreDaemon.StartAsync(_root);
        var other = Path.Combine(_root, "other-token");
        await File.WriteAllTextAsync(other, "wrong");
        Assert.Contains("does not accept the system token", (await Shell.RunAsync(KeepFsProcess.Program, ["scrub", daemon.Url, "--token-file", other])).Failed(), StringComparison.Ordinal);
        Assert.Contains("does not answer", (await Shell.RunAsync(KeepFsProcess.Program, ["scrub", "http://127.0.0.1:9", "--token-file", other])).Failed(), StringComparison.Ordinal);
        Assert.Contains("--config", (await Shell.RunAsync(KeepFsProcess.Program, ["scrub", "--config", "/nowhere/config.yml"])).Failed(), StringComparison.Ordinal);
    }

    private static Task<ShellResult> ScrubAsync(KeepstoreDaemon daemon, params string[] options) =>
        Shell.RunAsync(KeepFsProcess.Program, ["scrub", daemon.Url, "--token-file", daemon.TokenFile, .. options]);
}
