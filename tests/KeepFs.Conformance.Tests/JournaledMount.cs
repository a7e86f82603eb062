using System.Diagnostics;

namespace KeepFs.Conformance.Tests;

/// <summary>A <c>keepfs mount</c> in a process of its own, with a journal of its own, that can be killed and started again.</summary>
internal sealed class JournaledMount : IAsyncDisposable
{
    private readonly KeepFsProcess _cluster;
    private readonly string _folder;
    private readonly Dictionary<string, string> _environment;
    private Process? _process;

    private JournaledMount(KeepFsProcess cluster)
    {
        _cluster = cluster;
        _folder = cluster.NewFolder();
        _environment = new Dictionary<string, string>(cluster.Env) { ["XDG_STATE_HOME"] = Path.Combine(_folder, "state"), ["XDG_RUNTIME_DIR"] = Path.Combine(_folder, "run") };
        Directory.CreateDirectory(_environment["XDG_RUNTIME_DIR"]);
    }

    public string MountPoint => Path.Combine(_folder, "mnt");

    public string Home => Path.Combine(MountPoint, "home");

    public static async Task<JournaledMount> StartAsync(KeepFsProcess cluster)
    {
        var mount = new JournaledMount(cluster);
        await mount.StartAgainAsync();
        return mount;
    }

    /// <summary>Starts on the journal that is there; returns when the mount is usable.</summary>
    public async Task StartAgainAsync()
    {
        _process = Shell.Start(KeepFsProcess.Program, ["mount", MountPoint], _environment, null);
        Assert.StartsWith("mounted at", await _process.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit), StringComparison.Ordinal);
    }

    /// <summary>SIGKILL; the dead mount is taken away.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync().WaitAsync(Shell.Limit);
        _process.Dispose();
        _process = null;
        await Mounts.RemoveBelowAsync(_folder);
    }

    /// <summary>SIGTERM: everything is saved first.</summary>
    public async Task StopAsync()
    {
        await Shell.SignalAsync(_process!, "TERM");
        await _process!.WaitForExitAsync().WaitAsync(Shell.Limit);
        var (code, errors) = (_process.ExitCode, await _process.StandardError.ReadToEndAsync());
        _process.Dispose();
        _process = null;
        Assert.True(code == 0, errors);
    }

    public Task<ShellResult> StatusAsync(params string[] arguments) => Shell.RunAsync(KeepFsProcess.Program, ["status", .. arguments], _environment, _cluster.Work);

    /// <summary>Files of the journal that hold changes.</summary>
    public string[] JournalFiles() =>
        [.. Directory.EnumerateFiles(Path.Combine(_folder, "state"), "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "lock")];

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }
    }
}
