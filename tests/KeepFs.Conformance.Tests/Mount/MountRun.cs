using System.Diagnostics;

namespace KeepFs.Conformance.Tests.Mount;

/// <summary>A <c>keepfs mount</c> of its own beside that of the cluster, in the foreground, until disposed.</summary>
internal sealed class MountRun : IAsyncDisposable
{
    private readonly Process _process;

    private MountRun(Process process, string path) => (_process, Path) = (process, path);

    public string Path { get; }

    public static async Task<MountRun> StartAsync(KeepFsProcess cluster, IReadOnlyDictionary<string, string> env, params string[] options)
    {
        var path = System.IO.Path.Combine(cluster.NewFolder(), "mnt");
        var process = Shell.Start(KeepFsProcess.Program, ["mount", path, .. options], env, null);
        var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Shell.Limit);
        Assert.True(line?.StartsWith("mounted at", StringComparison.Ordinal), $"{line}{(line is null ? await process.StandardError.ReadToEndAsync() : "")}");
        return new MountRun(process, path);
    }

    public async ValueTask DisposeAsync()
    {
        await Shell.SignalAsync(_process, "TERM");
        await _process.WaitForExitAsync().WaitAsync(Shell.Limit);
        var code = _process.ExitCode;
        _process.Dispose();
        Assert.Equal(0, code);
        Assert.False(Mounts.Has(Path));
    }
}
