using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Mounting;
using KeepFs.Fuse.Protocol;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Fuse.Takeover;

/// <summary>
/// Mounts, and keeps the mount alive while processes that serve it come and go: it holds every device and the state log open, so a
/// process that dies leaves requests that wait instead of a dead mount. Knows nothing of the file system, and reads no request but INIT.
/// </summary>
/// <remarks>
/// Where the kernel can hand requests out again (Linux 6.9), those that the dead process had read are redone by the next one. Before, that
/// process reads from devices of its own, and they fail with ECONNABORTED.
/// </remarks>
public sealed class MountHolder : IDisposable
{
    private const int TerminateSignal = 15;

    // User signal 1: whoever is started by nohup ignores SIGHUP.
    private const int UpgradeSignal = 10;
    private const int LongestDelaySeconds = 60;
    private static readonly TimeSpan SteadyAfter = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly List<FuseDevice> _devices = [];
    private readonly List<SafeFileHandle> _state = [];
    private readonly FuseMountOptions _options;
    private readonly Negotiation _agreed;
    private readonly Action<string> _log;
    private Process? _child;
    private bool _wasReady;

    private MountHolder(FuseMountOptions options, string mountPoint, FuseDevice device, Negotiation agreed, Action<string> log)
    {
        (_options, MountPoint, _agreed, _log) = (options, mountPoint, agreed, log);
        _devices.Add(device);
    }

    /// <summary>The real path of the mount point.</summary>
    public string MountPoint { get; }

    /// <summary>Mounts; until <see cref="RunAsync"/> starts a process, whoever uses the mount waits.</summary>
    /// <exception cref="FuseMountException">It cannot be mounted there; the message says what to do.</exception>
    public static async Task<MountHolder> MountAsync(FuseMountOptions options, Action<string> log)
    {
        var mountPoint = MountPointCheck.Check(options);
        return await Task.Factory.StartNew(
            () =>
            {
                var device = KernelMount.Mount(options, mountPoint);
                try
                {
                    var holder = new MountHolder(options, mountPoint, device, Handshake.Perform(device, options), log);
                    holder.Prepare();
                    return holder;
                }
                catch
                {
                    Unmounter.Detach(mountPoint);
                    device.Dispose();
                    throw;
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    /// <summary>Asks the process that serves the mount to let a new one take over: from the executable as it is now.</summary>
    public void Upgrade() => Signal(UpgradeSignal);

    /// <summary>
    /// Starts the process that serves the mount, and another one whenever it dies, later each time it dies soon, until it ends by itself or is
    /// unmounted. Its exit code.
    /// </summary>
    /// <param name="child">The program; it is to pass <see cref="HeldMount.FromEnvironment"/> on.</param>
    /// <param name="ready">Called when the mount is served for the first time.</param>
    /// <param name="cancellationToken">Terminates it, and with it the mount, after it has saved what is to be saved.</param>
    public async Task<int> RunAsync(ProcessStartInfo child, Action ready, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.Register(() => Signal(TerminateSignal));
        var earlyDeaths = 0;
        while (true)
        {
            var started = _options.TimeProvider.GetTimestamp();
            var (exitCode, isReady) = await ServeAsync(child, ready, cancellationToken);
            if (exitCode == 0 || cancellationToken.IsCancellationRequested || !_wasReady || !IsMounted())
            {
                return exitCode;
            }

            if (exitCode == HeldMount.HandedOverExitCode)
            {
                earlyDeaths = 0;
                continue;
            }

            earlyDeaths = isReady && _options.TimeProvider.GetElapsedTime(started) >= SteadyAfter ? 0 : earlyDeaths + 1;
            var delay = DelayAfter(earlyDeaths);
            var reason = exitCode > 128 ? $"was ended by signal {exitCode - 128}" : $"ended with exit code {exitCode}";
            _log($"the process that serves {MountPoint} {reason}; another one takes over {(delay == TimeSpan.Zero ? "now" : $"in {delay.TotalSeconds:0} s")}");
            try
            {
                await Task.Delay(delay, _options.TimeProvider, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return exitCode;
            }
        }
    }

    /// <summary>Unmounts if it is still mounted, and cuts off who uses it.</summary>
    public void Dispose()
    {
        if (IsMounted())
        {
            Unmounter.Detach(MountPoint);
        }

        _devices.ForEach(device => device.Dispose());
        _state.ForEach(file => file.Dispose());
    }

    // The first one is answered at once: who uses the mount waits.
    private static TimeSpan DelayAfter(int earlyDeaths) =>
        earlyDeaths <= 1 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(LongestDelaySeconds, 1L << Math.Min(earlyDeaths - 2, 16)));

    private void Prepare()
    {
        if (_agreed.HasResend)
        {
            while (_devices.Count < _options.MaxThreads && _devices[0].TryClone() is { } clone)
            {
                _devices.Add(clone);
            }
        }

        const uint CloseOnExec = 1;
        for (var i = 0; i < 2; i++)
        {
            var file = LibC.MemoryFile("keepfs-mount-state", CloseOnExec);
            if (file < 0)
            {
                throw new FuseMountException($"memfd_create failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
            }

            _state.Add(new SafeFileHandle(file, ownsHandle: true));
        }

        ReadAhead.Raise(MountPoint, _options.ReadAheadKib, _log);
    }

    private async Task<(int ExitCode, bool IsReady)> ServeAsync(ProcessStartInfo child, Action served, CancellationToken cancellationToken)
    {
        using var ready = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        var inherited = new List<int>();
        Process process;
        try
        {
            var devices = _devices.ConvertAll(device => Inherit(device.Descriptor, inherited));
            var state = _state.ConvertAll(file => Inherit((int)file.DangerousGetHandle(), inherited));
            var readyEnd = Inherit((int)ready.ClientSafePipeHandle.DangerousGetHandle(), inherited);
            child.Environment[HeldMount.EnvironmentVariable] = HeldMount.Describe(_agreed, devices, state, readyEnd, MountPoint);
            process = Process.Start(child) ?? throw new FuseMountException($"{child.FileName} could not be started.");
        }
        finally
        {
            inherited.ForEach(static descriptor => _ = LibC.Close(descriptor));
            ready.DisposeLocalCopyOfClientHandle();
        }

        using (process)
        {
            lock (_lock)
            {
                _child = process;
            }

            if (cancellationToken.IsCancellationRequested)
            {
                Signal(TerminateSignal);
            }

            // Ends with the process, if that never says it.
            var isReady = await ready.ReadAsync(new byte[1], CancellationToken.None) == 1;
            if (isReady && !_wasReady)
            {
                _wasReady = true;
                served();
            }

            await process.WaitForExitAsync(CancellationToken.None);
            lock (_lock)
            {
                _child = null;
            }

            return (process.ExitCode, isReady);
        }
    }

    private static int Inherit(int descriptor, List<int> inherited)
    {
        var copy = LibC.FileControl(descriptor, LibC.DuplicateAbove, 3);
        if (copy < 0)
        {
            throw new FuseMountException($"A descriptor could not be copied: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }

        inherited.Add(copy);
        return copy;
    }

    private void Signal(int signal)
    {
        lock (_lock)
        {
            if (_child is { HasExited: false } child)
            {
                _ = LibC.SignalProcess(child.Id, signal);
            }
        }
    }

    /// <summary>The kernel says so without asking the file system.</summary>
    private unsafe bool IsMounted()
    {
        var query = new PollQuery { Descriptor = _devices[0].Descriptor };
        return LibC.Poll(&query, 1, 0) >= 0 && (query.Answered & PollQuery.Broken) == 0;
    }
}
