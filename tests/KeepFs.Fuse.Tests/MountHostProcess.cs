using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KeepFs.Fuse.Tests;

/// <summary>A mount in another process, at a directory of its own, and a shell to use it with.</summary>
internal sealed class MountHostProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly Task<string> _errors;
    private bool _isSignalled;

    private MountHostProcess(string mountPoint, Process process)
    {
        (MountPoint, _process) = (mountPoint, process);
        _errors = process.StandardError.ReadToEndAsync();
    }

    public string MountPoint { get; }

    public Process Process => _process;

    /// <summary>The host may have logged something at its end.</summary>
    public bool ExpectsLog { get; set; }

    public static string NewMountPoint() => Directory.CreateTempSubdirectory("keepfs-mount-").FullName;

    /// <summary>Starts and waits until it is mounted.</summary>
    public static async Task<MountHostProcess> StartAsync(params string[] options)
    {
        var host = Launch(NewMountPoint(), options);
        var line = await host.ReadLineAsync();
        return line == "ready" ? host : throw new InvalidOperationException($"The mount host said \"{line}\" and {await host._errors}");
    }

    /// <summary>Starts a host that is expected to refuse; its exit code and message.</summary>
    public static async Task<(int ExitCode, string Message)> RefuseAsync(string mountPoint, params string[] options)
    {
        var host = Launch(mountPoint, options);
        Assert.Null(await host.ReadLineAsync());
        return (await host.ExitAsync(), await host._errors);
    }

    /// <summary>Sends a command to the host, which acts on its tree directly.</summary>
    public async Task<string> CommandAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        return await ReadLineAsync() ?? throw new InvalidOperationException($"The mount host ended: {await _errors}");
    }

    /// <summary>Known nodes, open handles, syncs.</summary>
    public async Task<(int Nodes, int Handles, int Syncs)> StatsAsync()
    {
        var numbers = (await CommandAsync("stats")).Split(' ').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return (numbers[0], numbers[1], numbers[2]);
    }

    /// <summary>Runs a script with the mount point as working directory; its output. Fails when the script does.</summary>
    public async Task<string> ShellAsync(string script)
    {
        var (exitCode, output) = await TryShellAsync("set -e\n" + script);
        Assert.True(exitCode == 0, $"The script failed with {exitCode}:\n{output}");
        return output;
    }

    /// <summary>Runs a script; exit code, and output with errors.</summary>
    public Task<(int ExitCode, string Output)> TryShellAsync(string script) => ShellInAsync(MountPoint, script);

    public static async Task<(int ExitCode, string Output)> ShellInAsync(string directory, string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("bash", ["-c", "exec 2>&1\n" + script])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
        })!;
        var output = await shell.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await shell.WaitForExitAsync().WaitAsync(Patience);
        return (shell.ExitCode, output.TrimEnd('\n'));
    }

    public static async Task<bool> IsMountedAsync(string mountPoint) =>
        (await File.ReadAllTextAsync("/proc/self/mountinfo")).Contains($" {mountPoint} ", StringComparison.Ordinal);

    public Task SignalAsync(string signal)
    {
        _isSignalled = true;
        return ShellInAsync("/", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {_process.Id}"));
    }

    /// <summary>Waits for the end and returns the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public Task<string?> ReadLineAsync() => _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);

    /// <summary>What the host logged; ends when the host does.</summary>
    public Task<string> ErrorsAsync() => _errors;

    /// <summary>Ends the host through its standard input, and asserts that it left nothing open, nothing mounted and nothing in the log.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_isSignalled)
            {
                await ExitAsync();
            }
            else if (!_process.HasExited)
            {
                _process.StandardInput.Close();
                Assert.Equal("unmounted 0", await ReadLineAsync());
                Assert.Equal(0, await ExitAsync());
                var log = await _errors;
                Assert.True(log.Length == 0 || ExpectsLog, log);
            }

            Assert.False(await IsMountedAsync(MountPoint));
        }
        finally
        {
            if (!_process.HasExited)
            {
                _process.Kill();
            }

            _process.Dispose();
            await ShellInAsync("/", $"fusermount3 -uqz {MountPoint}; rmdir {MountPoint}");
        }
    }

    private static MountHostProcess Launch(string mountPoint, string[] options)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "KeepFs.Fuse.MountHost.dll");
        var process = Process.Start(new ProcessStartInfo("dotnet", [program, mountPoint, .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        })!;
        return new MountHostProcess(mountPoint, process);
    }
}
