using System.Globalization;

namespace KeepFs.Engine.Volumes;

/// <summary>
/// The mark <c>full</c> in the root of a directory volume: a symbolic link whose text is the time (Unix seconds) at which less than
/// one block of room was left. It is believed for an hour, also when another keepstore made it.
/// </summary>
internal sealed class FullMarker(IDisk disk, DirectoryLayout layout, TimeProvider time)
{
    private const long NeededBytes = Blocks.Locator.MaxBlockSizeBytes;
    private const long BelievedSeconds = 3600;

    public bool IsFull()
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        if (long.TryParse(disk.ReadLink(layout.FullMarker), NumberStyles.None, CultureInfo.InvariantCulture, out var since) && now - since < BelievedSeconds)
        {
            return true;
        }

        // Unknown room counts as room: the write itself will tell.
        if (disk.GetSpace(layout.Root) is not { FreeBytes: < NeededBytes })
        {
            return false;
        }

        Mark(now);
        return true;
    }

    /// <summary>Marks that a crash kept from getting their final name; each says itself how old it is.</summary>
    public void RemoveLeftovers(TimeSpan olderThan)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var name in disk.List(layout.Root).Where(DirectoryLayout.IsNewFullMarker))
        {
            var path = Path.Join(layout.Root, name);
            if (long.TryParse(disk.ReadLink(path), NumberStyles.None, CultureInfo.InvariantCulture, out var since) && now - since > olderThan.TotalSeconds)
            {
                disk.Delete(path);
            }
        }
    }

    private void Mark(long now)
    {
        // Replaced in one step: upstream leaves a stale mark for ever and then measures on every write.
        var fresh = layout.NewFullMarker();
        try
        {
            disk.CreateLink(fresh, now.ToString(CultureInfo.InvariantCulture));
            disk.Rename(fresh, layout.FullMarker);
        }
        catch (DiskException)
        {
            // A disk that cannot even hold the mark is full all the same.
        }
    }
}
