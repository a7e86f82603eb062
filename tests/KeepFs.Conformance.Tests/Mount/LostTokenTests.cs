using System.Text.Json.Nodes;

namespace KeepFs.Conformance.Tests.Mount;

/// <summary>The token of a mount is deleted while it is used (docs/mount.md: when the cluster does not let us in any more).</summary>
[Collection(ClusterTests.Name)]
public sealed class LostTokenTests(SharedCluster shared) : IDisposable
{
    /// <summary>The documented time for an answer; generous, because the machine is shared.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    private readonly KeepFsProcess _cluster = shared.Process;
    private readonly Http _http = new(shared.Process);

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Everything_written_before_and_after_the_token_was_deleted_is_saved_by_the_next_mount_with_another_token()
    {
        var folder = "token " + Guid.NewGuid().ToString("N");
        (await _cluster.ScriptAsync($"mkdir \"$HOME_DIR/{folder}\" \"$HOME_DIR/{folder} other\"; echo there > \"$HOME_DIR/{folder} other/file\"; sync \"$HOME_DIR/{folder} other\"; head -c 70000000 /dev/urandom > big; (head -c 100000 /dev/urandom; echo) > medium")).Ok();
        var token = await NewTokenAsync();
        await using var mount = JournaledMount.Prepare(_cluster);
        mount.Token = token;
        await mount.StartAgainAsync();
        var home = Path.Combine(mount.Home, folder);
        (await ScriptAsync(home, "cp \"$W/medium\" saved; sync saved; cmp saved \"$W/medium\"; echo old > changed; sync changed")).Ok();
        await _http.ApiOkAsync(HttpMethod.Delete, "arvados/v1/api_client_authorizations/" + token.Split('/')[1]);

        // Reading goes on, also past the kernel's cache; what is not known yet is refused.
        (await ScriptAsync(home, "dd if=saved bs=1M iflag=direct status=none | cmp - \"$W/medium\"; test \"$(cat changed)\" = old")).Ok();
        Assert.Contains("Permission denied", (await ScriptAsync(home, $"ls '../{folder} other'")).Failed(), StringComparison.Ordinal);
        Assert.Contains("Permission denied", (await ScriptAsync(home, $"cat '../{folder} other/file'")).Failed(), StringComparison.Ordinal);

        // A whole block goes to keepstores, which do not look tokens up; the rest stays in the journal.
        (await ScriptAsync(home, "cp \"$W/big\" big; cp \"$W/medium\" medium; echo new > changed; mkdir -p d/e; echo x > d/e/small; mv d/e/small d/moved; rm -f saved; cmp big \"$W/big\"")).Ok();
        Assert.Contains("Permission denied", (await ScriptAsync(home, "sync medium")).Failed(), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await mount.StatusAsync()).Ok().Contains("401", StringComparison.Ordinal), "the status says why nothing is saved");
        await Eventually.TrueAsync(async () => (await ScriptAsync(home, "echo more >> medium")).ExitCode != 0, "programs are told by an error");
        Assert.Contains("Input/output error", (await ScriptAsync(home, "echo more >> medium")).Failed(), StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('/')[2], mount.Errors, StringComparison.Ordinal);

        await mount.KillAsync();
        mount.Token = await NewTokenAsync();
        await mount.StartAgainAsync();
        (await ScriptAsync(home, "cmp big \"$W/big\"; cmp medium <(cat \"$W/medium\"; for i in $(seq $(grep -c -a -x more medium)); do echo more; done); test \"$(cat changed)\" = new; test \"$(cat d/moved)\" = x; test ! -e saved; test -z \"$(ls | grep conflict)\"; sync .")).Ok();
        await mount.StopAsync();
        Assert.Empty(mount.JournalFiles());
        Assert.Contains("stored under an earlier token were stored again", mount.Errors, StringComparison.Ordinal);
        (await _cluster.ScriptAsync($"cmp big \"$HOME_DIR/{folder}/big\"; test \"$(cat \"$HOME_DIR/{folder}/d/moved\")\" = x")).Ok();
    }

    private async Task<string> NewTokenAsync()
    {
        var record = await _http.ApiOkAsync(HttpMethod.Post, "arvados/v1/api_client_authorizations", new JsonObject());
        return $"v2/{record["uuid"]}/{record["api_token"]}";
    }

    private Task<ShellResult> ScriptAsync(string folder, string script) => _cluster.ScriptAsync($"cd '{folder}'; {script}", AnswerLimit);
}
