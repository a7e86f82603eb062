using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Mounts;

/// <summary>One line of a trash list.</summary>
/// <param name="Hash">The block.</param>
/// <param name="MtimeNanoseconds">The copy that the list's author saw; any other mtime means a copy that he did not judge.</param>
/// <param name="MountUuid">Where; empty = wherever trash is allowed.</param>
public readonly record struct TrashItem(BlockHash Hash, long MtimeNanoseconds, string MountUuid);

/// <summary>
/// Trashes what a list names (keepstore-http.md 9.1). It does less than it is told in every doubtful case: a copy that is younger than
/// the minimum age, that was touched since the list was made, or whose mount is unknown here stays. Safe for concurrent use.
/// </summary>
/// <param name="mounts">Where.</param>
/// <param name="policy">How young is too young.</param>
/// <param name="events">Told what becomes of each item.</param>
/// <param name="trashed">Called with every block of which a copy was trashed, before the next item.</param>
public sealed class TrashWorker(MountTable mounts, TrashPolicy policy, IKeepstoreEvents events, Action<BlockHash>? trashed = null)
{
    /// <summary>Does one item; failures are reported and not thrown.</summary>
    public async ValueTask TrashAsync(TrashItem item, CancellationToken cancellationToken)
    {
        if (policy.IsTooYoung(item.MtimeNanoseconds))
        {
            events.KeptListedBlock(item.Hash, item.MountUuid, "the listed mtime is younger than the lifetime of signatures");
            return;
        }

        var matching = mounts.All.Where(mount => mount.AllowTrash && (item.MountUuid.Length == 0 || mount.Uuid == item.MountUuid)).ToArray();
        if (matching.Length == 0)
        {
            events.KeptListedBlock(item.Hash, item.MountUuid, "there is no such mount with permission to trash");
        }

        foreach (var mount in matching)
        {
            await TrashOnAsync(mount, item, cancellationToken);
        }
    }

    private async ValueTask TrashOnAsync(Mount mount, TrashItem item, CancellationToken cancellationToken)
    {
        try
        {
            if (await mount.Volume.GetMtimeAsync(item.Hash, cancellationToken) is not { } mtime)
            {
                return;
            }

            // A touch between this look and the next line is seen by the volume, which looks again under its lock.
            if (mtime != item.MtimeNanoseconds)
            {
                events.KeptListedBlock(item.Hash, mount.Uuid, "its mtime is not the listed one");
            }
            else if (await mount.Volume.TrashAsync(item.Hash, cancellationToken) == TrashOutcome.Trashed)
            {
                trashed?.Invoke(item.Hash);
                events.TrashedListedBlock(item.Hash, mount.Uuid);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, the list goes on, and the next list names the block again.
            events.FailedTrash(item.Hash, mount.Uuid, e);
        }
    }
}
