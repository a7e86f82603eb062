using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// Blocks as files in Arvados's layout (keepstore-http.md 11.1), so that an existing volume is served in place, even while an
/// Arvados keepstore serves it too. Differences, all for safety: a write or touch is durable before it succeeds, a writer takes the
/// flock of the copy that it replaces, and untrashing never replaces a copy.
/// </summary>
public sealed partial class DirectoryVolume : IFileVolume
{
    private readonly IDisk _disk;
    private readonly DirectoryLayout _layout;
    private readonly TrashPolicy _trash;
    private readonly FullMarker _full;
    private readonly DiskThreads _threads;
    private readonly RootGuard _root;
    private readonly SyncPace _pace;
    private readonly SharedCommit? _commit;
    private readonly int _shareUpToBytes;
    private readonly bool _writesDirectly;
    private readonly bool _isSimulation;

    /// <summary>Opens the volume.</summary>
    /// <exception cref="KeepException">The root is not an absolute path of an existing directory.</exception>
    public DirectoryVolume(DirectoryVolumeOptions options, IDisk? disk = null)
    {
        if (!Path.IsPathRooted(options.Root) || (disk is null && !Directory.Exists(options.Root)))
        {
            throw new KeepException(KeepErrorKind.BadRequest, $"Volume root '{options.Root}' must be the absolute path of an existing directory.");
        }

        _disk = disk ?? new PosixDisk();
        _layout = new DirectoryLayout(options.Root);
        _trash = options.Trash;
        _full = new FullMarker(_disk, _layout, options.Trash.Time);
        _root = OpenRoot(options.Root);
        _pace = new SyncPace(options.ShareSyncsFrom, options.Trash.Time);
        _isSimulation = options.Threads == 0;
        _shareUpToBytes = options.ShareSyncsUpToBytes;
        _writesDirectly = options.WritesDirectly;
        _commit = options.ShareSyncsFrom > 0 ? SharedCommit.TryStart(_disk, options.Root, _root, _pace, options.MaxWaiting, byHand: _isSimulation) : null;
        _threads = new DiskThreads(options.Root, options.Serialize ? Math.Min(1, options.Threads) : options.Threads, options.MaxWaiting);
        DeviceId = DirectoryDeviceId.Find(options.Root);
    }

    /// <inheritdoc/>
    public string DeviceId { get; }

    /// <inheritdoc/>
    public VolumeSpace? GetSpace() => _disk.GetSpace(_layout.Root);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _threads.DisposeAsync();
        if (_commit is not null)
        {
            await _commit.DisposeAsync();
        }
    }

    /// <summary>With no threads, writes and touches that share syncs wait for this: one cycle; false when none waited (simulation).</summary>
    internal bool CommitByHand() => _commit?.RunOnce() ?? false;

    private RootGuard OpenRoot(string root)
    {
        try
        {
            return new RootGuard(_disk, root);
        }
        catch (DiskException e)
        {
            throw new KeepException(KeepErrorKind.BadRequest, $"Volume root '{root}' cannot be used: {e.Message}", e);
        }
    }

    private ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken) => GuardAsync(() => _threads.RunAsync(work, cancellationToken));

    private async ValueTask RunAsync(Action work, CancellationToken cancellationToken) => await RunAsync(
        () =>
        {
            work();
            return true;
        },
        cancellationToken);

    private ValueTask<T> WaitAsync<T>(Task<T> work) => GuardAsync(() => new ValueTask<T>(work));

    private async ValueTask<T> GuardAsync<T>(Func<ValueTask<T>> work)
    {
        try
        {
            return await work();
        }
        catch (DiskException e)
        {
            throw new KeepException(e.Error == DiskError.NoSpace ? KeepErrorKind.Full : KeepErrorKind.Unavailable, $"Volume {DeviceId}: {e.Message}", e);
        }
    }
}
