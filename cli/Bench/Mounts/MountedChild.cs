using System.Diagnostics;
using KeepFs.Cli.Mount;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>A process that serves a mount point until it is unmounted.</summary>
internal sealed class MountedChild : IAsyncDisposable
{
    private const int PollMilliseconds = 10;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _mountPoint;

    private MountedChild(Process process, string mountPoint) => (_process, _mountPoint) = (process, mountPoint);

    /// <summary>Starts it and waits until something is mounted. What it prints goes to the log file.</summary>
    /// <exception cref="IOException">It ended, or does not mount anything.</exception>
    public static async Task<MountedChild> StartAsync(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> variables, string mountPoint, string log, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(mountPoint);
        // An inode of passthrough_ll is a descriptor.
        string[] line = ["-c", "ulimit -n 1000000 2>/dev/null || ulimit -n $(ulimit -Hn); exec \"$@\" >>\"$0\" 2>&1", log, .. command];
        var start = new ProcessStartInfo("/bin/sh", line);
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        var child = new MountedChild(Process.Start(start) ?? throw new IOException($"cannot start {command[0]}"), mountPoint);
        var started = Stopwatch.GetTimestamp();
        while (!IsMounted(mountPoint))
        {
            if (child._process.HasExited || Stopwatch.GetElapsedTime(started) > Limit)
            {
                throw new IOException($"{Path.GetFileName(command[0])} does not mount {mountPoint}; its output:\n{await File.ReadAllTextAsync(log, cancellationToken)}");
            }

            await Task.Delay(PollMilliseconds, cancellationToken);
        }

        return child;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var unmount = Process.Start(new ProcessStartInfo("fusermount3", ["-u", _mountPoint]));
            await (unmount?.WaitForExitAsync() ?? Task.CompletedTask);
            using var limit = new CancellationTokenSource(Limit);
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        _process.Dispose();
    }

    private static bool IsMounted(string mountPoint) =>
        MountTable.Read().Any(mount => mount.Path == mountPoint);
}
