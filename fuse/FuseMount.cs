using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Mounting;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;
using KeepFs.Fuse.Takeover;

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
    private readonly HandleTable _handles;
    private readonly PassthroughTable _passthrough = new();
    private Task? _unmounting;

    private FuseMount(IFileSystem tree, FuseMountOptions options, string mountPoint, MountState state, IStateLog stateLog, Action<string> log)
    {
        (_tree, _options, MountPoint) = (tree, options, mountPoint);
        _inodes = new InodeTable(tree.Root, state, stateLog) { Held = tree.Hold, Released = tree.Release };
        _handles = new HandleTable(state, stateLog);
        _notifier = new KernelNotifier(_inodes, options.MaxPendingInvalidations, log);
        _session = new FuseSession(new KeepFuse(tree, options, _inodes, _handles, _passthrough, _notifier), options, log);
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

    /// <summary>Files that the kernel reads from local files now instead of asking.</summary>
    public int PassthroughCount => _passthrough.Count;

    /// <summary>Mounts; when it returns, the mount answers requests.</summary>
    /// <param name="tree">What to serve.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="log">Gets a line for each unexpected error; called on any thread.</param>
    /// <param name="cancellationToken">Gives up starting, and unmounts.</param>
    /// <exception cref="FuseMountException">It cannot be mounted there; the message says what to do.</exception>
    public static async Task<FuseMount> StartAsync(
        IFileSystem tree, FuseMountOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        if (options.Held is { } held)
        {
            return TakeOver(tree, options, held, log);
        }

        var mount = new FuseMount(tree, options, MountPointCheck.Check(options), MountState.Fresh, NoStateLog.Instance, log);
        var device = await OnBlockingThreadAsync(() => KernelMount.Mount(options, mount.MountPoint));
        try
        {
            var agreed = await OnBlockingThreadAsync(() => Handshake.Perform(device, options)).WaitAsync(cancellationToken);
            mount.Start([device], agreed);
        }
        catch
        {
            // Unmounts it from everywhere, as it is the only one.
            await OnBlockingThreadAsync(() => Unmounter.Detach(mount.MountPoint));
            device.Dispose();
            throw;
        }

        ReadAhead.Raise(mount.MountPoint, options.ReadAheadKib, log);
        return mount;
    }

    /// <summary>
    /// Stops answering and lets another process take over (<see cref="FuseMountOptions.Held"/>); what is under way has
    /// <see cref="FuseMountOptions.UnmountTimeout"/> to finish, and is then left to that process. When it returns, this one is to end.
    /// </summary>
    public async Task HandOverAsync()
    {
        _session.LeavesCancelledToNext = _options.Held is { Agreed.HasResend: true };
        await _session.StopAsync();
        await Completion;
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

    private static FuseMount TakeOver(IFileSystem tree, FuseMountOptions options, HeldMount held, Action<string> log)
    {
        var stateLog = held.OpenState(out var state);
        var mount = new FuseMount(tree, options, held.MountPoint, state, stateLog, log);
        foreach (var open in state.Handles.Values.Where(open => open is { IsDirectory: false, BackingId: not StateHandle.Uncounted }))
        {
            mount._passthrough.Adopt(open.NodeId, open.BackingId);
        }

        var devices = held.TakeDevices();
        if (held.Agreed.HasResend)
        {
            // Before anything is read here, or that would come twice.
            _ = Notifications.Resend(devices[0].Descriptor);
        }

        mount.Start(devices, held.Agreed);
        held.SayReady();
        _ = mount.ReopenAsync();
        return mount;
    }

    private void Start(IReadOnlyList<FuseDevice> devices, Negotiation agreed)
    {
        _tree.Changed += _notifier.Changed;
        if (agreed.HasPassthrough)
        {
            _passthrough.SwitchOn(devices[0].Descriptor);
        }

        // What a process without the right to ask again has read is lost with its devices, so these must not be the holder's.
        _session.Start(devices, readsOnlyClones: _options.Held is not null && !agreed.HasResend);
        _notifier.Start(_session);
        _ = FinishAsync();
    }

    /// <summary>Opens what a process before this one had open, before somebody removes it.</summary>
    private async Task ReopenAsync()
    {
        foreach (var handle in _handles.Adopted)
        {
            try
            {
                await _session.Operations.ReopenAsync(handle);
            }
            catch (Exception exception)
            {
                // Whoever uses it gets the error; what it cost is what matters here.
                _session.Log($"fuse: a file that was open could not be opened again: {exception.Message}");
            }
        }
    }

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
