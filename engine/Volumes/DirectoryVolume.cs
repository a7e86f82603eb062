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
        _threads = new DiskThreads(options.Root, options.Serialize ? Math.Min(1, options.Threads) : options.Threads, options.MaxWaiting);
        DeviceId = DirectoryDeviceId.Find(options.Root);
    }

    /// <inheritdoc/>
    public string DeviceId { get; }

    /// <inheritdoc/>
    public VolumeSpace? GetSpace() => _disk.GetSpace(_layout.Root);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _threads.DisposeAsync();

    private async ValueTask<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await _threads.RunAsync(work, cancellationToken);
        }
        catch (DiskException e)
        {
            throw new KeepException(e.Error == DiskError.NoSpace ? KeepErrorKind.Full : KeepErrorKind.Unavailable, $"Volume {DeviceId}: {e.Message}", e);
        }
    }
}
