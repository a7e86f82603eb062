using System.Diagnostics;
using System.Globalization;

namespace KeepFs.Conformance.Tests;

/// <summary>The administration verbs, on clusters of their own: what people see, what scripts get, and what happens when something is wrong.</summary>
public sealed class AdminTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keepfs-admin-").FullName;
    private Dictionary<string, string> _env = [];
    private Process? _up;

    public Task InitializeAsync() => UpAsync("data", "--cluster-id", "zzzzz", "--test-mode");

    public async Task DisposeAsync()
    {
        await DownAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Users_groups_projects_collections_and_tokens_are_made_shared_trashed_and_restored()
    {
        (await ScriptAsync("""
            alice=$("$K" user create alice --first-name Alice --last-name '[bold]' --email a@example.net)
            token=$("$K" user create bob --with-token)
            "$K" user list | grep -F "$alice" | grep -F '[bold]' | grep -F a@example.net
            "$K" user update alice --admin true --username alicia
            "$K" user list --json | grep "$alice" | grep '"is_admin":true' | grep '"username":"alicia"'
            role=$("$K" group create readers)
            "$K" group add readers bob
            project=$("$K" project create 'the project')
            collection=$("$K" collection create inside --owner "$project")
            bob() { ARVADOS_API_TOKEN=$token "$K" "$@"; }
            ! bob collection show inside
            "$K" project share 'the project' readers
            bob collection show inside | grep "$collection"
            ! bob collection trash inside
            "$K" project share 'the project' readers --level can_write
            [ "$(bob collection trash inside)" = "$collection" ]
            ! bob collection list | grep "$collection"
            bob collection list --trashed | grep "$collection"
            bob collection restore inside
            bob collection list | grep "$collection"
            "$K" project show 'the project' | grep "$role" | grep can_write
            "$K" project unshare 'the project' readers
            ! bob collection show inside
            "$K" project trash 'the project'
            ! "$K" collection list | grep "$collection"
            "$K" project restore 'the project'
            "$K" group remove readers bob
            limited=$("$K" token create --user bob --scope 'GET /arvados/v1/users/current' --expires-in-hours 1)
            ! ARVADOS_API_TOKEN=$limited "$K" user list
            uuid=$(printf %s "$limited" | cut -d/ -f2)
            [ "$(bob token list | grep -c gj3su)" = 2 ]
            bob token revoke "$uuid"
            [ "$(bob token list | grep -c gj3su)" = 1 ]
            """)).Ok();
        Assert.Contains("There is no user \"nobody\"", (await KeepFsAsync("user", "show", "nobody")).Failed(), StringComparison.Ordinal);
        Assert.Contains("'can_fly' not recognized", (await KeepFsAsync("project", "share", "the project", "bob", "--level", "can_fly")).Failed(), StringComparison.Ordinal);
        (await KeepFsAsync("project", "create", "the project", "--owner", "bob")).Ok();
        Assert.Contains("name one by its UUID", (await KeepFsAsync("project", "show", "the project")).Failed(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keep_services_are_registered_as_the_installation_guide_does()
    {
        (await ScriptAsync("""
            "$K" keep-service list | grep 127.0.0.1 | grep disk
            read -rd '' keepservice <<'EOF' || true
            {
             "service_host":"keep0.zzzzz.your.domain",
             "service_port":25107,
             "service_ssl_flag":false,
             "service_type":"disk"
            }
            EOF
            uuid=$("$K" keep_service create --keep-service "$keepservice")
            "$K" keep-service create --host proxy.example --port 443 --ssl --type proxy
            "$K" keep-service list | grep "$uuid" | grep keep0.zzzzz.your.domain | grep 25107
            "$K" keep-service list | grep proxy.example | grep yes
            [ "$("$K" keep-service list --json | wc -l)" = 2 ]
            "$K" keep-service delete proxy.example
            "$K" keep-service delete "$uuid"
            "$K" keep-service list | grep 127.0.0.1 | grep disk
            """)).Ok();
        Assert.Contains("--host and --port", (await KeepFsAsync("keep-service", "create", "--host", "x")).Failed(), StringComparison.Ordinal);
        Assert.Contains("is not JSON", (await KeepFsAsync("keep-service", "create", "--keep-service", "{")).Failed(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Catalogue_moves_to_another_cluster_and_resets_return_to_the_import()
    {
        (await ScriptAsync("""
            "$K" user create carol --with-token > carol
            "$K" project create moved
            echo content > file
            "$K" put --name stored file > stored
            "$K" catalog export all.jsonl
            [ "$(stat -c %a all.jsonl)" = 600 ]
            "$K" catalog export - | cmp - all.jsonl
            ! "$K" catalog export all.jsonl
            ls | sort | tr '\n' ' ' | grep -x 'all.jsonl carol data file stored '
            """)).Ok();
        await DownAsync();
        await UpAsync("other", "--cluster-id", "zzzzz", "--test-mode");

        (await ScriptAsync("""
            "$K" catalog import - < all.jsonl | grep -E 'imported +collections +1'
            "$K" collection list | grep "$(cat stored)"
            ARVADOS_API_TOKEN=$(cat carol) "$K" ls
            "$K" collection trash stored
            ! "$K" collection list | grep "$(cat stored)"
            reset() { curl -sk -o reset.json -w '%{http_code}' -X POST -H "Authorization: Bearer $1" "https://$ARVADOS_API_HOST/database/reset"; }
            [ "$(reset "$(cat carol)")" = 403 ]
            [ "$(reset "$ARVADOS_API_TOKEN")" = 200 ]
            "$K" collection list | grep "$(cat stored)"
            printf '{"kind":"arvados#user","uuid":"zzzzz-tpzed-aaaaaaaaaaaaaaa"}\nnonsense\n' > wrong.jsonl
            ! "$K" catalog import wrong.jsonl 2> message
            grep 'line 2 is not a JSON object' message
            ! "$K" user show zzzzz-tpzed-aaaaaaaaaaaaaaa
            """)).Ok();
        var refused = await Shell.RunAsync(KeepFsProcess.Program, ["up", "--data", Path.Combine(_folder, "data"), "--cluster-id", "zzzz1"]);
        Assert.Contains("holds the cluster zzzzz", refused.Failed(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backup_is_verified_and_starts()
    {
        (await ScriptAsync("""
            "$K" collection create kept
            "$K" catalog backup copy.sqlite | grep 'verified: .*collections=1'
            [ "$(stat -c %a copy.sqlite)" = 600 ]
            ! "$K" catalog backup copy.sqlite
            "$K" collection create later
            """)).Ok();
        await DownAsync();
        (await ScriptAsync("rm -f data/catalog.sqlite-wal data/catalog.sqlite-shm; cp copy.sqlite data/catalog.sqlite")).Ok();
        await UpAsync("data");

        (await ScriptAsync("""
            "$K" collection list | grep kept
            ! "$K" collection list | grep later
            [ "$(curl -sk -o /dev/null -w '%{http_code}' -X POST -H "Authorization: Bearer $ARVADOS_API_TOKEN" "https://$ARVADOS_API_HOST/database/reset")" = 404 ]
            """)).Ok();
    }

    private async Task UpAsync(string data, params string[] options)
    {
        _up = Shell.Start(
            KeepFsProcess.Program, ["up", "--data", Path.Combine(_folder, data), "--port-base", FreePorts.Base().ToString(CultureInfo.InvariantCulture), .. options],
            new Dictionary<string, string>(), _folder);
        _up.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(Shell.Limit);
        while (await _up.StandardOutput.ReadLineAsync(limit.Token) is { } line && line != "ready")
        {
        }

        _env = File.ReadAllLines(Path.Combine(_folder, data, "env")).Select(line => line["export ".Length..].Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim('\''));
        _env["K"] = KeepFsProcess.Program;
    }

    private async Task DownAsync()
    {
        if (_up is { HasExited: false })
        {
            await Shell.SignalAsync(_up, "TERM");
            await _up.WaitForExitAsync().WaitAsync(Shell.Limit);
        }

        _up?.Dispose();
        _up = null;
    }

    private Task<ShellResult> KeepFsAsync(params string[] arguments) => Shell.RunAsync(KeepFsProcess.Program, arguments, _env, _folder);

    // A command after "!" is not what ends a script: it has to be said.
    private Task<ShellResult> ScriptAsync(string script) => Shell.ScriptAsync(
        string.Join('\n', script.Split('\n').Select(line => line.TrimStart().StartsWith("! ", StringComparison.Ordinal) ? $"if {line.TrimStart()[2..]}; then echo 'was to fail: {line.TrimStart().Replace("'", "", StringComparison.Ordinal)}' >&2; exit 1; fi" : line)),
        _env, _folder);
}
