using System.Diagnostics;
using System.Text;

namespace KeepFs.Conformance.Tests;

/// <summary>A <c>keepfs mount</c> in a process of its own, with a journal of its own, that can be killed and started again.</summary>
internal sealed class JournaledMount : IAsyncDisposable
{
    private readonly KeepFsProcess _cluster;
    private readonly string _folder;
    private readonly Dictionary<string, string> _environment;
    private readonly StringBuilder _errors = new();
    private Process? _process;

    private JournaledMount(KeepFsProcess cluster)
    {
        _cluster = cluster;
        _folder = cluster.NewFolder();
        _environment = new Dictionary<string, string>(cluster.Env) { ["XDG_STATE_HOME"] = Path.Combine(_folder, "state"), ["XDG_RUNTIME_DIR"] = Path.Combine(_folder, "run") };
        Directory.CreateDirectory(_environment["XDG_RUNTIME_DIR"]);
    }

    /// <summary>Below it lies the journal.</summary>
    public string StateFolder
    {
        get => _environment["XDG_STATE_HOME"];
        set => _environment["XDG_STATE_HOME"] = value;
    }

    /// <summary>Options of <c>mount</c> for the next start.</summary>
    public string[] Options { get; set; } = [];

    /// <summary>For the next start; the cluster's own unless a test says otherwise.</summary>
    public string Token
    {
        set => _environment["ARVADOS_API_TOKEN"] = value;
    }

    /// <summary>Standard error of all starts so far; lines arrive some time after they were written.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    public string MountPoint => Path.Combine(_folder, "mnt");

    public string Home => Path.Combine(MountPoint, "home");

    public static async Task<JournaledMount> StartAsync(KeepFsProcess cluster)
    {
        var mount = Prepare(cluster);
        await mount.StartAgainAsync();
        return mount;
    }

    /// <summary>Not started yet.</summary>
    public static JournaledMount Prepare(KeepFsProcess cluster) => new(cluster);

    /// <summary>Starts on the journal that is there; returns when the mount is usable.</summary>
    public async Task StartAgainAsync()
    {
        _process = Shell.Start(KeepFsProcess.Program, ["mount", .. Options, MountPoint], _environment, null);
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        await ServedAsync();
    }

    public int ProcessId => _process!.Id;

    /// <summary>Waits until a process says that it serves the mount: the first one, or, when it is supervised, the next one.</summary>
    public async Task ServedAsync()
    {
        var said = await _process!.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit);
        Assert.True(said?.StartsWith("mounted at", StringComparison.Ordinal), $"{said}\n{Errors}");
    }

    /// <summary>SIGKILL, to the process that serves, too, when it is supervised; the dead mount is taken away.</summary>
    public async Task KillAsync()
    {
        _process!.Kill(entireProcessTree: true);
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
        var code = _process.ExitCode;
        _process.Dispose();
        _process = null;
        Assert.True(code == 0, Errors);
    }

    public Task<ShellResult> StatusAsync(params string[] arguments) => Shell.RunAsync(KeepFsProcess.Program, ["status", .. arguments], _environment, _cluster.Work);

    /// <summary>Files of the journal that hold changes.</summary>
    public string[] JournalFiles() =>
        [.. Directory.EnumerateFiles(StateFolder, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) != "lock")];

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }
    }
}
