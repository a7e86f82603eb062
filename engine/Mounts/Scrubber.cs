using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Engine.Mounts;

/// <summary>
/// Reads every block of every mount again and again, at a limited rate and only while nobody else needs the node, and replaces bad copies
/// by good ones from other mounts or servers (decision 0014). Mounts are scrubbed side by side. Safe for concurrent use.
/// </summary>
public sealed class Scrubber : IAsyncDisposable
{
    private readonly MountScrub[] _mounts;
    private readonly CancellationTokenSource _stop = new();
    private readonly ScrubControl _control;
    private Task _running = Task.CompletedTask;

    /// <summary>Scrubs nothing before <see cref="Start"/>.</summary>
    /// <param name="keepstore">Whose mounts are scrubbed.</param>
    /// <param name="buffers">One block at a time for each mount.</param>
    /// <param name="others">Other servers; null = there are none.</param>
    /// <param name="options">How.</param>
    /// <param name="isIdle">Nobody else needs the node now.</param>
    /// <param name="events">Told what is found.</param>
    /// <param name="time">The clock.</param>
    /// <param name="hashing">Hashes blocks together with those of requests; null: each by itself.</param>
    public Scrubber(
        Keepstore keepstore, BlockBufferPool buffers, ICopyFinder? others, ScrubOptions options, Func<bool> isIdle, IScrubEvents events, TimeProvider time, HashService? hashing = null)
    {
        _control = new ScrubControl(options.Enabled, options.BytesPerSecond);

        // A gateway shows files that are somebody else's: one that has changed is no bad copy, and there is nothing to put aside.
        _mounts = [.. keepstore.Mounts.All.Where(mount => mount.Volume is not GatewayVolume).Select(mount => new MountScrub(mount, keepstore, buffers, others, options, _control, isIdle, events, time, hashing))];
    }

    /// <summary>Where it stands.</summary>
    public ScrubStatus Status => new(_control.IsOn, _control.BytesPerSecond, [.. _mounts.Select(mount => mount.Status)]);

    /// <summary>Begins, in the background.</summary>
    public void Start() => _running = Task.WhenAll(_mounts.Select(mount => mount.RunAsync(_stop.Token)).ToArray());

    /// <summary>Scrubs now what is due only later, also when it was off.</summary>
    public void Begin() => _control.Begin();

    /// <summary>Stops after the blocks under way and keeps the positions.</summary>
    public void Pause() => _control.Pause();

    /// <summary>Sets the bytes a second for each mount; 0 = no limit.</summary>
    public void SetRate(long bytesPerSecond) => _control.SetRate(bytesPerSecond);

    /// <summary>Stops and saves the positions.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }
}
