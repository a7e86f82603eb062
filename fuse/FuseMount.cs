using System.Globalization;
using System.Runtime.InteropServices;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>
/// A file system mounted through the kernel, from <see cref="StartAsync"/> to <see cref="UnmountAsync"/> or until somebody else unmounts
/// it. Does not own the file system: whoever does calls <see cref="IFileSystem.SyncAllAsync"/> before unmounting and disposes it after.
/// </summary>
/// <remarks>
/// The process must not use its own mount from code that the file system waits for. Safe for concurrent use.
/// </remarks>
public sealed class FuseMount : IAsyncDisposable
{
    private static readonly TimeSpan BusyRetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly IFileSystem _tree;
    private readonly FuseMountOptions _options;
    private readonly FuseSession _session;
    private readonly KernelNotifier _notifier;
    private readonly InodeTable _inodes;
    private readonly HandleTable _handles = new();
    private Task? _unmounting;

    private FuseMount(IFileSystem tree, FuseMountOptions options, string mountPoint, Action<string> log)
    {
        (_tree, _options, MountPoint) = (tree, options, mountPoint);
        _inodes = new InodeTable(tree.Root) { Held = tree.Hold, Released = tree.Release };
        _notifier = new KernelNotifier(_inodes, options.MaxPendingInvalidations, log);
        _session = new FuseSession(new KeepFuse(tree, options, _inodes, _handles, _notifier), options, log);
    }

    /// <summary>The real path of the mount point.</summary>
    public string MountPoint { get; }

    /// <summary>
    /// Ends when the mount is gone, whoever unmounted it, every request has been answered and every handle closed. Fails with
    /// <see cref="FuseMountException"/> if the connection to the kernel broke.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>Nodes that the kernel knows now, the root included.</summary>
    public int KnownNodeCount => _inodes.Count;

    /// <summary>Files and directories that are open now.</summary>
    public int OpenHandleCount => _handles.Count;

    /// <summary>Mounts; when it returns, the mount has answered its first request.</summary>
    /// <param name="tree">What to serve.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="log">Gets a line for each unexpected error; called on any thread.</param>
    /// <param name="cancellationToken">Gives up starting, and unmounts.</param>
    /// <exception cref="FuseMountException">It cannot be mounted there; the message says what to do.</exception>
    public static async Task<FuseMount> StartAsync(
        IFileSystem tree, FuseMountOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        var mount = new FuseMount(tree, options, MountPointCheck.Check(options), log);
        try
        {
            mount._session.Mount(mount.MountPoint);
        }
        catch
        {
            mount._session.Destroy();
            throw;
        }

        tree.Changed += mount._notifier.Changed;
        mount._session.StartLoop();
        _ = mount.FinishAsync();
        try
        {
            await OnBlockingThreadAsync(mount.AwaitKernel).WaitAsync(cancellationToken);
        }
        catch
        {
            await mount.UnmountAsync();
            throw;
        }

        mount._notifier.Start(mount._session);
        return mount;
    }

