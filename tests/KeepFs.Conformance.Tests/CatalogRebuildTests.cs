using System.Diagnostics;
using System.Globalization;

namespace KeepFs.Conformance.Tests;

/// <summary>The machine with the catalogue is lost, the disks are not (docs/decisions/0040-checkpoints.md): the way back, with the real program.</summary>
public sealed class CatalogRebuildTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keepfs-rebuild-").FullName;
    private Dictionary<string, string> _env = [];
    private Process? _up;

    private string Volumes => $"--volume {_folder}/disk0 --volume {_folder}/disk1";

    public Task InitializeAsync() => UpAsync("data");

    public async Task DisposeAsync()
    {
        await EndAsync("KILL");
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Files_come_back_after_the_data_folder_is_lost()
    {
        (await ScriptAsync("""
            mkdir -p src/dir; echo hello > src/hello; head -c 5000000 /dev/urandom > src/dir/large; : > src/empty
            "$K" put --name tree src/ > tree.uuid
            "$K" user create alice; "$K" project create plans; "$K" project share plans alice
            "$K" catalog checkpoint | grep '^checkpoint 1, full: '
            "$K" put --name more src/dir/ > more.uuid
            """)).Ok();
        // What changed since is stored when it ends in order,
        await EndAsync("TERM");
        await UpAsync("data");
        (await ScriptAsync("""
            "$K" catalog rebuild $VOLUMES --list | grep -c zzzzz | grep -x 2
            "$K" put --name late src/dir/
            """)).Ok();
        // but not when it is killed; one that is being made then leaves the others as they are.
        var making = ScriptAsync("""while "$K" catalog checkpoint --full >> made; do :; done""");
        await Eventually.TrueAsync(() => File.Exists(Path.Join(_folder, "made")) && new FileInfo(Path.Join(_folder, "made")).Length > 0, "a checkpoint is made");
        await EndAsync("KILL");
        await making;
        Directory.Delete(Path.Join(_folder, "data"), recursive: true);

        (await ScriptAsync("""
            find disk0 disk1 | sort | xargs stat -c '%n %s %Y %Z' > before
            "$K" catalog rebuild $VOLUMES --output out.jsonl | tee report
            grep 'zzzzz' report; grep 'all that they name are there' report; grep '3 collections' report
            find disk0 disk1 | sort | xargs stat -c '%n %s %Y %Z' | cmp - before
            [ "$(stat -c %a out.jsonl)" = 600 ]
            ! "$K" catalog rebuild $VOLUMES --output out.jsonl
            """)).Ok();
        await UpAsync("data2");
        (await ScriptAsync("""
            "$K" catalog import out.jsonl
            "$K" get "$(cat tree.uuid)" got/ && diff -r src got
            "$K" get "$(cat more.uuid)" got2/ && diff -r src/dir got2
            "$K" project show plans | grep can_read
            """)).Ok();
    }

    [Fact]
    public async Task What_cannot_be_rebuilt_is_said()
    {
        (await ScriptAsync("""
            ! "$K" catalog rebuild 2>/dev/null
            ! "$K" catalog rebuild $VOLUMES
            ! "$K" catalog rebuild $VOLUMES --output x 2> errors; grep 'is the head of a checkpoint' errors
            echo text > file; "$K" put --name one file > uuid; "$K" catalog checkpoint; "$K" collection create two; "$K" catalog checkpoint
            first=$("$K" catalog rebuild $VOLUMES --list | tail -n 1 | cut -d' ' -f1)
            "$K" catalog rebuild $VOLUMES --checkpoint "$first" --output first.jsonl
            grep -q '"one"' first.jsonl; ! grep '"two"' first.jsonl
            "$K" catalog rebuild $VOLUMES --config data/config.yml --cluster-id zzzzz --output second.jsonl
            grep -q '"two"' second.jsonl
            ! "$K" catalog rebuild $VOLUMES --cluster-id aaaaa --output x 2> errors; grep 'None of the checkpoints' errors
            # A block of the data is gone, and somebody who may store blocks makes a head of a later time.
            hash=$(echo text | md5sum | cut -c1-32); rm disk?/"${hash:0:3}"/"$hash"
            "$K" catalog rebuild $VOLUMES --list-missing --output third.jsonl > report
            grep '1 are on none of the volumes, needed by 1 collections' report; grep "missing     $hash+5 $(cat uuid)" report
            head=$("$K" catalog rebuild $VOLUMES --list | sed -n 2p | cut -d' ' -f1)
            sed -e 's/"at":"20/"at":"21/' -e 's/"lineage":"....../"lineage":"abcdef/' "disk0/${head:0:3}/$head" > forged
            hash=$(md5sum < forged | cut -c1-32); mkdir -p "disk0/${hash:0:3}"; cp forged "disk0/${hash:0:3}/$hash"
            ! "$K" catalog rebuild $VOLUMES --output x 2> errors; grep 'nothing tells which is yours' errors
            "$K" catalog rebuild $VOLUMES --config data/config.yml --output fourth.jsonl 2> errors; grep '1 checkpoints were not made with' errors
            cmp third.jsonl fourth.jsonl
            """)).Ok();
    }

    private Task<ShellResult> ScriptAsync(string script) =>
        Shell.ScriptAsync(script, new Dictionary<string, string>(_env) { ["K"] = KeepFsProcess.Program, ["VOLUMES"] = Volumes }, _folder);

    private async Task UpAsync(string data)
    {
        _up = Shell.Start(
            KeepFsProcess.Program,
            ["up", "--data", Path.Join(_folder, data), "--volume", Path.Join(_folder, "disk0"), "--volume", Path.Join(_folder, "disk1"), "--cluster-id", "zzzzz", "--port-base", FreePorts.Base().ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string>(), _folder);
        while (await _up.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit) is var line && line != "ready")
        {
            Assert.True(line is not null, $"keepfs up ended before it was ready: {(line is null ? await _up.StandardError.ReadToEndAsync() : "")}");
        }

        _env = (await File.ReadAllLinesAsync(Path.Join(_folder, data, "env"))).Select(entry => entry["export ".Length..].Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[1].Trim('\''));
    }

    private async Task EndAsync(string signal)
    {
        if (_up is { HasExited: false })
        {
            await Shell.SignalAsync(_up, signal);
            await _up.WaitForExitAsync().WaitAsync(Shell.Limit);
        }

        _up?.Dispose();
        _up = null;
    }
}
