using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Mounting;
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

    /// <summary>Mounts; when it returns, the mount answers requests.</summary>
    /// <param name="tree">What to serve.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="log">Gets a line for each unexpected error; called on any thread.</param>
    /// <param name="cancellationToken">Gives up starting, and unmounts.</param>
    /// <exception cref="FuseMountException">It cannot be mounted there; the message says what to do.</exception>
    public static async Task<FuseMount> StartAsync(
        IFileSystem tree, FuseMountOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        var mount = new FuseMount(tree, options, MountPointCheck.Check(options), log);
        var device = await OnBlockingThreadAsync(() => KernelMount.Mount(options, mount.MountPoint));
        try
        {
            _ = await OnBlockingThreadAsync(() => Handshake.Perform(device, options)).WaitAsync(cancellationToken);
            ReadAhead.Raise(mount.MountPoint, options.ReadAheadKib, log);
        }
        catch
        {
            // Unmounts it from everywhere, as it is the only one.
            await OnBlockingThreadAsync(() => Unmounter.Detach(mount.MountPoint));
            device.Dispose();
            throw;
        }

        tree.Changed += mount._notifier.Changed;
        mount._session.Start([device]);
        mount._notifier.Start(mount._session);
        _ = mount.FinishAsync();
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
        _session.Log($"fuse: {MountPoint} is still in use; the programs that use it are cut off");
        await OnBlockingThreadAsync(() => Unmounter.Detach(MountPoint));

        // The connection ends when the devices are closed, after what is under way.
        await _session.StopAsync();
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
            _session.Dispose();
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

    private static Task<T> OnBlockingThreadAsync<T>(Func<T> call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task OnBlockingThreadAsync(Action call) =>
        Task.Factory.StartNew(call, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