    /// <summary>
    /// Unmounts. Programs that still use the mount have <see cref="FuseMountOptions.UnmountTimeout"/> to leave; then it is taken out of the
    /// tree and they are cut off (their calls fail with ENOTCONN). Ends with <see cref="Completion"/>; calling it again waits for the same.
    /// </summary>
    public Task UnmountAsync()
    {
        lock (_lock)
        {
            return _unmounting ??= UnmountOnceAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await UnmountAsync();

    private async Task UnmountOnceAsync()
    {
        if (!Completion.IsCompleted && !await TryUnmountAsync())
        {
            await CutOffAsync();
        }

        try
        {
            await Completion.WaitAsync(_options.UnmountTimeout, _options.TimeProvider);
        }
        catch (TimeoutException)
        {
            // Work that nobody waits for any more.
            _session.CancelAll();
            await Completion;
        }
    }

    /// <summary>False when programs still use the mount after the timeout.</summary>
    private async Task<bool> TryUnmountAsync()
    {
        var started = _options.TimeProvider.GetTimestamp();
        while (!await OnBlockingThreadAsync(() => Unmounter.TryUnmount(MountPoint)))
        {
            if (_options.TimeProvider.GetElapsedTime(started) >= _options.UnmountTimeout)
            {
                return false;
            }

            await Task.Delay(BusyRetryDelay, _options.TimeProvider);
        }

        return true;
    }

    private async Task CutOffAsync()
    {
        // Opened before the mount point means something else. O_PATH asks the file system nothing.
        var root = LibC.Open(MountPoint, OpenFlags.PathOnly | OpenFlags.DirectoryOnly | OpenFlags.CloseOnExec);
        try
        {
            _session.Log($"fuse: {MountPoint} is still in use; the programs that use it are cut off");
            await OnBlockingThreadAsync(() => Unmounter.Detach(MountPoint));
            _session.Stop();

            // The threads notice after their next request; this makes one. It returns when the connection is closed at the latest.
            await OnBlockingThreadAsync(() => Wake(root));
        }
        finally
        {
            _ = LibC.Close(root);
        }
    }

    private async Task FinishAsync()
    {
        Exception? failure = null;
        try
        {
            await _session.LoopEnded;
        }
        catch (FuseMountException exception)
        {
            failure = exception;
            await DetachBrokenAsync();
        }

        _tree.Changed -= _notifier.Changed;
        await DrainAsync();
        foreach (var file in _handles.RemoveAllFiles())
        {
            await CloseAsync(file);
        }

        if (await OnBlockingThreadAsync(() => _notifier.Stop(_options.UnmountTimeout)))
        {
            _session.Destroy();
            _session.Operations.Dispose();
        }
        else
        {
            _session.Log("fuse: the thread that tells the kernel of changes is stuck in it; its memory is kept until the process ends");
        }

        if (failure is null)
        {
            _completion.SetResult();
        }
        else
        {
            _completion.SetException(failure);
        }
    }

    /// <summary>After the connection broke, a mount would stay that answers nothing but errors.</summary>
    private async Task DetachBrokenAsync()
    {
        try
        {
            await OnBlockingThreadAsync(() => Unmounter.Detach(MountPoint));
        }
        catch (FuseMountException exception)
        {
            _session.Log($"fuse: {exception.Message}");
        }
    }

    private async Task DrainAsync()
    {
        try
        {
            await _session.Drained.WaitAsync(_options.UnmountTimeout, _options.TimeProvider);
        }
        catch (TimeoutException)
        {
            // Nobody waits for the answers any more.
            _session.CancelAll();
            await _session.Drained;
        }
    }

    private async Task CloseAsync(OpenFile file)
    {
        try
        {
            await file.Handle.DisposeAsync();
        }
        catch (Exception exception)
        {
            _session.Log($"fuse: closing a file that was open when the mount ended: {exception.Message}");
        }
    }

    /// <summary>Blocks until the kernel has agreed on everything, which shows in an answer, then asks it for more read-ahead.</summary>
    private unsafe bool AwaitKernel()
    {
        NativeStat attributes;
        if (LibC.Stat(MountPoint, &attributes) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            throw new FuseMountException($"The mount at {MountPoint} does not answer: {Marshal.GetPInvokeErrorMessage(errno)}.");
        }

        var (major, minor) = DeviceNumbers(attributes.Device);
        var path = string.Create(CultureInfo.InvariantCulture, $"/sys/class/bdi/{major}:{minor}/read_ahead_kb");
        try
        {
            File.WriteAllText(path, _options.ReadAheadKib.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _session.Log($"fuse: sequential reads will be slower: {path} could not be set to {_options.ReadAheadKib}: {exception.Message}");
        }

        return true;
    }

    private static (ulong Major, ulong Minor) DeviceNumbers(ulong device) =>
        (((device >> 8) & 0xFFF) | ((device >> 32) & ~0xFFFUL), (device & 0xFF) | ((device >> 12) & ~0xFFUL));

    private static unsafe bool Wake(int descriptor)
    {
        NativeStatVfs totals;
        return LibC.FStatVfs(descriptor, &totals) == 0;
    }

    private static Task<T> OnBlockingThreadAsync<T>(Func<T> call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task OnBlockingThreadAsync(Action call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
