using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace KeepFs.Conformance.Tests;

/// <summary>
/// A real <c>keepfs up</c> with two volumes and a mount on a temporary folder. It can be ended or killed and started again on the same folder;
/// disposing ends it, unmounts whatever is left and removes the folder.
/// </summary>
internal sealed class KeepFsProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(90);
    private readonly StringBuilder _errors = new();
    private Process? _process;

    private KeepFsProcess(string folder) => Folder = folder;

    /// <summary>The executable of the configuration that the tests were built in.</summary>
    public static string Program { get; } = FindProgram();

    /// <summary>Everything is below it; tests may put their files into <see cref="Work"/>.</summary>
    public string Folder { get; }

    public string Work => Path.Combine(Folder, "work");

    public string Data => Path.Combine(Folder, "data");

    public string[] Volumes => [Path.Combine(Folder, "disk0"), Path.Combine(Folder, "disk1")];

    public string MountPoint => Path.Combine(Folder, "mnt");

    public string Home => Path.Combine(MountPoint, "home");

    public int PortBase { get; } = FreePorts.Base();

    public int ProcessId => _process!.Id;

    public int WebPort => PortBase + 2;

    public int KeepstorePort(int index) => PortBase + 7 + index;

    /// <summary>Variables for clients, as <c>DATA/env</c> names them, and short names for scripts: K, MNT, HOME_DIR, ID, W.</summary>
    public IReadOnlyDictionary<string, string> Env { get; private set; } = new Dictionary<string, string>();

    public string Token => Env["ARVADOS_API_TOKEN"];

    public Uri WebDav => new(Env["KEEPFS_WEBDAV_URL"]);

    /// <summary>What the process wrote to standard error so far, over all starts.</summary>
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

    /// <summary>Waits until standard error has a match; its lines arrive here some time after the process wrote them.</summary>
    public async Task SaysAsync(string pattern)
    {
        using var limit = new CancellationTokenSource(EndLimit);
        while (!Regex.IsMatch(Errors, pattern))
        {
            Assert.False(limit.IsCancellationRequested, $"Nothing matches \"{pattern}\" in: {Errors}");
            await Task.Delay(50);
        }
    }

    public Process Process => _process ?? throw new InvalidOperationException("It is not running.");

    /// <summary>The arguments of <c>up</c> for this folder.</summary>
    public string[] UpArguments =>
    [
        "up", "--data", Data, "--volume", Volumes[0], "--volume", Volumes[1], "--mount", MountPoint, "--port-base", PortBase.ToString(CultureInfo.InvariantCulture),
    ];

    public static async Task<KeepFsProcess> StartAsync()
    {
        var process = new KeepFsProcess(Directory.CreateTempSubdirectory("keepfs-e2e-").FullName);
        Directory.CreateDirectory(process.Work);
        try
        {
            await process.StartAgainAsync();
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts <c>up</c> on the folder and waits until it says <c>ready</c>.</summary>
    public async Task StartAgainAsync()
    {
        _process = Shell.Start(Program, UpArguments, Env, Folder);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data == "ready")
            {
                ready.TrySetResult();
            }
            else if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException("keepfs up ended before it was ready."));
            }
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        try
        {
            await ready.Task.WaitAsync(StartLimit);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"keepfs up did not start: {e.Message}\n{Errors}", e);
        }

        Env = File.ReadAllLines(Path.Combine(Data, "env")).Select(line => line["export ".Length..].Split('=', 2)).Select(pair => (pair[0], pair[1].Trim('\'')))
            .Concat([("K", Program), ("MNT", MountPoint), ("HOME_DIR", Home), ("ID", Path.Combine(MountPoint, "by_id")), ("W", Work)])
            .ToDictionary();
    }

    /// <summary>SIGTERM; the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        await Shell.SignalAsync(Process, "TERM");
        await Process.WaitForExitAsync().WaitAsync(EndLimit);
        return Release();
    }

    /// <summary>SIGKILL: nothing is saved, nothing unmounted. The dead mount is then taken away by hand.</summary>
    public async Task KillAsync()
    {
        await KillOnlyAsync();
        await Mounts.RemoveBelowAsync(Folder);
    }

    /// <summary>SIGKILL; the kernel keeps the dead mount.</summary>
    public async Task KillOnlyAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync().WaitAsync(EndLimit);
        Release();
    }

    /// <summary>Runs <c>keepfs ARGUMENTS</c> as a client of this cluster.</summary>
    public Task<ShellResult> KeepFsAsync(params string[] arguments) => Shell.RunAsync(Program, arguments, Env, Work);

    /// <summary>Runs a script as a client of this cluster, in <see cref="Work"/>.</summary>
    public Task<ShellResult> ScriptAsync(string script, TimeSpan? limit = null) => Shell.ScriptAsync(script, Env, Work, limit);

    /// <summary>Puts and returns the UUID of the collection.</summary>
    public async Task<string> PutAsync(params string[] arguments)
    {
        var result = await KeepFsAsync(["put", .. arguments]);
        result.Ok();
        return Assert.Single(result.Lines);
    }

    /// <summary>A folder of a test's own below <see cref="Work"/>.</summary>
    public string NewFolder() => Directory.CreateDirectory(Path.Combine(Work, Guid.NewGuid().ToString("N"))).FullName;

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is { HasExited: false })
            {
                await TerminateAsync();
            }
        }
        catch (TimeoutException)
        {
            Process.Kill(entireProcessTree: true);
            throw new TimeoutException($"keepfs up did not end after SIGTERM.\n{Errors}");
        }
        finally
        {
            _process?.Dispose();
            await Mounts.RemoveBelowAsync(Folder);

            // Not Directory.Delete: the tree may hold names that are not UTF-8.
            await Shell.RunAsync("rm", ["-rf", "--one-file-system", Folder], limit: TimeSpan.FromMinutes(5));
        }
    }

    private int Release()
    {
        var code = Process.ExitCode;
        Process.Dispose();
        _process = null;
        return code;
    }

    private static string FindProgram()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var configuration = output.Parent!.Name;
        var root = output.Parent.Parent!.Parent!.Parent!.Parent!.FullName;
        var program = Path.Combine(root, "cli", "bin", configuration, output.Name, "keepfs");
        return File.Exists(program) ? program : throw new FileNotFoundException($"There is no {program}: build cli/ in the configuration {configuration} first.");
    }
}
