using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.S3;

public sealed partial class S3Volume
{
    // A copy with an older time than this was not made now: some services keep the time of what they replace.
    private static readonly TimeSpan MaxCopyAge = TimeSpan.FromSeconds(600);

    /// <inheritdoc/>
    public async ValueTask<TrashOutcome> TrashAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        if (await GetMtimeAsync(hash, cancellationToken) is not { } mtime)
        {
            return TrashOutcome.NotFound;
        }

        if (_trash.IsTooYoung(mtime))
        {
            return TrashOutcome.TooYoung;
        }

        if (_trash.Lifetime <= TimeSpan.Zero)
        {
            if (!_options.UnsafeDelete)
            {
                throw new KeepException(KeepErrorKind.BadRequest, $"{DeviceId}: not deleting {hash}: BlobTrashLifetime is zero, and deleting at once may race with a write. Set a lifetime, or UnsafeDelete.");
            }

            await _bucket.DeleteAsync(_layout.Block(hash), cancellationToken);
            return TrashOutcome.Trashed;
        }

        await CheckRaceWindowAsync(hash, cancellationToken);
        if (await _bucket.CopyAsync(_layout.Block(hash), _layout.Trash(hash), cancellationToken) is not { } copied)
        {
            return TrashOutcome.NotFound;
        }

        if (_trash.Time.GetUtcNow() - copied > MaxCopyAge)
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"{DeviceId}: not trashing {hash}: its copy in the trash has the time {copied:u}, which is too long ago. Compare the clocks of this machine and the service.");
        }

        // Copying may have taken long. A touch that comes after this is found out by the marker; seeing it here saves the repair.
        if (await GetMtimeAsync(hash, cancellationToken) is { } now && now != mtime)
        {
            return TrashOutcome.TooYoung;
        }

        await _bucket.DeleteAsync(_layout.Block(hash), cancellationToken);
        return TrashOutcome.Trashed;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> UntrashAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        if (await _bucket.HeadAsync(_layout.Trash(hash), cancellationToken) is null)
        {
            return false;
        }

        if (!await RestoreAsync(hash, cancellationToken))
        {
            return false;
        }

        await MarkRecentAsync(hash, cancellationToken);
        return true;
    }

    /// <summary>If old trash may be deleted before all see the times of now, then nothing new may take its place: it could be that which is deleted.</summary>
    private async ValueTask CheckRaceWindowAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        if (await _bucket.HeadAsync(_layout.Trash(hash), cancellationToken) is not { } old)
        {
            return;
        }

        var safe = old.LastModified + _trash.Lifetime - (_trash.Time.GetUtcNow() + _options.RaceWindow);
        if (safe <= TimeSpan.Zero)
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"{DeviceId}: not trashing {hash} now: an older copy of it in the trash is deleted soon, and within RaceWindow that might hit the new one. It can be trashed after the trash was emptied.");
        }
    }

    /// <summary>
    /// "Fix race": block X is absent. Was it touched while it was trashed, or less than the minimum age before? Then it must be here, and is
    /// brought back. False: it was trashed by right, or is in no trash.
    /// </summary>
    private async ValueTask<bool> RepairAsync(BlockHash hash, CancellationToken cancellationToken) =>
        await _bucket.HeadAsync(_layout.Recent(hash), cancellationToken) is { } recent
        && await _bucket.HeadAsync(_layout.Trash(hash), cancellationToken) is { } trash
        && IsRace(trash, recent)
        && await RestoreAsync(hash, cancellationToken);

    private bool IsRace(StoredObject trash, StoredObject recent) => trash.LastModified - recent.LastModified < _trash.MinimumAge;

    /// <summary>Copies a block out of the trash, unless there is a copy already: that one may be better. False: the trash has none any more.</summary>
    private async ValueTask<bool> RestoreAsync(BlockHash hash, CancellationToken cancellationToken) =>
        await _bucket.HeadAsync(_layout.Block(hash), cancellationToken) is not null
        || await _bucket.CopyAsync(_layout.Trash(hash), _layout.Block(hash), cancellationToken) is not null;
}
